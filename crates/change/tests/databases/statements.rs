//! Statements with their way back.

use model::Change;

use super::site::{Site, done, planned};

const COPIED: &str =
    "SELECT COUNT(*) = 0 FROM shop.meta m LEFT JOIN shop.typed t ON t.id = m.id WHERE t.id IS NULL";

/// A table of its own, filled in chunks: the rows go with the table.
pub(crate) fn typed(site: &Site) -> [Change; 2] {
    let table = Change::sql_statement(
        &site.server(),
        "CREATE TABLE shop.typed (id INT PRIMARY KEY, v INT)",
        "DROP TABLE IF EXISTS shop.typed",
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'typed'",
    );
    let copy = "INSERT INTO shop.typed SELECT m.id, m.v FROM shop.meta m LEFT JOIN shop.typed t ON t.id = m.id \
                WHERE t.id IS NULL LIMIT 300";
    [table, Change::sql_statement(&site.server(), copy, "", COPIED).until_no_rows()]
}

#[test]
fn an_index_is_added_and_dropped_again() {
    let site = Site::new();
    let plan = planned([site.index()]);
    assert_eq!(plan.changes[0].operations[0].before, "text 0");
    assert!(plan.hash.starts_with("sha256:"));
    done(site.apply(&plan));
    assert!(site.has_index());
    assert!(planned([site.index()]).changes.is_empty(), "it holds already");
    assert!(site.undo().left.is_empty());
    assert!(!site.has_index());
}

#[test]
fn a_table_is_filled_in_chunks_and_goes_with_its_rows() {
    let site = Site::new();
    let plan = planned(typed(&site));
    assert_eq!(plan.changes.len(), 2, "the probe of the second looks at a table that is not there yet");
    done(site.apply(&plan));
    assert_eq!(site.run("SELECT COUNT(*), SUM(v) FROM shop.typed"), "1000\t500500");
    let outcome = site.undo();
    assert!(outcome.left.is_empty(), "{:?}", outcome.left);
    assert_eq!(site.run("SHOW TABLES IN shop"), "meta");
}

#[test]
fn rows_that_were_changed_in_chunks_go_back_in_chunks() {
    let site = Site::new();
    let probe = "SELECT COUNT(*) = 0 FROM shop.meta WHERE copied IS NULL";
    let change = Change::sql_statement(
        &site.server(),
        "UPDATE shop.meta SET copied = 1 WHERE copied IS NULL LIMIT 300",
        "UPDATE shop.meta SET copied = NULL WHERE copied IS NOT NULL LIMIT 300",
        probe,
    );
    done(site.apply(&planned([change.until_no_rows()])));
    assert_eq!(site.run(probe), "1");
    assert!(site.undo().left.is_empty());
    assert_eq!(site.run("SELECT COUNT(copied) FROM shop.meta"), "0");
}

#[test]
fn a_statement_that_nothing_undoes_is_refused() {
    let site = Site::new();
    let [_, copy] = typed(&site);
    let plan = planned([copy]);
    assert!(plan.refused[0].because.contains("no statement undoes it"), "{:?}", plan.refused);
}

#[test]
fn a_statement_without_a_probe_is_for_a_person() {
    let site = Site::new();
    let plan = planned([Change::sql_statement(&site.server(), "ANALYZE TABLE shop.meta", "", "")]);
    assert_eq!((plan.changes.len(), plan.by_hand.len()), (0, 1));
}

#[test]
fn scripts_do_the_same_and_hold_no_password() {
    let site = Site::new();
    let plan =
        planned([site.variable("max_connections", "300"), site.index()].into_iter().chain(typed(&site)));
    let script = change::export::shell(&plan);
    assert!(script.contains("--execute='SET GLOBAL max_connections = 300'"), "{script}");
    let run = |script: &str| {
        let output = std::process::Command::new("sh").args(["-c", script]).output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    for _ in 0..2 {
        run(&script);
        assert_eq!((site.global("max_connections"), site.has_index()), ("300".to_owned(), true));
        assert_eq!(site.run("SELECT COUNT(*) FROM shop.typed"), "1000");
    }
    site.run(
        "SET GLOBAL max_connections = 151; ALTER TABLE shop.meta DROP INDEX narrows_k; DROP TABLE shop.typed",
    );
    let outcome = done(site.apply(&plan));
    run(&format!("sh {}/undo.sh", outcome.folder));
    assert_eq!((site.global("max_connections"), site.has_index()), ("151".to_owned(), false));
    assert_eq!(site.run("SHOW TABLES IN shop"), "meta");
    assert!(site.undo().left.is_empty());
    let playbook = change::export::ansible(&plan);
    assert!(playbook.contains("community.mysql.mysql_variables") && playbook.contains("login_unix_socket"));
    assert!(change::export::diff(&plan).contains("+ @@global.max_connections"));
}
