//! One MariaDB for all tests of this program, with a schema for each.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use database::{Address, Connection, Login};
use lab::faults::netns::Namespace;
use lab::services::{self, mariadb::MariaDb};

/// A schema of its own on a real server.
pub(crate) struct Shop {
    pub(crate) name: &'static str,
    pub(crate) login: Login,
    pub(crate) connection: Connection,
    _server: Arc<Server>,
}

const TABLES: &str = "
CREATE TABLE wp_posts (
  ID bigint(20) unsigned NOT NULL AUTO_INCREMENT, post_author bigint(20) unsigned NOT NULL DEFAULT 0,
  post_date datetime NOT NULL DEFAULT '0000-00-00 00:00:00', post_title text NOT NULL DEFAULT '',
  post_status varchar(20) NOT NULL DEFAULT 'publish', post_type varchar(20) NOT NULL DEFAULT 'post',
  PRIMARY KEY (ID), KEY type_status_date (post_type,post_status,post_date,ID)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
CREATE TABLE wp_postmeta (
  meta_id bigint(20) unsigned NOT NULL AUTO_INCREMENT, post_id bigint(20) unsigned NOT NULL DEFAULT 0,
  meta_key varchar(255) DEFAULT NULL, meta_value longtext DEFAULT NULL,
  PRIMARY KEY (meta_id), KEY post_id (post_id), KEY meta_key (meta_key(191))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci";

/// The server, for as long as any test uses it. A thread of its own holds it, since it ends with the thread that started it.
struct Server {
    socket: String,
    release: Option<Sender<()>>,
    holder: Option<JoinHandle<()>>,
}

impl Server {
    fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *running = Arc::downgrade(&server);
            server
        })
    }

    fn start() -> Self {
        let (tell, told) = channel();
        let (release, released) = channel::<()>();
        let holder = std::thread::spawn(move || {
            let folder = services::folder().unwrap();
            let namespace = Namespace::create().unwrap();
            let server = MariaDb::start(&namespace, folder.path(), "127.0.0.1").unwrap();
            tell.send(server.socket().display().to_string()).unwrap();
            // Ends when the other end is dropped.
            let _ = released.recv();
        });
        Self { socket: told.recv().expect("a server"), release: Some(release), holder: Some(holder) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.release.take());
        self.holder.take().map(JoinHandle::join);
    }
}

impl Shop {
    /// A schema with the tables of WordPress, empty.
    pub(crate) fn open(name: &'static str) -> Self {
        let server = Server::shared();
        let login = Login::new(Address::Socket(server.socket.clone()), "root");
        let mut connection = Connection::open(&login, std::time::Duration::from_secs(120)).unwrap();
        connection.execute(&format!("CREATE DATABASE {name}")).unwrap();
        connection.execute(&format!("USE {name}")).unwrap();
        let mut shop = Self { name, login, connection, _server: server };
        shop.run("SET SESSION sql_mode = ''");
        for table in TABLES.split(';') {
            shop.run(table);
        }
        shop
    }

    pub(crate) fn run(&mut self, statement: &str) -> u64 {
        self.connection.execute(statement).unwrap_or_else(|error| panic!("{error}\n{statement}"))
    }

    pub(crate) fn column(&mut self, query: &str) -> Vec<String> {
        let table = self.connection.query(query).unwrap_or_else(|error| panic!("{error}\n{query}"));
        table.rows.into_iter().map(|row| row.into_iter().flatten().next().unwrap_or_default()).collect()
    }

    pub(crate) fn value(&mut self, query: &str) -> String {
        self.column(query).into_iter().next().unwrap_or_default()
    }

    /// So many posts, every twentieth a draft, with four rows of `wp_postmeta` each.
    pub(crate) fn fill(&mut self, posts: u32) {
        self.run(&format!(
            "INSERT INTO wp_posts (ID, post_date, post_status, post_title) SELECT seq * 3, '2020-01-01' + INTERVAL seq MINUTE, \
             IF(seq % 20 = 0, 'draft', 'publish'), CONCAT('It''s \\\\ é ', seq) FROM seq_1_to_{posts}"
        ));
        self.run(
            "INSERT INTO wp_postmeta (post_id, meta_key, meta_value) SELECT ID, CONCAT('k', s.seq), MD5(ID + s.seq) \
             FROM wp_posts, seq_1_to_4 s",
        );
        self.run("ANALYZE TABLE wp_posts, wp_postmeta");
    }
}

/// Names of tables.
pub(crate) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
