//! The rows on MariaDB 10.11 agree with the program itself.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests fail by panic and run a program")]

use std::process::Command;

use stack::mysql::version_facts::{self, Standing};
use stack::mysql::{Flavor, Version};

/// What `mariadbd` says of an option; nothing where it is not installed, or is of another version.
struct Program {
    folder: tempfile::TempDir,
    version: Version,
}

impl Program {
    fn find() -> Option<Self> {
        let output = Command::new("mariadbd").args(["--no-defaults", "--version"]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let numbers = text.split("Ver ").nth(1)?.split(|letter: char| !letter.is_ascii_digit());
        let mut numbers = numbers.filter_map(|number| number.parse().ok());
        let version = Version { major: numbers.next()?, minor: numbers.next()?, patch: numbers.next()? };
        let is_known = (version.major, version.minor) == (10, 11);
        is_known.then(|| Self { folder: tempfile::tempdir().unwrap(), version })
    }

    /// Reads options without starting: `--help` ends after that.
    fn standing(&self, option: &str) -> Standing {
        let output = Command::new("mariadbd")
            .arg("--no-defaults")
            .arg(format!("--datadir={}", self.folder.path().display()))
            .arg(format!("--{option}=1"))
            .args(["--verbose", "--help"])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).replace('-', "_");
        match () {
            () if said.contains("unknown variable") || said.contains("unknown option") => Standing::Refused,
            () if said.contains(&format!("'{option}' was removed")) => Standing::Inert,
            () if said.contains(&format!("'__{option}' is deprecated")) => Standing::Deprecated,
            () => Standing::Fine,
        }
    }
}

#[test]
fn every_row_on_mariadb_is_what_the_program_says() {
    let Some(program) = Program::find() else { return };
    for fact in version_facts::all(Flavor::MariaDb) {
        let (ours, its) = (fact.standing(program.version), program.standing(fact.option));
        // What is to go is said by the documentation first, and by the program not for every option.
        let agrees = ours == its || (ours == Standing::Deprecated && its == Standing::Fine);
        assert!(agrees, "{}: we say {ours:?}, mariadbd says {its:?}", fact.option);
    }
}

#[test]
fn options_that_incident_reports_set_are_known_for_what_they_are() {
    let Some(program) = Program::find() else { return };
    let said = |option| {
        let its = program.standing(option);
        assert_eq!(version_facts::standing(Flavor::MariaDb, program.version, option), its, "{option}");
        its
    };
    assert_eq!(said("innodb_buffer_pool_instances"), Standing::Inert);
    let fine = [
        "innodb_buffer_pool_size",
        "innodb_lru_scan_depth",
        "innodb_io_capacity",
        "innodb_io_capacity_max",
        "innodb_flush_log_at_trx_commit",
        "innodb_log_file_size",
        "query_cache_size",
        "query_cache_type",
        "expire_logs_days",
        "binlog_expire_logs_seconds",
        "slave_parallel_threads",
    ];
    assert!(fine.into_iter().all(|option| said(option) == Standing::Fine));
}
