//! The shop: nginx and PHP-FPM on one host, MariaDB on another, and its visitors, each in a network namespace.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tempfile::TempDir;

use crate::faults::netns::Namespace;
use crate::faults::{Result, kernel};
use crate::services;
use crate::services::mariadb::MariaDb;
use crate::services::nginx::Nginx;
use crate::services::php_fpm::PhpFpm;

/// The local ports of the web host.
pub(super) const PORTS: &str = "40000 40999";
/// Of the web host towards the database (TEST-NET-1, RFC 5737).
pub(super) const WEB: &str = "192.0.2.1";
/// Of the database.
pub(super) const DATABASE: &str = "192.0.2.2";
/// Of the web host towards its visitors (TEST-NET-2).
pub(super) const SITE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)), 80);
/// The page: as most PHP applications do, it connects to its database once for every request.
const PAGE: &str = "<?php
$shop = new mysqli('192.0.2.2', 'shop', 'tea', 'shop');
foreach ($shop->query('SELECT title, price FROM article') as $article) {
    printf(\"%s %.2f\\n\", $article['title'], $article['price']);
}
";
const TABLES: &str = "CREATE DATABASE shop;
CREATE TABLE shop.article (id INT PRIMARY KEY, title VARCHAR(80), price DECIMAL(6,2));
INSERT INTO shop.article VALUES (1, 'Green tea', 4.20), (2, 'Black tea', 3.90), (3, 'Teapot', 29.00);
CREATE USER shop@'192.0.2.1' IDENTIFIED BY 'tea';
GRANT SELECT ON shop.* TO shop@'192.0.2.1';
";

/// All that the demo starts. Fields end in this order.
pub(super) struct Shop {
    _nginx: Nginx,
    fpm: PhpFpm,
    _database: MariaDb,
    /// The web host.
    pub(super) web: Namespace,
    _db: Namespace,
    /// Where visitors come from.
    pub(super) visitors: Namespace,
    _folder: TempDir,
}

impl Shop {
    /// Opens it.
    pub(super) fn open() -> Result<Self> {
        let folder = services::folder()?;
        let (web, db, visitors) = (Namespace::create()?, Namespace::create()?, Namespace::create()?);
        join(&web, "db0", &format!("{WEB}/30"), &db, &format!("{DATABASE}/30"))?;
        join(&web, "eth0", "198.51.100.1/24", &visitors, "198.51.100.2/24")?;
        web.set("net/ipv4/ip_local_port_range", PORTS)?;
        let database = MariaDb::start(&db, folder.path(), DATABASE)?;
        database.run(TABLES)?;
        PhpFpm::page(folder.path(), PAGE)?;
        let fpm = PhpFpm::start(&web, folder.path(), 8)?;
        let nginx = Nginx::start(&web, folder.path(), &PhpFpm::server(folder.path()))?;
        Ok(Self { _nginx: nginx, fpm, _database: database, web, _db: db, visitors, _folder: folder })
    }

    /// Sockets in TIME_WAIT towards the database, on the web host.
    pub(super) fn time_wait(&self) -> Result<usize> {
        kernel::tcp_sockets_towards(self.fpm.pid(), 3306, "06")
    }

    /// What PHP wrote last about its database.
    pub(super) fn last_error(&self) -> Result<Option<String>> {
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
