//! Timers that a plan writes.

use model::{Edit, Severity};

use super::testing::{asking, editing, ids, planned, report, tree};
use super::{ActivationKind, forbidden};

#[test]
fn a_new_timer_is_linked_started_and_goes_with_its_service_and_its_constant() {
    let unit = |section: &str, key: &str, value: &str| Edit::Systemd {
        section: section.to_owned(),
        key: key.to_owned(),
        value: Some(value.to_owned()),
    };
    let (service, timer) = ("/etc/systemd/system/c.service", "/etc/systemd/system/c.timer");
    let config = "/srv/www/wp-config.php";
    let constant = Edit::PhpConstant { name: "DISABLE_WP_CRON".to_owned(), value: Some("true".to_owned()) };
    let changes = |constant: Edit| {
        vec![
            editing(
                service,
                vec![unit("Service", "User", "www-data"), unit("Service", "ExecStart", "/bin/x")],
            ),
            editing(
                timer,
                vec![unit("Timer", "OnCalendar", "minutely"), unit("Install", "WantedBy", "timers.target")],
            ),
            editing(config, vec![constant]),
        ]
    };
    let ground = tree(&[(config, "<?php\ndefine('AUTH_KEY', 'hunter2');\n")]);
    let asked = report(vec![asking("a.b", Severity::Limiting, changes(constant.clone()))]);
    let plan = planned(&ground, &asked);
    assert_eq!(ids(&plan), [service, timer, config], "{:#?}", plan.refused);
    let reloads: Vec<_> = plan.changes.iter().flat_map(|change| &change.reloads).map(|one| one.how).collect();
    use ActivationKind::{DaemonReload, Timer};
    assert_eq!(reloads, [DaemonReload, DaemonReload, Timer]);
    let [_, link] = &plan.changes[1].operations[..] else { panic!("a file and a link") };
    assert_eq!(link.target.kind().name(), "/etc/systemd/system/timers.target.wants/c.timer");
    assert_eq!(link.action, crate::Action::Link { to: timer.to_owned() });
    assert!(forbidden(link).is_none());
    assert!(!serde_json::to_string(&plan).unwrap().contains("hunter2"));
    let managed = tree(&[(config, "# Ansible managed\n<?php\n")]);
    let refused = planned(&managed, &asked);
    assert!(refused.changes.is_empty(), "the changes of a remedy are made together");
}
