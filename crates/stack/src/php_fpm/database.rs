//! How many connections the database takes that pools use, as its option files say.

use host::{Host, text};
use serde::{Deserialize, Serialize};

use super::view::{View, pools};
use super::{Setting, passes};
use crate::mysql::{option_files, values};
use crate::{Evidence, services};

/// `max_connections` of MariaDB and MySQL where nobody sets it.
const DEFAULT: u64 = 151;
/// Command names of database servers. The kernel cuts them after 15 characters.
const SERVERS: [&str; 2] = ["mariadbd", "mysqld"];

/// The limit of a database server's connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DatabaseLimit {
    /// `max_connections`; 151 where no file sets it.
    pub max_connections: u64,
    /// Where it is set; `None` where the server's own default holds.
    pub setting: Option<Setting>,
    /// The group and the file of the server's options in which it would be set.
    pub group: String,
    /// That file.
    pub file: String,
}

/// Reads the option files of a database server; `None` where there are none.
pub(crate) fn read(host: &dyn Host) -> Option<DatabaseLimit> {
    let found = option_files::read(host, "", &option_files::USUAL.map(str::to_owned));
    let first = found.files.first()?;
    let mut limit = DatabaseLimit { max_connections: DEFAULT, ..DatabaseLimit::default() };
    for setting in &found.settings {
        let group = setting.section.as_deref().map(text::string).unwrap_or_default();
        if !option_files::is_server_group(&group, true, None) {
            continue;
        }
        let name = text::string(&setting.key).replace('-', "_");
        let value = text::string(&setting.value);
        let set = (name == "max_connections").then(|| values::number(&value)).flatten();
        if let Some(connections) = set {
            limit.max_connections = connections;
            let line = u32::try_from(setting.line).unwrap_or(u32::MAX);
            limit.setting = Some(Setting { value, file: setting.file.to_string(), line });
        }
        // Clients read that group too, and stop at what they do not know.
        if group != "client-server" && (set.is_some() || limit.setting.is_none()) {
            (limit.group, limit.file) = (group, setting.file.to_string());
        }
    }
    if limit.file.is_empty() {
        (limit.group, limit.file) = ("mysqld".to_owned(), first.to_string());
    }
    Some(limit)
}

/// Which database a pool uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Uses {
    /// That of this host: `DB_HOST` of a site it serves says so.
    Local,
    /// One elsewhere.
    Remote(String),
    /// Nothing that was read says.
    NotKnown,
}

/// Which database the sites use that a pool serves.
pub(crate) fn uses(view: &View<'_>) -> Uses {
    let Ok(wordpress) = services::facts(&view.evidence.services.wordpress) else { return Uses::NotKnown };
    let roots: Vec<_> =
        passes::of(view).iter().filter_map(|pass| pass.context.get("root")?.first()).collect();
    let is_served =
        |root: &str| roots.iter().any(|own| own.trim_end_matches('/') == root.trim_end_matches('/'));
    let hosts = wordpress.sites.iter().filter(|site| is_served(&site.root));
    let hosts = hosts.filter_map(|site| site.constants.get("DB_HOST")?.value.as_deref());
    let mut uses = Uses::NotKnown;
    for host in hosts {
        if !is_local(host) {
            return Uses::Remote(host.to_owned());
        }
        uses = Uses::Local;
    }
    uses
}

fn is_local(host: &str) -> bool {
    let name = host.split(':').next().unwrap_or_default();
    name.is_empty() || name == "localhost" || name.starts_with("127.") || host.starts_with("[::1]")
}

/// The database of this host, and how many pools use it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used<'a> {
    pub(crate) limit: &'a DatabaseLimit,
    /// Pools that are not known to use another.
    pub(crate) pools: usize,
}

/// Whether a database server runs on this host.
pub(crate) fn runs(evidence: &Evidence) -> bool {
    let tasks = evidence.latest(|reading| &reading.tasks);
    tasks.is_ok_and(|tasks| SERVERS.iter().any(|server| tasks.commands.contains_key(*server)))
}

/// The database of this host, where one runs and pools may use it.
pub(crate) fn local(evidence: &Evidence) -> Option<Used<'_>> {
    let facts = services::facts(&evidence.services.php_fpm).ok()?;
    let limit = facts.database.as_ref().filter(|_| runs(evidence))?;
    let views = pools(evidence).ok()?;
    let users = views.iter().filter(|view| view.runs() && !matches!(uses(view), Uses::Remote(_)));
    Some(Used { limit, pools: users.count() })
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    fn limit(files: &[(&str, &str)]) -> Option<DatabaseLimit> {
        let mut tree = Tree::in_memory(1);
        for (path, text) in files {
            tree.put(0, path, *text);
        }
        read(&tree.at(0))
    }

    #[test]
    fn the_last_of_the_included_files_sets_the_limit() {
        let main = ("/etc/mysql/my.cnf", "[client-server]\nport = 1\n!includedir /etc/mysql/conf.d/\n");
        let server = ("/etc/mysql/conf.d/50-server.cnf", "[mysqld]\nuser = mysql\n");
        let default = limit(&[main, server]).unwrap();
        assert_eq!((default.max_connections, default.setting), (151, None));
        assert_eq!((default.file.as_str(), default.group.as_str()), (server.0, "mysqld"));
        let late = (
            "/etc/mysql/conf.d/60-own.cnf",
            "[client]\nmax_connections = 7\n[mariadb]\nmax-connections=400\n",
        );
        let own = limit(&[main, server, late]).unwrap();
        assert_eq!((own.max_connections, own.setting.unwrap().place()), (400, format!("{}:4", late.0)));
        assert_eq!((own.file.as_str(), own.group.as_str()), (late.0, "mariadb"));
        assert_eq!(limit(&[]), None);
    }

    #[test]
    fn a_host_with_a_port_or_a_socket_is_still_this_one() {
        let local = ["localhost", "127.0.0.1:3306", "localhost:/run/mysqld/mysqld.sock", "", "[::1]:3306"];
        assert!(local.iter().all(|host| is_local(host)));
        assert!(!is_local("db.example:3306") && !is_local("10.0.0.7"));
    }
}
