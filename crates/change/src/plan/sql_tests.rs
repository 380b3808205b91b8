use model::{Change, Edit, Severity};

use super::testing::*;
use super::*;
use crate::{Action, Phase, Target};

const SERVER: &str = "/run/mysqld/mysqld.sock";
const FILE: &str = "/etc/mysql/mariadb.conf.d/50-server.cnf";

fn host(files: &[(&str, &str)]) -> host::Tree {
    let variables = r#"{"columns":["Variable_name","Value"],
        "rows":[["max_connections","151"],["thread_handling","one-thread-per-connection"]]}"#;
    let base = [
        ("/.narrows/sql/run/mysqld/mysqld.sock/variables", variables),
        (FILE, "[mysqld]\nmax-connections = 151\n"),
    ];
    tree(&[&base, files].concat())
}

fn variable(name: &str, value: &str) -> Change {
    Change::sql_variable(SERVER, name, None, model::Derived::new(value, "f")).in_option_file(FILE, "mysqld")
}

fn ask(changes: Vec<Change>) -> model::report::Report {
    report(vec![asking("mysql.x", Severity::Latent, changes)])
}

#[test]
fn a_variable_is_set_in_the_server_now_and_in_its_file_for_good() {
    let plan = planned(&host(&[]), &ask(vec![variable("max_connections", "300")]));
    let [change] = plan.changes.as_slice() else { panic!("{:#?}", plan.refused) };
    assert_eq!(change.id, format!("@@global.max_connections of {SERVER}"));
    let phases: Vec<_> = change.operations.iter().map(|operation| operation.phase).collect();
    assert_eq!(
        (phases, change.operations[0].before.as_str()),
        (vec![Phase::Now, Phase::Lasting], "text 151")
    );
    assert!(change.reloads.is_empty());
    assert!(plan.files[0].difference.contains("+max-connections = 300"), "{}", plan.files[0].difference);
    let again = planned(
        &host(&[
            (FILE, "[mysqld]\nmax-connections = 300\n"),
            (
                "/.narrows/sql/run/mysqld/mysqld.sock/variables",
                r#"{"columns":["Variable_name","Value"],"rows":[["max_connections","300"]]}"#,
            ),
        ]),
        &ask(vec![variable("max_connections", "300")]),
    );
    assert!(again.changes.is_empty() && again.refused.is_empty(), "{again:#?}");
}

#[test]
fn a_variable_that_a_running_server_refuses_goes_into_the_file_and_a_restart_is_named() {
    let change = variable("thread_handling", "pool-of-threads").only_after_restart("mariadb.service");
    let plan = planned(&host(&[]), &ask(vec![change]));
    let [change] = plan.changes.as_slice() else { panic!("{:#?}", plan.refused) };
    let [operation] = change.operations.as_slice() else { panic!("{change:#?}") };
    assert!(matches!(operation.target, Target::File(_)) && operation.phase == Phase::Now);
    assert!(change.reloads.iter().all(Activation::is_disruptive) && !change.reloads.is_empty());
    assert!(change.change.restart.contains("restart mariadb.service"));
}

