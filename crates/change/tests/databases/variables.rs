//! Global variables.

use change::journal::Status;

use super::site::{Site, done, planned, put_back};

#[test]
fn a_variable_is_set_and_goes_back_to_what_it_was() {
    let site = Site::new();
    let plan = planned([site.variable("max_connections", "300"), site.variable("long_query_time", "0.5")]);
    assert_eq!(plan.changes[0].id, format!("@@global.max_connections of {}", site.server()));
    assert_eq!(plan.changes[0].operations[0].before, "text 151");
    done(site.apply(&plan));
    assert_eq!(
        (site.global("max_connections"), site.global("long_query_time")),
        ("300".into(), "0.500000".into())
    );
    assert!(site.undo().left.is_empty());
    assert_eq!(
        (site.global("max_connections"), site.global("long_query_time")),
        ("151".into(), "10.000000".into())
    );
}

#[test]
fn a_number_that_the_server_rounds_is_noted_and_undone_exactly() {
    let site = Site::new();
    let plan = planned([site.variable("innodb_buffer_pool_size", "25000000")]);
    let outcome = done(site.apply(&plan));
    let taken = site.global("innodb_buffer_pool_size");
    assert!(taken != "25000000" && taken != "16777216", "{taken}");
    assert!(
        outcome.notes.iter().any(|note| note.contains(&format!("made {taken} of 25000000"))),
        "{:?}",
        outcome.notes
    );
    assert_eq!(outcome.transaction.steps[0].wanted.shown(), taken);
    assert!(site.undo().left.is_empty());
    assert_eq!(site.global("innodb_buffer_pool_size"), "16777216");
}

#[test]
fn a_number_that_the_server_leaves_where_it_was_is_refused() {
    let site = Site::new();
    site.run("SET GLOBAL max_connections = 10");
    let (error, outcome) = put_back(site.apply(&planned([site.variable("max_connections", "5")])));
    assert!(error.to_string().contains("5 was written and 10 is there"), "{error}");
    assert_eq!((outcome.transaction.status, outcome.left.len()), (Status::Undone, 0));
    assert_eq!(site.global("max_connections"), "10");
}

#[test]
fn a_value_that_the_server_refuses_takes_all_others_back() {
    let site = Site::new();
    let plan = planned([site.variable("max_connections", "300"), site.variable("table_open_cache", "many")]);
    let (error, outcome) = put_back(site.apply(&plan));
    assert!(error.to_string().contains("error 1232"), "{error}");
    assert!(outcome.left.is_empty());
    assert_eq!(site.global("max_connections"), "151");
}

#[test]
fn a_variable_that_a_running_server_refuses_is_not_set_without_a_file() {
    let site = Site::new();
    let plan = planned([site.variable("thread_handling", "pool-of-threads")]);
    assert!(plan.changes.is_empty());
    assert!(plan.refused[0].because.contains("refuses to have thread_handling set"), "{:?}", plan.refused);
    let plan = planned([site.variable("no_such_variable", "1")]);
    assert!(plan.refused[0].because.contains("has no such variable"), "{:?}", plan.refused);
}

#[test]
fn what_somebody_set_since_is_left() {
    let site = Site::new();
    done(site.apply(&planned([site.variable("max_connections", "300")])));
    site.run("SET GLOBAL max_connections = 200");
    let outcome = site.undo();
    assert!(outcome.left[0].why.contains("somebody changed it since: 200"), "{:?}", outcome.left);
    assert_eq!(site.global("max_connections"), "200");
}

#[test]
fn a_plan_is_refused_once_the_variable_has_moved() {
    let site = Site::new();
    let plan = planned([site.variable("max_connections", "300")]);
    site.run("SET GLOBAL max_connections = 200");
    let error = site.apply(&plan).unwrap_err().to_string();
    assert!(error.contains("the plan was made from “text 151”"), "{error}");
}

#[test]
fn of_two_servers_each_has_its_own_value() {
    let (one, other) = (Site::new(), Site::new());
    other.run("SET GLOBAL max_connections = 77");
    let plan = planned([one.variable("max_connections", "300"), other.variable("max_connections", "400")]);
    assert_eq!(plan.changes.len(), 2);
    done(one.apply(&plan));
    assert_eq!(
        (one.global("max_connections"), other.global("max_connections")),
        ("300".into(), "400".into())
    );
    assert!(one.undo().left.is_empty());
    assert_eq!((one.global("max_connections"), other.global("max_connections")), ("151".into(), "77".into()));
}
