//! Changes of ProxySQL, on a stand-in for its administration: no ProxySQL was there.

use std::time::Duration;

use change::kinds::Databases;
use change::plan::{AskedFor, PlanOptions, of_remedies};
use change::transaction::{Applied, ApplyOptions, Undo, UndoOptions, apply, undo};
use host::LiveHost;
use lab::faults::netns::Namespace;
use lab::services::proxysql::StandIn;
use model::{Change, Remedy, Severity};

const SERVER: &str = "127.0.0.1:6032";
const UP: &str = "UPDATE mysql_servers SET max_connections = 133 WHERE hostgroup_id = 10 AND hostname = 'db' AND port = 3306; \
    LOAD MYSQL SERVERS TO RUNTIME; SAVE MYSQL SERVERS TO DISK";
const DOWN: &str = "UPDATE mysql_servers SET max_connections = 400 WHERE hostgroup_id = 10 AND hostname = 'db' AND port = 3306; \
    LOAD MYSQL SERVERS TO RUNTIME; SAVE MYSQL SERVERS TO DISK";
const PROBE: &str = "SELECT (SELECT COUNT(*) FROM main.mysql_servers WHERE max_connections = 133) + \
    (SELECT COUNT(*) FROM main.runtime_mysql_servers WHERE max_connections = 133) + \
    (SELECT COUNT(*) FROM disk.mysql_servers WHERE max_connections = 133) = 3";
const LAYERS: &str = "SELECT (SELECT max_connections FROM main.mysql_servers) || ' ' || \
    (SELECT max_connections FROM main.runtime_mysql_servers) || ' ' || (SELECT max_connections FROM disk.mysql_servers)";
const FILLED: &str = "INSERT INTO main.mysql_servers VALUES (10, 'db', 3306, 'ONLINE', 400);
    INSERT INTO main.runtime_mysql_servers SELECT * FROM main.mysql_servers;
    INSERT INTO disk.mysql_servers SELECT * FROM main.mysql_servers;";

#[test]
fn a_ceiling_is_changed_in_all_three_layers_and_goes_back_from_each_point() {
    let namespace = Namespace::create().unwrap();
    let stand_in = StandIn::start(&namespace, 6032).unwrap();
    stand_in.run(FILLED).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.cnf");
    std::fs::write(&file, "[client]\nuser=nobody\n[proxysql-admin]\nuser=radmin\npassword=hunter2\n")
        .unwrap();
    let asked = AskedFor {
        id: "proxysql.backends-above-server".to_owned(),
        severity: Severity::Latent,
        why: "a test asks for it".to_owned(),
        evidence: vec![],
        remedy: Remedy::new("Fewer", "none").change(Change::sql_statement(SERVER, UP, DOWN, PROBE)),
    };
    let databases = Databases { defaults_file: Some(file.display().to_string()), ..Databases::default() };
    let options = PlanOptions { databases, ..PlanOptions::default() };
    let state_directory = folder.path().join("state");
    let apply_options = || ApplyOptions {
        state_directory: state_directory.clone(),
        only: vec![],
        trial: None,
        restart: false,
    };
    let undone = || {
        let options = UndoOptions {
            state_directory: state_directory.clone(),
            id: None,
            force: false,
            unless_confirmed: false,
            patience: Duration::ZERO,
            why: None,
        };
        match undo(&options) {
            Ok(Undo::Done(outcome)) => assert!(outcome.left.is_empty(), "{:?}", outcome.left),
            other => panic!("{other:?}"),
        }
    };
    namespace
        .run(|| {
            let plan = of_remedies(&LiveHost::new(), std::slice::from_ref(&asked), &options).unwrap();
            assert_eq!(plan.changes[0].operations[0].before, "text 0", "{:?}", plan.refused);
            assert!(!serde_json::to_string(&plan).unwrap().contains("hunter2"));
            assert!(matches!(apply(&plan, &apply_options()).unwrap(), Applied::Done(_)));
            assert_eq!(stand_in.value(LAYERS)?, "133 133 133");
            undone();
            assert_eq!(stand_in.value(LAYERS)?, "400 400 400");
            // Where it was cut short after the first statement, the probe says that it is not done.
            assert!(matches!(apply(&plan, &apply_options()).unwrap(), Applied::Done(_)));
            stand_in.run(
                "UPDATE main.runtime_mysql_servers SET max_connections = 400; UPDATE disk.mysql_servers SET max_connections = 400",
            )?;
            undone();
            assert_eq!(stand_in.value(LAYERS)?, "400 400 400");
            Ok(())
        })
        .unwrap();
}