#[test]
fn what_set_persist_has_set_is_left_to_it() {
    for text in [
        r#"{"Version":1,"mysql_server":{"max_connections":{"Value":"200","Metadata":{}}}}"#,
        r#"{"Version":2,"mysql_dynamic_parse_early_variables":{"max_connections":{"Value":"200"}}}"#,
    ] {
        let tree = host(&[("/var/lib/mysql/mysqld-auto.cnf", text)]);
        let plan = planned(&tree, &ask(vec![variable("max_connections", "300")]));
        assert_eq!(plan.refused[0].owner.as_deref(), Some("/var/lib/mysql/mysqld-auto.cnf"), "{plan:#?}");
        assert!(plan.refused[0].instead.contains("RESET PERSIST max_connections"));
    }
    let other = host(&[("/var/lib/mysql/mysqld-auto.cnf", r#"{"mysql_server":{"other":{"Value":"1"}}}"#)]);
    assert_eq!(planned(&other, &ask(vec![variable("max_connections", "300")])).changes.len(), 1);
}

#[test]
fn a_file_that_no_program_checks_or_that_another_writes_is_refused() {
    let elsewhere = variable("max_connections", "300").in_option_file("/srv/db/my.cnf", "mysqld");
    let plan = planned(&host(&[("/srv/db/my.cnf", "[mysqld]\n")]), &ask(vec![elsewhere]));
    assert!(plan.refused[0].because.contains("does not know how /srv/db/my.cnf is checked"));
    let managed = host(&[(FILE, "# Ansible managed\n[mysqld]\n")]);
    let plan = planned(&managed, &ask(vec![variable("max_connections", "300")]));
    assert_eq!(plan.refused[0].owner.as_deref(), Some("/etc/mysql/mariadb.conf.d/50-server.cnf:1"));
}

#[test]
fn of_two_wishes_for_one_variable_the_larger_serves_both() {
    let mut more = variable("max_connections", "400").in_option_file("/etc/mysql/my.cnf", "mysqld");
    more.current = Some("151".to_owned());
    let causes = vec![
        asking(
            "mysql.x",
            Severity::Latent,
            vec![Change { current: more.current.clone(), ..variable("max_connections", "300") }],
        ),
        asking("mysql.y", Severity::Latent, vec![more]),
    ];
    let plan = planned(&host(&[]), &report(causes));
    let values: Vec<_> = plan.changes.iter().map(|change| change.change.target.value.as_str()).collect();
    assert_eq!(values, ["400"], "{plan:#?}");
}

#[test]
fn a_statement_of_a_recorded_host_needs_the_recorded_answer_of_its_probe() {
    let probe = "SELECT 1";
    let change =
        Change::sql_statement(SERVER, "ALTER TABLE t ADD INDEX i (k)", "ALTER TABLE t DROP INDEX i", probe);
    let plan = planned(&host(&[]), &ask(vec![change.clone()]));
    assert!(plan.refused[0].instead.contains("plan on the host itself"), "{plan:#?}");
    let name = format!("/.narrows/sql{SERVER}/probe-{:.16}", crate::state::sha256(probe.as_bytes()));
    let plan = |answer: &str| {
        let answer = format!(r#"{{"columns":["a"],"rows":[["{answer}"]]}}"#);
        planned(&host(&[(name.as_str(), answer.as_str())]), &ask(vec![change.clone()]))
    };
    let [todo, done] = [plan("0"), plan("1")];
    assert_eq!(todo.changes[0].operations[0].action, Action::Run);
    assert!(done.changes.is_empty() && done.refused.is_empty());
    assert!(plan("7").refused[0].because.contains("neither 0 nor 1"));
}

#[test]
fn a_plan_of_a_person_may_not_hold_what_narrows_never_does() {
    let plan = planned(&host(&[]), &ask(vec![variable("init_connect", "x")]));
    assert!(plan.refused[0].because.contains("does not set init_connect"), "{plan:#?}");
    let drop = Change::sql_statement(SERVER, "DROP TABLE t", "CREATE TABLE t (a INT)", "SELECT 0");
    let plan = planned(&host(&[]), &ask(vec![drop]));
    assert!(plan.changes.is_empty());
}

#[test]
fn an_option_file_is_edited_by_the_grammar_of_option_files() {
    let plan = planned(&host(&[]), &ask(vec![variable("max_connections", "300")]));
    let edits = edits_of(&plan, FILE);
    let [Edit::OptionFile { group, option, value }] = edits.as_slice() else { panic!("{edits:?}") };
    assert_eq!(
        (group.as_str(), option.as_str(), value.as_deref()),
        ("mysqld", "max_connections", Some("300"))
    );
}
