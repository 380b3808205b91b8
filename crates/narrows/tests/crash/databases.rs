//! Databases: what is sent to a server is a change like any other, and a server goes on with what it was sent.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use change::kinds::{Access, File, SqlStatement, SqlVariable};
use change::{Action, Target};
use model::Edit;
use tempfile::TempDir;

use super::kills::{Scenario, Trial, kill_everywhere, succeed};
use super::plans::Wish;
use super::scenarios::together;
use super::snapshot::Watch;
use super::tracer::Interference;
use super::world::World;
use crate::faults::wait::wait_until;
use crate::faults::{Attempt, FaultError, MariaDb, Namespace, Result, folder};

const META: &str = "CREATE DATABASE shop; CREATE TABLE shop.meta (id INT PRIMARY KEY, k INT, copied INT) \
    ENGINE=InnoDB; INSERT INTO shop.meta (id, k) SELECT seq, seq MOD 7 FROM shop.seq_1_to_100";
const SHOWN: &str = "SHOW CREATE TABLE shop.meta";
const ROWS: &str = "SELECT k, copied, COUNT(*) FROM shop.meta GROUP BY k, copied";
const TABLES: &str = "SHOW TABLES IN shop";

/// A server with a table, outside of all worlds.
struct Database {
    server: MariaDb,
    folder: TempDir,
    namespace: Namespace,
}

impl Database {
    /// The server on the same data, started anew once `meanwhile` is done without it.
    fn started_anew(self, meanwhile: impl FnOnce() -> Result<()>) -> Result<Self> {
        let Self { server, folder, namespace } = self;
        drop(server);
        meanwhile()?;
        let server = MariaDb::start(&namespace, folder.path(), "127.0.0.1")?;
        Ok(Self { server, folder, namespace })
    }
}

fn database() -> Result<Database> {
    let (namespace, folder) = (Namespace::create()?, folder()?);
    let server = MariaDb::start(&namespace, folder.path(), "127.0.0.1")?;
    server.run(META)?;
    Ok(Database { server, folder, namespace })
}

