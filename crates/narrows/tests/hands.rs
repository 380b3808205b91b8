//! The commands that plan, change and undo, as a user types them. What is written lies in folders of the tests' own.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test")]

mod hands {
    pub(super) mod command;
    pub(super) mod place;
    pub(super) mod schema;
}
#[allow(dead_code, reason = "tests/incidents.rs uses the rest")]
#[path = "incidents/tree.rs"]
mod tree;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hands::command::{Ran, narrows, run_in_terminal, unprivileged};
use hands::place::Place;
use hands::schema::Schemas;
use tree::HostTree;

/// Every recorded or built host, with its name.
fn hosts() -> Vec<(&'static str, HostTree)> {
    let recorded = ["000-irq-pinned", "000-irq-spread", "004-nfs-slots", "004-nfs-latency", "004-nfs-cached"];
    let built: [&[&str]; 6] = [
        &["001"],
        &["001", "001-one-destination"],
        &["002"],
        &["002", "002-row-of-101-percent"],
        &["003"],
        &["003", "003-port-exhaustion"],
    ];
    let recorded = recorded.into_iter().map(|name| (name, HostTree::recorded(name)));
    recorded
        .chain(built.into_iter().map(|layers| (*layers.last().unwrap(), HostTree::built(layers))))
        .collect()
}

fn target(tree: &HostTree) -> &str {
    tree.path().to_str().unwrap()
}

#[test]
fn a_plan_of_a_recorded_host_is_the_same_to_the_byte_and_holds_to_its_schema() {
    let schemas = Schemas::new();
    let mut changes = 0;
    for (name, tree) in hosts() {
        for format in ["json", "human", "shell", "ansible", "diff"] {
            let plan =
                || narrows(&["plan", target(&tree), "--severity", "folklore", "--format", format]).text(0);
            let first = plan();
            assert_eq!(first, plan(), "{name} as {format}");
            if format == "json" {
                let json = serde_json::from_str(&first).unwrap();
                schemas.hold("plan-1.json", &json);
                changes += json["changes"].as_array().unwrap().len();
            }
        }
    }
    assert!(changes > 20, "{changes} changes");
}

#[test]
fn the_page_of_a_plan_is_100_columns_wide_and_coloured_only_for_those_who_want_it() {
    for (name, tree) in hosts() {
        let plan = narrows(&["plan", target(&tree), "--severity", "folklore"]).text(0);
        let wide: Vec<_> = plan.lines().filter(|line| line.chars().count() > 100).collect();
        assert!(wide.is_empty(), "{name}: {wide:#?}");
        assert!(!plan.contains('\x1b'), "{name}");
        let coloured = Ran::of(&["plan", target(&tree)], &[("CLICOLOR_FORCE", "1")]).text(0);
        assert!(coloured.contains('\x1b'), "{name}");
    }
}

#[test]
fn what_the_changes_of_a_remedy_share_is_said_once() {
    let tree = HostTree::recorded("000-irq-pinned");
    let plan = narrows(&["plan", target(&tree)]).text(0);
    assert_eq!(plan.matches("\n  because ").count(), 1, "{plan}");
    assert_eq!(plan.matches("\n      risk ").count(), 1, "{plan}");
    assert!(plan.contains("  14  irq 46"), "{plan}");
}

#[test]
fn a_report_ends_with_the_commands_that_come_next() {
    let tree = HostTree::recorded("000-irq-pinned");
    let report = narrows(&["check", target(&tree), "--fail-on", "never"]).text(0);
    let next = report.find("NEXT    narrows plan DIR ").unwrap_or_else(|| panic!("{report}"));
    assert!(report[next..].contains("narrows explain "), "{report}");
}

#[test]
fn a_plan_of_this_host_made_twice_has_one_hash_and_holds_to_its_schema() {
    let schemas = Schemas::new();
    let plan = || {
        let json = narrows(&["plan", "--for", "1s", "--format", "json"]).json(0);
        schemas.hold("plan-1.json", &json);
        json["hash"].clone()
    };
    // The load of the machine may move a verdict between two readings, but not again and again.
    let hashes: Vec<_> = (0..6).map(|_| plan()).collect();
    assert!(hashes.windows(2).any(|pair| pair[0] == pair[1]), "{hashes:#?}");
}

#[test]
fn a_bundle_is_refused_as_the_target_of_a_plan() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("host.narrows");
    let bundle = bundle.to_str().unwrap();
    narrows(&["record", "-o", bundle, "--for", "1s", "--every", "500ms"]).text(0);
    let error = narrows(&["plan", bundle]).error(2);
    assert!(error.contains("a plan needs the host's files") && error.contains("record --tree"), "{error}");
}

