//! Locks that others hold, servers that go.

use std::process::{Child, Command, Stdio};
use std::thread;

use change::journal::Status;
use lab::faults::wait::wait_until;
use model::Change;

use super::site::{Site, done, planned, put_back};

/// A client that does something and waits.
struct Client(Child);

impl Client {
    fn sends(site: &Site, statements: &str) -> Self {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "--user=root", "--unbuffered", "--socket", &site.server()]);
        let client = command.arg("--execute").arg(statements).stdin(Stdio::null()).spawn().unwrap();
        Self(client)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn running(site: &Site, statement: &str) -> bool {
    let listed = site.run("SELECT INFO FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()");
    listed.contains(statement)
}

#[test]
fn a_table_that_a_transaction_holds_is_left_alone_and_its_holder_is_named() {
    let site = Site::new();
    let _holder =
        Client::sends(&site, "START TRANSACTION; UPDATE shop.meta SET v = 1 WHERE id = 1; DO SLEEP(1000)");
    wait_until("the transaction", || Ok(running(&site, "SLEEP(1000)"))).unwrap();
    let (error, outcome) =
        put_back(site.apply(&planned([site.variable("max_connections", "300"), site.index()])));
    assert!(error.why.contains("waited 3 times for a lock"), "{error}");
    assert!(error.why.contains("of root@localhost, which runs, in a transaction for"), "{error}");
    assert_eq!((outcome.transaction.status, outcome.left.len()), (Status::Undone, 0));
    assert_eq!((site.global("max_connections"), site.has_index()), ("151".to_owned(), false));
}

/// A statement that takes until it is killed, after an index that is added at once.
fn endless(site: &Site) -> Change {
    Change::sql_statement(
        &site.server(),
        "UPDATE shop.meta SET copied = SLEEP(1000) WHERE id = 1",
        "UPDATE shop.meta SET copied = NULL WHERE id = 1",
        "SELECT COUNT(copied) FROM shop.meta WHERE id = 1",
    )
}

#[test]
fn a_connection_that_is_killed_in_the_middle_takes_all_back() {
    let site = Site::new();
    let plan = planned([site.index(), endless(&site)]);
    let (error, outcome) = thread::scope(|scope| {
        let applied = scope.spawn(|| put_back(site.apply(&plan)));
        wait_until("the statement", || Ok(running(&site, "SLEEP(1000)"))).unwrap();
        assert!(site.has_index());
        let id = "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'UPDATE%SLEEP%'";
        site.run(&format!("KILL {}", site.run(id)));
        applied.join().unwrap()
    });
    assert!(error.to_string().contains("did not answer"), "{error}");
    assert!(outcome.left.is_empty(), "{:?}", outcome.left);
    assert!(!site.has_index());
}

#[test]
fn a_server_that_goes_in_the_middle_is_put_back_once_it_has_come_again() {
    let mut site = Site::new();
    let plan = planned([site.index(), endless(&site)]);
    let database = site.database.take().unwrap();
    let (_, outcome) = thread::scope(|scope| {
        let applied = scope.spawn(|| put_back(site.apply(&plan)));
        let listed = "SELECT INFO FROM information_schema.PROCESSLIST WHERE INFO LIKE 'UPDATE%SLEEP%'";
        wait_until("the statement", || Ok(!database.run(listed)?.trim().is_empty())).unwrap();
        drop(database);
        applied.join().unwrap()
    });
    assert_eq!(outcome.transaction.status, Status::Undoing);
    assert!(
        outcome.left.iter().all(|left| left.unreachable) && !outcome.left.is_empty(),
        "{:?}",
        outcome.left
    );
    site.start_again();
    assert!(site.has_index());
    assert!(site.undo().left.is_empty());
    assert!(!site.has_index());
}

#[test]
fn a_variable_of_a_server_that_was_started_anew_is_right_already() {
    let mut site = Site::new();
    done(site.apply(&planned([site.variable("max_connections", "300")])));
    drop(site.database.take());
    assert!(site.undo().left[0].unreachable);
    site.start_again();
    assert!(site.undo().left.is_empty());
    assert_eq!(site.global("max_connections"), "151");
}