fn scenario(database: &Database, target: Target, action: Action, watched: &[&'static str]) -> Scenario {
    let watch = |question: &&'static str| Watch::Answer(database.server.socket().to_owned(), question);
    Scenario {
        wishes: vec![Wish::new(target, action)],
        watched: watched.iter().map(watch).collect(),
        ..Scenario::default()
    }
}

fn variable(database: &Database, name: &str, value: &str, watched: &'static str) -> Scenario {
    let target = SqlVariable {
        server: database.server.socket().display().to_string(),
        name: name.to_owned(),
        access: Access::default(),
    };
    scenario(database, Target::SqlVariable(target), Action::Set { value: value.to_owned() }, &[watched])
}

fn statement(
    database: &Database,
    [up, down, probe]: [&str; 3],
    until_no_rows: bool,
    watched: &[&'static str],
) -> Scenario {
    let [up, down, probe] = [up, down, probe].map(str::to_owned);
    let server = database.server.socket().display().to_string();
    let target = SqlStatement { server, up, down, probe, until_no_rows, access: Access::default() };
    scenario(database, Target::SqlStatement(target), Action::Run, watched)
}

const INDEX: [&str; 3] = [
    "ALTER TABLE shop.meta ADD INDEX narrows_k (k)",
    "ALTER TABLE shop.meta DROP INDEX narrows_k",
    "SELECT COUNT(*) > 0 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'shop' AND INDEX_NAME = 'narrows_k'",
];
const TYPED: [&str; 3] = [
    "CREATE TABLE shop.typed (id INT PRIMARY KEY, k INT)",
    "DROP TABLE IF EXISTS shop.typed",
    "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'typed'",
];
const COPY: [&str; 3] = [
    "INSERT INTO shop.typed SELECT m.id, m.k FROM shop.meta m LEFT JOIN shop.typed t ON t.id = m.id \
     WHERE t.id IS NULL LIMIT 50",
    "",
    "SELECT COUNT(*) = 0 FROM shop.meta m LEFT JOIN shop.typed t ON t.id = m.id WHERE t.id IS NULL",
];
const MARK: [&str; 3] = [
    "UPDATE shop.meta SET copied = 1 WHERE copied IS NULL LIMIT 50",
    "UPDATE shop.meta SET copied = NULL WHERE copied IS NOT NULL",
    "SELECT COUNT(*) = 0 FROM shop.meta WHERE copied IS NULL",
];

/// The option file of a server, as an administrator wrote it.
fn option_file(world: &World) -> Result<Scenario> {
    let path = "/etc/mysql/mariadb.conf.d/50-server.cnf";
    let place = world.etc().join("mysql/mariadb.conf.d");
    std::fs::create_dir_all(&place).attempt(|| "make /etc/mysql".into())?;
    let write = |path: PathBuf, text: &str| {
        std::fs::write(&path, text).attempt(|| format!("write {}", path.display()))
    };
    write(world.etc().join("mysql/my.cnf"), "!includedir /etc/mysql/mariadb.conf.d/\n")?;
    write(place.join("50-server.cnf"), "# ours\n[mysqld]\nmax-connections = 151 # as ever\n")?;
    let edit = Edit::OptionFile {
        group: "mysqld".to_owned(),
        option: "max_connections".to_owned(),
        value: Some("300".to_owned()),
    };
    let target = Target::File(File { path: path.to_owned() });
    let wish = Wish::new(target, Action::Edit { edits: vec![edit] }).lasting();
    Ok(Scenario { wishes: vec![wish], ..Scenario::default() })
}

#[test]
fn a_variable_and_its_option_file_survive_every_kill() -> Result<()> {
    let database = database()?;
    let watched = "SHOW GLOBAL VARIABLES LIKE 'max_connections'";
    kill_everywhere("sql variable, with file", |world| {
        Ok(together([variable(&database, "max_connections", "300", watched), option_file(world)?]))
    })
}

#[test]
fn a_variable_that_the_server_rounds_survives_every_kill() -> Result<()> {
    let database = database()?;
    let watched = "SHOW GLOBAL VARIABLES LIKE 'innodb_buffer_pool_size'";
    kill_everywhere("sql variable, rounded", |_| {
        Ok(variable(&database, "innodb_buffer_pool_size", "25000000", watched))
    })
}

#[test]
fn an_index_survives_every_kill() -> Result<()> {
    let database = database()?;
    kill_everywhere("sql statement, index", |_| Ok(statement(&database, INDEX, false, &[SHOWN, ROWS])))
}

#[test]
fn a_table_filled_in_chunks_survives_every_kill() -> Result<()> {
    let database = database()?;
    kill_everywhere("sql statement, backfill", |_| {
        let table = statement(&database, TYPED, false, &[TABLES]);
        // The rows are seen by no question of their own: they come and go with the table.
        Ok(together([table, statement(&database, COPY, true, &[ROWS_OF_TYPED])]))
    })
}

/// How many rows the new table has; 0 too where there is none.
const ROWS_OF_TYPED: &str = "SELECT COALESCE(SUM(TABLE_NAME = 'typed'), 0) FROM information_schema.TABLES \
    WHERE TABLE_SCHEMA = 'shop'";

#[test]
fn rows_marked_in_chunks_survive_every_kill() -> Result<()> {
    let database = database()?;
    kill_everywhere("sql statement, rows", |_| Ok(statement(&database, MARK, true, &[ROWS])))
}

/// A client that sends something and waits.
struct Client(Child);

impl Client {
    fn sends(socket: &Path, statements: &str) -> Result<Self> {
        let mut command = Command::new("mariadb");
        command.args(["--no-defaults", "--user=root", "--unbuffered", "--socket"]).arg(socket);
        command.arg("--execute").arg(statements).stdin(Stdio::null());
        command.spawn().map(Self).attempt(|| "start mariadb".into())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_running(database: &Database, statement: &str) -> Result<bool> {
    let listed = "SELECT INFO FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID()";
    Ok(database.server.run(listed)?.contains(statement))
}

/// Narrows is killed while the server waits to begin what it was sent. The server goes on without it, and must not be done
/// with it after the undo.
#[test]
fn a_statement_that_goes_on_without_narrows_is_ended_by_the_undo() -> Result<()> {
    let database = database()?;
    let trial = Trial::prepare(|_| Ok(statement(&database, INDEX, false, &[SHOWN, ROWS])))?;
    let state = trial.state();
    let holder = Client::sends(
        database.server.socket(),
        "START TRANSACTION; UPDATE shop.meta SET k = k WHERE id = 1; DO SLEEP(1000)",
    )?;
    wait_until("the transaction", || is_running(&database, "SLEEP(1000)"))?;
    let mut command = trial.world.command()?;
    command.args(["apply", &trial.plan, "--yes", "--state-dir"]).arg(&state);
    let mut narrows = command.stdout(Stdio::null()).spawn().attempt(|| "start narrows".into())?;
    wait_until("the statement that waits", || is_running(&database, INDEX[0]))?;
    narrows.kill().and_then(|()| narrows.wait()).attempt(|| "kill narrows".into())?;
    if !is_running(&database, INDEX[0])? {
        return Err(FaultError::new("the server gave up what it was sent"));
    }
    let undone = trial.undo(&state, Interference::None)?;
    succeed("undo", &undone)?;
    assert!(!is_running(&database, INDEX[0])?);
    drop(holder);
    assert_eq!(trial.losses(&state)?, [""; 0]);
    Ok(())
}

/// The dead man finds the server again, though it was not there at his hour.
#[test]
fn a_trial_ends_by_itself_also_where_the_server_was_away() -> Result<()> {
    let mut database = database()?;
    let watched = "SHOW GLOBAL VARIABLES LIKE 'max_connections'";
    let trial = Trial::prepare(|_| {
        let variable = variable(&database, "max_connections", "300", watched);
        Ok(together([variable, statement(&database, INDEX, false, &[SHOWN, ROWS])]))
    })?;
    let state = trial.state();
    trial.on_trial(&state, "1s", Interference::None)?;
    assert_eq!(trial.original.differences(&trial.now()?).len(), 2);
    trial.comes_back()?;
    assert_eq!(trial.losses(&state)?, [""; 0]);
    let state = trial.state();
    trial.on_trial(&state, "1s", Interference::None)?;
    let half_undone = || {
        wait_until("an undo that finds no server", || {
            let history = trial.world.narrows(&["history"], &state, Interference::None)?;
            Ok(history.said.contains("half undone"))
        })
    };
    database = database.started_anew(half_undone)?;
    assert_eq!(database.server.run("SELECT @@GLOBAL.max_connections")?.trim(), "151");
    trial.comes_back()?;
    assert_eq!(trial.losses(&state)?, [""; 0]);
    Ok(())
}
