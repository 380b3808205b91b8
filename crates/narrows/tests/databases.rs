//! Debian's MariaDB: who gets in, what is read of it, and what a user without rights is told.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests fail by panic and write option files"
)]

use std::path::Path;
use std::time::Duration;

use database::{Address, Connection, DatabaseError, Logins, Sources};
use host::LiveHost;
use lab::faults::netns::Namespace;
use lab::services::mariadb::MariaDb;
use model::Layered;
use stack::mysql::{self, Asked, Server};

const DEADLINE: Duration = Duration::from_secs(5);

struct Site {
    _namespace: Namespace,
    folder: tempfile::TempDir,
    database: MariaDb,
}

impl Site {
    fn start() -> Self {
        let namespace = Namespace::create().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let database = MariaDb::start(&namespace, path, "127.0.0.1").unwrap();
        Self { folder, _namespace: namespace, database }
    }

    fn socket(&self) -> String {
        self.folder.path().join("data/mariadb.sock").display().to_string()
    }

    fn logins(&self, user: &str, password: &str) -> Logins {
        let file = self.folder.path().join(format!("{user}.cnf"));
        std::fs::write(&file, format!("[client]\nuser={user}\npassword={password}\n")).unwrap();
        Logins::read_from(&Sources { only: Some(file), extra: None, variable: &|_| None }).unwrap()
    }

    fn enter(&self, logins: &Logins) -> Result<Connection, DatabaseError> {
        Connection::open(&logins.for_server(&Address::parse(&self.socket())), DEADLINE)
    }

    /// What is read of this server, among those of the machine.
    fn read(&self, logins: Logins) -> Server {
        let facts = mysql::read(&LiveHost::new().with_logins(logins)).unwrap();
        facts.servers.into_iter().find(|server| server.address == self.socket()).unwrap()
    }

    fn asked(&self, logins: Logins) -> Asked {
        match self.read(logins).asked {
            Layered::Facts(asked) => *asked,
            Layered::Unread(unread) => panic!("{unread:?}"),
        }
    }
}

#[test]
fn who_has_the_password_gets_in_by_every_way_that_mariadb_knows() {
    let site = Site::start();
    site.database
        .run(
            "INSTALL SONAME 'auth_ed25519'; CREATE USER native@localhost IDENTIFIED BY 'hunter2'; CREATE USER ed@localhost \
             IDENTIFIED VIA ed25519 USING PASSWORD('hunter2');",
        )
        .unwrap();
    for user in ["native", "ed"] {
        let mut connection = site.enter(&site.logins(user, "hunter2")).unwrap();
        let who = connection.query("SELECT CURRENT_USER()").unwrap();
        assert_eq!(who.first(), Some(format!("{user}@localhost").as_str()));
        let refused = site.enter(&site.logins(user, "hunter3")).err().unwrap();
        assert_eq!(refused.code(), Some(1045));
        assert!(!refused.to_string().contains("hunter3"));
    }
    site.database.run("ALTER USER root@localhost IDENTIFIED VIA unix_socket").unwrap();
    assert!(site.enter(&Logins::default()).is_ok(), "root over the socket needs no password");
}

fn shop(site: &Site) {
    site.database
        .run(
            "CREATE DATABASE shop; USE shop; CREATE TABLE wp_options (option_id INT PRIMARY KEY AUTO_INCREMENT, option_name \
             VARCHAR(191), option_value LONGTEXT, autoload VARCHAR(20)); INSERT INTO wp_options VALUES (1, 'rules', \
             REPEAT('x', 5000), 'yes'), (2, 'rare', 'x', 'no'), (3, 'on', 'xy', 'on'); CREATE TABLE a_options (id INT); CREATE \
             TABLE m (a INT) ENGINE=MyISAM; INSERT INTO m VALUES (1); ANALYZE TABLE wp_options;",
        )
        .unwrap();
}