#[test]
fn a_saved_plan_is_applied_listed_and_undone_and_each_answer_holds_to_its_schema() {
    let (place, schemas) = (Place::new(), Schemas::new());
    let before = place.files();
    let plan = place.plan(&["a.conf", "new/b.conf"]);
    let applied = place.narrows(&["apply", &plan, "--yes", "--format", "json"]).json(0);
    schemas.hold("outcome-1.json", &applied);
    assert_eq!(applied["done"], "applied", "{applied:#}");
    assert_eq!(place.text("new/b.conf").lines().last(), Some("tcp_bbr"));
    let again = place.narrows(&["apply", &plan, "--yes"]).error(4);
    assert!(
        again.contains("was changed since the plan was made") && again.contains("narrows plan"),
        "{again}"
    );
    let history = place.narrows(&["history", "--format", "json"]).json(0);
    schemas.hold("history-1.json", &history);
    assert_eq!(history["transactions"][0]["status"], "applied");
    assert!(place.narrows(&["history"]).text(0).contains("a.conf"));
    let undone = place.narrows(&["undo", "--format", "json"]).json(0);
    schemas.hold("outcome-1.json", &undone);
    assert_eq!((&undone["done"], place.files()), (&"undone".into(), before));
    let nothing = place.narrows(&["undo", "--format", "json"]).json(0);
    schemas.hold("outcome-1.json", &nothing);
    assert_eq!(nothing["done"], "nothing");
}

#[test]
fn a_trial_is_confirmed_once() {
    let (place, schemas) = (Place::new(), Schemas::new());
    let plan = place.plan(&["a.conf"]);
    let tried = place.narrows(&["apply", &plan, "--yes", "--try", "10m", "--format", "json"]).json(0);
    schemas.hold("outcome-1.json", &tried);
    assert_eq!(tried["transaction"]["status"], "trying");
    assert!(!place.text("a.conf").contains("tcp_bbr"), "what lasts over a boot waits for the confirmation");
    let confirmed = place.narrows(&["confirm", "--format", "json"]).json(0);
    schemas.hold("outcome-1.json", &confirmed);
    assert_eq!((&confirmed["done"], place.text("a.conf").contains("tcp_bbr")), (&"confirmed".into(), true));
    let error = place.narrows(&["confirm"]).error(4);
    assert!(error.contains("no transaction is on trial") && error.contains("narrows history"), "{error}");
    assert!(place.narrows(&["undo", "--all"]).text(0).ends_with("Transaction 1 is undone.\n"));
}

#[test]
fn a_plan_that_was_edited_is_refused_with_the_place_and_the_reason() {
    let place = Place::new();
    let plan = place.plan(&["a.conf"]);
    let good = fs::read_to_string(&plan).unwrap();
    for (bad, said) in [
        (good.replace("\"tcp_bbr\"", "\"tcp_bic\""), "it was changed; make it anew"),
        (good[..good.len() / 2].to_owned(), "line "),
        (good.replace("narrows.plan/1", "narrows.plan/2"), "its schema is \"narrows.plan/2\""),
        (String::new(), "line 1, column 0"),
        ("[]".to_owned(), "line 1, column"),
    ] {
        fs::write(&plan, bad).unwrap();
        let error = place.narrows(&["apply", &plan, "--yes"]).error(4);
        assert!(error.contains(said) && error.contains(&plan), "{error}");
        assert!(!place.state().exists(), "{said}: nothing is journalled");
    }
    fs::write(&plan, good).unwrap();
    place.narrows(&["apply", &plan, "--yes"]).text(0);
}

#[test]
fn what_is_forbidden_stays_so_under_a_right_hash() {
    let place = Place::new();
    let target = serde_json::json!({ "kind": "sysctl", "key": "vm.drop_caches" });
    let action = serde_json::json!({ "action": "set", "value": "3" });
    let plan = place.plan_of(|plan| {
        let operation = &mut plan["changes"][0]["operations"][0];
        (operation["target"], operation["action"]) = (target.clone(), action.clone());
    });
    let error = place.narrows(&["apply", &plan, "--yes"]).error(4);
    assert!(error.contains("drop_caches"), "{error}");
}

#[test]
fn a_plan_of_another_host_is_refused() {
    let place = Place::new();
    for host in [
        serde_json::json!({ "name": "web-07", "machine_id": "0123456789abcdef0123456789abcdef", "kernel": null }),
        serde_json::json!({ "name": "web-07", "machine_id": null, "kernel": null }),
    ] {
        let plan = place.plan_of(|plan| plan["host"] = host.clone());
        let error = place.narrows(&["apply", &plan, "--yes"]).error(4);
        assert!(error.contains("it was made for web-07") && error.contains("narrows plan"), "{error}");
    }
    assert!(!place.state().exists());
}

