use model::Severity;

use super::super::testing::*;
use super::super::{Plan, SCHEMA};

fn somaxconn() -> model::report::CauseReport {
    asking("sockets.accept-queue-overflow", Severity::Breaking, vec![sysctl(SOMAXCONN, "128", "4096")])
}

#[test]
fn a_plan_read_back_is_the_plan_and_a_changed_one_is_told() {
    let plan = planned(&tree(&[]), &report(vec![somaxconn()]));
    let json = serde_json::to_string_pretty(&plan).unwrap();
    assert_eq!(Plan::from_json(json.as_bytes()).unwrap(), plan);
    let changed = json.replace("\"value\": \"4096\"", "\"value\": \"8192\"");
    assert!(Plan::from_json(changed.as_bytes()).unwrap_err().to_string().contains("it was changed"));
    let torn = json.get(..json.len() / 2).unwrap();
    let error = Plan::from_json(torn.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("line ") && error.contains("column "), "{error}");
    let future = json.replace(SCHEMA, "narrows.plan/9");
    assert!(Plan::from_json(future.as_bytes()).unwrap_err().to_string().contains("narrows.plan/9"));
}

#[test]
fn the_hash_holds_what_is_written_and_not_what_was_measured() {
    let plan = planned(&tree(&[]), &report(vec![somaxconn()]));
    let mut measured = somaxconn();
    measured.summary = "other numbers".to_owned();
    assert_eq!(planned(&tree(&[]), &report(vec![measured])).hash, plan.hash);
    let moved = tree(&[("/proc/sys/net/core/somaxconn", "256\n")]);
    let moved = planned(&moved, &report(vec![somaxconn()]));
    assert_ne!(moved.hash, plan.hash);
    assert!(plan.hash.starts_with("sha256:") && plan.hash.len() == 71);
}