#[test]
fn root_sees_variables_connections_sizes_what_wordpress_loads_and_who_waits_for_whom() {
    let site = Site::start();
    shop(&site);
    let root = Logins::default();
    let mut holder = site.enter(&root).unwrap();
    holder.query("USE shop").unwrap();
    holder.query("BEGIN").unwrap();
    holder.query("UPDATE wp_options SET option_value = 'y' WHERE option_id = 2").unwrap();
    let mut waiter = site.enter(&root).unwrap();
    let waits = std::thread::spawn(move || {
        waiter.query("UPDATE shop.wp_options SET option_value = 'z' WHERE option_id = 2")
    });
    let asked = loop {
        let asked = site.asked(root.clone());
        if !asked.lock_waits.is_empty() {
            break asked;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(asked.lock_waits[0].table, "shop.wp_options");
    assert_eq!(asked.lock_waits[0].holder_sleeps, Some(true));
    assert!(asked.processlist.commands["Sleep"] >= 1 && asked.processlist.longest_sleep_s.is_some());
    holder.query("ROLLBACK").unwrap();
    waits.join().unwrap().unwrap();
    assert_eq!(asked.variables["innodb_buffer_pool_size"], "16777216");
    assert!(asked.tables.iter().any(|table| table.name == "shop.wp_options" && table.data_bytes > 0));
    assert!(asked.engines["InnoDB"] > 0 && asked.engines["MyISAM"] > 0, "{:?}", asked.engines);
    let [loaded] = asked.autoload.as_slice() else { panic!("{:?}", asked.autoload) };
    assert_eq!((loaded.table.as_str(), loaded.options, loaded.bytes), ("shop.wp_options", 2, 5002));
    assert_eq!(loaded.largest, [("rules".to_owned(), 5000), ("on".to_owned(), 2)]);
    assert!(asked.innodb.unwrap().history_list_length.is_some());
    assert_eq!(asked.unread, []);
}

/// The statements that an advice names.
fn grants(text: &str) -> Vec<String> {
    text.split("GRANT ")
        .skip(1)
        .map(|grant| format!("GRANT {}", grant.split(';').next().unwrap_or_default()))
        .collect()
}

#[test]
fn a_user_without_rights_is_told_the_grants_that_suffice() {
    let site = Site::start();
    site.database.run("CREATE USER watch@localhost IDENTIFIED BY 'w'").unwrap();
    let logins = || site.logins("watch", "w");
    let before = site.asked(logins());
    assert!(before.innodb.is_none() && before.unread.len() >= 3, "{:?}", before.unread);
    assert!(!before.variables.is_empty() && !before.status.is_empty());
    for unread in &before.unread {
        for grant in grants(&unread.how_to_enable) {
            if let Err(error) = site.database.run(&grant) {
                assert!(grant.contains("WordPress"), "{grant}: {error}");
            }
        }
    }
    let after = site.asked(logins());
    assert_eq!(after.unread, []);
    assert!(after.innodb.is_some());
    let Layered::Unread(closed) = site.read(site.logins("nobody", "n")).asked else {
        panic!("nobody got in")
    };
    let all = grants(&closed.how_to_enable)
        .iter()
        .map(|grant| {
            site.database
                .run(&format!("CREATE USER IF NOT EXISTS narrows@localhost IDENTIFIED BY 'n'; {grant}"))
        })
        .collect::<Result<Vec<_>, _>>();
    assert!(all.is_ok(), "{}: {all:?}", closed.how_to_enable);
    assert_eq!(site.asked(site.logins("narrows", "n")).unread, []);
}

#[test]
fn a_server_that_hangs_costs_its_deadline_and_says_so() {
    let site = Site::start();
    let server = site.read(Logins::default());
    let pid = rustix::process::Pid::from_raw(i32::try_from(server.process.unwrap().pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let hung = site.read(Logins::default());
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    let Layered::Unread(unread) = hung.asked else { panic!("it was stopped") };
    assert!(unread.why.contains("no answer within"), "{unread:?}");
    assert!(!hung.options.is_empty(), "its options need no answer");
    assert!(Path::new(&site.socket()).exists());
}

/// Recorded with `narrows record --tree` of a MariaDB 10.11 with 500 connections that sleep and 2,001 tables of InnoDB; what does not
/// concern it was taken out.
#[test]
fn a_recorded_server_is_read_as_the_live_one_was() {
    let packed = std::fs::read("tests/trees/mariadb-10.11-500-connections.tar.gz").unwrap();
    let folder = tempfile::tempdir().unwrap();
    tar::Archive::new(flate2::read::GzDecoder::new(packed.as_slice())).unpack(folder.path()).unwrap();
    let evidence = stack::reading::read_tree(&host::Tree::open(folder.path()).unwrap()).unwrap();
    let Layered::Facts(facts) = &evidence.services.mysql else { panic!("it was read") };
    let [server] = facts.servers.as_slice() else { panic!("one server") };
    let asked = server.asked.facts().unwrap();
    assert_eq!((asked.processlist.connections, asked.tables.len(), asked.unread.len()), (500, 200, 1));
    assert_eq!(asked.autoload[0].options, 1000);
    let stations = stack::diagnose(&evidence).stations;
    let busy =
        |id: &str| stations.iter().find(|station| station.id == id).and_then(|station| station.station.busy);
    assert_eq!((busy("mysql.connections"), busy("mysql.redo")), (Some(500.0), Some(16.0)));
}
