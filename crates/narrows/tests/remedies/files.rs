//! Files of sysctl.d that are wrong: the figure that moves is the file.

use change::plan::Plan;

use super::round::{Expected, there_and_back};
use crate::faults::netns::Namespace;
use crate::faults::{FaultError, Result};
use lab::site::Site;

const FILE: &str = "/etc/sysctl.d/60-guide.conf";

/// A file as someone left it, and as it must be after the remedy.
struct Case {
    cause: &'static str,
    before: &'static str,
    after: &'static str,
}

const CASES: [Case; 4] = [
    Case {
        cause: "settings.dangerous-at-boot",
        before: "# from a guide\nnet.ipv4.tcp_orphan_retries = 1\n\n; and this\nnet.ipv4.tcp_sack=1\n",
        after: "# from a guide\n\n; and this\nnet.ipv4.tcp_sack=1\n",
    },
    Case {
        cause: "settings.overridden",
        before: "net.ipv4.tcp_sack = 0\nnet.ipv4.tcp_window_scaling = 1\nnet.ipv4.tcp_sack = 1\n",
        after: "net.ipv4.tcp_window_scaling = 1\nnet.ipv4.tcp_sack = 1\n",
    },
    Case {
        cause: "settings.trailing-comment",
        before: "  net.ipv4.tcp_sack = 1   # the default\n# net.ipv4.tcp_sack = 0\n",
        after: "  net.ipv4.tcp_sack = 1\n# net.ipv4.tcp_sack = 0\n",
    },
    Case {
        cause: "sockets.fastopen-key-zero",
        before: "net.ipv4.tcp_fastopen = 3\n\
                 net.ipv4.tcp_fastopen_key = 00000000-00000000-00000000-00000000\n",
        after: "net.ipv4.tcp_fastopen = 3\n",
    },
];

#[test]
fn lines_that_do_harm_go_and_come_back_to_the_byte() -> Result<()> {
    let namespace = Namespace::create()?;
    for case in CASES {
        let site = Site::own(&namespace)?;
        site.write(FILE, case.before)?;
        let moved = |plan: &Plan| {
            let file = site.read(FILE)?;
            assert_eq!(file, case.after, "{}", case.cause);
            assert!(!format!("{plan:?}").contains("00000000"), "a key is in the plan");
            Ok(())
        };
        let options = ["--for", "1s", "--severity", "hygiene", "--only", case.cause];
        there_and_back(&site, &options, &[Expected::file(case.cause, FILE)], moved, || Ok(()))
            .map_err(|error| FaultError::new(format!("{}: {error}", case.cause)))?;
    }
    Ok(())
}

#[test]
fn all_of_them_at_once_in_two_files() -> Result<()> {
    let namespace = Namespace::create()?;
    let site = Site::own(&namespace)?;
    let other = "/etc/sysctl.d/99-local.conf";
    site.write(
        FILE,
        "net.ipv4.tcp_orphan_retries = 2\nnet.ipv4.tcp_sack = 0\nvm.swappiness = 60 # default\n",
    )?;
    site.write(
        other,
        "net.ipv4.tcp_sack = 1\nnet.ipv4.tcp_fastopen_key = 00000000-00000000-00000000-00000000\n",
    )?;
    let expected = [
        Expected::file("settings.dangerous-at-boot", FILE),
        Expected::file("sockets.fastopen-key-zero", other),
        Expected::file("settings.", &format!("{FILE}#2")),
        Expected::file("settings.", &format!("{FILE}#3")),
    ];
    let moved = |_: &Plan| {
        assert_eq!(site.read(FILE)?, "vm.swappiness = 60\n");
        assert_eq!(site.read(other)?, "net.ipv4.tcp_sack = 1\n");
        Ok(())
    };
    let only =
        "settings.dangerous-at-boot,settings.overridden,settings.trailing-comment,sockets.fastopen-key-zero";
    let options = ["--for", "1s", "--severity", "hygiene", "--only", only];
    there_and_back(&site, &options, &expected, moved, || Ok(()))?;
    Ok(())
}
