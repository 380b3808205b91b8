use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tempfile::TempDir;

use super::visitors::{self, Seen};
use crate::faults::netns::Namespace;
use crate::faults::{FaultError, Result, kernel};
use crate::services;
use crate::services::mariadb::MariaDb;
use crate::services::nginx::Nginx;
use crate::services::php_fpm::PhpFpm;

/// The local ports of the web host: 500, so that they run out in seconds, and so that a few seconds use each of them again.
const PORTS: &str = "40000 40499";
/// The web host's address towards the database (TEST-NET-1, RFC 5737).
const WEB: &str = "192.0.2.1";
/// The web host's address towards its visitors (TEST-NET-2).
pub const SITE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), 80);
const TABLES: &str = "CREATE DATABASE shop;
CREATE TABLE shop.article (id INT PRIMARY KEY, title VARCHAR(80), price DECIMAL(6,2));
INSERT INTO shop.article VALUES (1, 'Green tea', 4.20), (2, 'Black tea', 3.90), (3, 'Teapot', 29.00);
CREATE USER shop@'%' IDENTIFIED BY 'tea';
GRANT SELECT ON shop.* TO shop@'%';
";

/// Where the database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// On a host of its own.
    Apart,
    /// On the web host, at its loopback address.
    Beside,
}

impl Database {
    /// Its address.
    pub fn address(self) -> &'static str {
        match self {
            Self::Apart => "192.0.2.2",
            Self::Beside => "127.0.0.1",
        }
    }

    /// The page: as most PHP applications do, it connects to its database once for every request.
    fn page(self) -> String {
        format!(
            "<?php\n$shop = new mysqli('{}', 'shop', 'tea', 'shop');\n\
             foreach ($shop->query('SELECT title, price FROM article') as $article) {{\n    \
             printf(\"%s %.2f\\n\", $article['title'], $article['price']);\n}}\n",
            self.address()
        )
    }
}

/// The shop. Its parts end in this order.
pub struct Shop {
    _nginx: Nginx,
    fpm: PhpFpm,
    _database: MariaDb,
    /// The web host.
    pub web: Namespace,
    _db: Namespace,
    visitors: Namespace,
    _folder: TempDir,
}

impl Shop {
    /// Opens it.
    pub fn open(at: Database) -> Result<Self> {
        let folder = services::folder()?;
        let (web, db, visitors) = (Namespace::create()?, Namespace::create()?, Namespace::create()?);
        join(&web, "db0", &format!("{WEB}/30"), &db, "192.0.2.2/30")?;
        join(&web, "eth0", "198.51.100.1/24", &visitors, "198.51.100.2/24")?;
        web.set("net/ipv4/ip_local_port_range", PORTS)?;
        let home = if at == Database::Apart { &db } else { &web };
        let database = MariaDb::start(home, folder.path(), at.address())?;
        database.run(TABLES)?;
        PhpFpm::page(folder.path(), &at.page())?;
        let fpm = PhpFpm::start(&web, folder.path(), 8)?;
        let nginx = Nginx::start(&web, folder.path(), &PhpFpm::server(folder.path()))?;
        Ok(Self { _nginx: nginx, fpm, _database: database, web, _db: db, visitors, _folder: folder })
    }

    /// Sockets in TIME_WAIT towards the database, on the web host.
    pub fn time_wait(&self) -> Result<usize> {
        kernel::tcp_sockets_towards(self.fpm.pid(), 3306, "06")
    }

    /// Does some work while visitors come, so many a second.
    pub fn visited<T>(&self, per_s: u32, work: impl FnOnce(&Seen) -> Result<T>) -> Result<T> {
        let seen = Seen::new(per_s);
        std::thread::scope(|scope| {
            let visitors = scope.spawn(|| visitors::come(&self.visitors, SITE, &seen));
            let done = work(&seen);
            seen.close();
            let came = visitors.join().map_err(|_| FaultError::new("the visitors panicked"))?;
            done.and_then(|done| came.map(|()| done))
        })
    }

    /// What PHP wrote last about its database.
    pub fn last_error(&self) -> Result<Option<String>> {
        self.fpm.last_error("mysqli_sql_exception")
    }
}

/// Joins two namespaces by a link: `name` at the first, eth0 at the other.
fn join(first: &Namespace, name: &str, address: &str, other: &Namespace, other_address: &str) -> Result<()> {
    first.ip(&["link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", other.name()])?;
    for (namespace, name, address) in [(first, name, address), (other, "eth0", other_address)] {
        namespace.ip(&["address", "add", address, "dev", name])?;
        namespace.ip(&["link", "set", name, "up"])?;
    }
    Ok(())
}