#[test]
fn a_plan_that_everybody_may_write_to_is_refused() {
    let place = Place::new();
    let plan = place.plan(&["a.conf"]);
    fs::set_permissions(&plan, fs::Permissions::from_mode(0o666)).unwrap();
    let error = place.narrows(&["apply", &plan, "--yes"]).error(4);
    assert!(error.contains("every user may write to it") && error.contains("chmod o-w"), "{error}");
}

#[test]
fn nobody_is_asked_where_nobody_is_and_somebody_is_where_somebody_is() {
    let place = Place::new();
    let plan = place.plan(&["a.conf"]);
    let error = place.narrows(&["apply", &plan]).error(2);
    assert!(error.contains("--yes"), "{error}");
    for (answer, code, changed) in [("n\n", 4, false), ("\n", 4, false), ("y\n", 0, true)] {
        let (shown, found) =
            run_in_terminal(&["apply", &plan, "--state-dir", place.state().to_str().unwrap()], answer);
        assert_eq!(found, code, "{shown}");
        assert!(shown.contains("Apply 1 change? [y/N]") && shown.contains("a.conf"), "{shown}");
        assert_eq!(place.text("a.conf").contains("tcp_bbr"), changed, "{shown}");
    }
}

#[test]
fn whoever_is_not_root_is_told_so() {
    let place = Place::new();
    let plan = place.plan(&["a.conf"]);
    for arguments in [&["apply", &plan, "--yes"][..], &["confirm"], &["undo"]] {
        let error = unprivileged(arguments).error(4);
        assert!(error.contains("you are not root") && error.contains("sudo"), "{error}");
    }
}

#[test]
fn a_plan_without_changes_changes_nothing_and_makes_no_journal() {
    let place = Place::new();
    let plan = place.plan_of(|plan| plan["changes"] = serde_json::json!([]));
    let text = place.narrows(&["apply", &plan, "--yes"]).text(0);
    assert!(text.starts_with("Nothing to change"), "{text}");
    let json = place.narrows(&["apply", &plan, "--yes", "--format", "json"]).json(0);
    assert_eq!(json["done"], "nothing");
    assert!(!place.state().exists());
}

#[test]
fn a_word_that_chooses_nothing_is_answered_with_those_that_do() {
    let place = Place::new();
    let plan = place.plan(&["a.conf"]);
    let error = place.narrows(&["apply", &plan, "--yes", "--only", "nonsense"]).error(4);
    assert!(error.contains("a.conf") && error.contains("sockets.loss-limits-cubic"), "{error}");
    place.narrows(&["apply", &plan, "--yes", "--only", "sockets"]).text(0);
    let tree = HostTree::built(&["001"]);
    let error = narrows(&["plan", target(&tree), "--only", "nonsense"]).error(4);
    assert!(error.contains("tcp_bbr") && error.contains("sockets.loss-limits-cubic"), "{error}");
    let one =
        narrows(&["plan", target(&tree), "--only", "sockets.loss-limits-cubic", "--format", "json"]).json(0);
    assert_eq!(one["changes"].as_array().unwrap().len(), 4, "{one:#}");
    let none = narrows(&["plan", target(&tree), "--only", "disk"]).text(0);
    assert!(none.contains("Nothing to change"), "{none}");
}

#[test]
fn looking_at_an_empty_journal_makes_none() {
    let place = Place::new();
    assert_eq!(place.narrows(&["history"]).text(0), "No transaction yet.\n");
    assert_eq!(place.narrows(&["undo"]).text(0), "Nothing to undo.\n");
    let error = place.narrows(&["confirm"]).error(4);
    assert!(error.contains("no transaction is on trial") && error.contains("narrows history"), "{error}");
    for arguments in [&["history", "7"][..], &["undo", "7"]] {
        assert!(place.narrows(arguments).error(4).contains("find transaction 7"));
    }
    Schemas::new().hold("history-1.json", &place.narrows(&["history", "--format", "json"]).json(0));
    assert!(!place.state().exists());
}

#[test]
fn a_reader_of_a_plan_that_goes_away_is_no_error() {
    let tree = HostTree::recorded("000-irq-pinned");
    let script = format!(
        "set -o pipefail; {} plan {} --format json | head -n 1",
        env!("CARGO_BIN_EXE_narrows"),
        target(&tree)
    );
    let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_manual_and_completions_know_the_commands_and_hide_what_is_hidden() {
    let texts =
        [narrows(&["man"]).text(0), narrows(&["completions", "bash"]).text(0), narrows(&["--help"]).text(0)];
    for text in texts {
        for command in ["plan", "apply", "confirm", "undo", "history"] {
            assert!(text.contains(command), "{command}");
        }
        for hidden in ["dead-man", "unless-confirmed", "unless\\-confirmed", "dead\\-man"] {
            assert!(!text.contains(hidden), "{hidden}");
        }
    }
}
