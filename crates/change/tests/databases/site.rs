//! A server, a journal, and what is asked of them.

use std::path::PathBuf;
use std::time::Duration;

use change::ChangeError;
use change::plan::{AskedFor, Plan, PlanOptions, of_remedies};
use change::transaction::{Applied, ApplyOptions, Outcome, Undo, UndoOptions, apply, undo};
use host::LiveHost;
use lab::faults::netns::Namespace;
use lab::services::{folder, mariadb::MariaDb};
use model::{Change, Derived, Remedy, Severity};
use tempfile::TempDir;

pub(crate) struct Site {
    pub(crate) database: Option<MariaDb>,
    pub(crate) folder: TempDir,
    namespace: Namespace,
}

impl Site {
    pub(crate) fn new() -> Self {
        let (namespace, folder) = (Namespace::create().unwrap(), folder().unwrap());
        let database = Some(MariaDb::start(&namespace, folder.path(), "127.0.0.1").unwrap());
        let site = Self { database, folder, namespace };
        site.run(
            "CREATE DATABASE shop; CREATE TABLE shop.meta (id INT PRIMARY KEY AUTO_INCREMENT, k VARCHAR(20), \
             v VARCHAR(20), copied INT) ENGINE=InnoDB; \
             INSERT INTO shop.meta (k, v) SELECT seq MOD 7, seq FROM shop.seq_1_to_1000",
        );
        site
    }

    /// Starts the server again, on the data that are there.
    pub(crate) fn start_again(&mut self) {
        self.database = Some(MariaDb::start(&self.namespace, self.folder.path(), "127.0.0.1").unwrap());
    }

    pub(crate) fn server(&self) -> String {
        self.folder.path().join("data/mariadb.sock").display().to_string()
    }

    pub(crate) fn run(&self, statements: &str) -> String {
        self.database.as_ref().unwrap().run(statements).unwrap().trim().to_owned()
    }

    pub(crate) fn global(&self, name: &str) -> String {
        self.run(&format!("SELECT @@GLOBAL.{name}"))
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn variable(&self, name: &str, value: &str) -> Change {
        Change::sql_variable(&self.server(), name, None, Derived::new(value, "f"))
    }

    pub(crate) fn index(&self) -> Change {
        Change::sql_statement(
            &self.server(),
            "ALTER TABLE shop.meta ADD INDEX narrows_k (k)",
            "ALTER TABLE shop.meta DROP INDEX narrows_k",
            "SELECT COUNT(*) > 0 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' \
             AND TABLE_NAME = 'meta' AND INDEX_NAME = 'narrows_k'",
        )
    }

    pub(crate) fn has_index(&self) -> bool {
        self.run("SHOW CREATE TABLE shop.meta").contains("narrows_k")
    }

    pub(crate) fn apply(&self, plan: &Plan) -> Result<Applied, ChangeError> {
        apply(
            plan,
            &ApplyOptions { state_directory: self.state(), only: vec![], trial: None, restart: false },
        )
    }

    pub(crate) fn undo(&self) -> Outcome {
        let options = UndoOptions {
            state_directory: self.state(),
            id: None,
            force: false,
            unless_confirmed: false,
            patience: Duration::ZERO,
            why: None,
        };
        match undo(&options).unwrap() {
            Undo::Done(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn planned(changes: impl IntoIterator<Item = Change>) -> Plan {
    let remedy = changes.into_iter().fold(Remedy::new("An example", "nothing"), Remedy::change);
    let asked = AskedFor {
        id: "index.missing".to_owned(),
        severity: Severity::Latent,
        why: "a test asks for it".to_owned(),
        evidence: vec![],
        remedy,
    };
    of_remedies(&LiveHost::new(), &[asked], &PlanOptions::default()).unwrap()
}

pub(crate) fn done(applied: Result<Applied, ChangeError>) -> Outcome {
    match applied.unwrap() {
        Applied::Done(outcome) => outcome,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn put_back(applied: Result<Applied, ChangeError>) -> (ChangeError, Outcome) {
    match applied.unwrap() {
        Applied::PutBack { error, outcome } => (error, outcome),
        other => panic!("{other:?}"),
    }
}
