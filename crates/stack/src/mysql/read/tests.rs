//! Whole readings of trees.

use host::{Tree, TreeHost};
use model::Layered;

use super::super::{Facts, Flavor};
use super::{read, read_counters};

const SOCKET: &str = "/.narrows/sql/run/mysqld/mysqld.sock";

fn rows(columns: &[&str], rows: &[&[&str]]) -> String {
    serde_json::json!({"columns": columns, "rows": rows}).to_string()
}

fn tree() -> Tree {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/proc/70/stat", "70 (mariadbd) S 1 70 70 0 -1 0 1 2 3 4 250 50 0 0 20 0 30 0 99\n");
    tree.put(0, "/proc/70/cmdline", "/usr/sbin/mariadbd\0");
    tree.put(0, "/proc/70/status", "Name:\tmariadbd\nThreads:\t31\n");
    tree.put(0, "/proc/70/smaps_rollup", "Rss: 9 kB\nPrivate_Clean: 4 kB\nPrivate_Dirty: 6 kB\n");
    let options = "[mariadbd]\nmax_connections=200\ninnodb_buffer_pool_instances=16\ninnodb_checksums=1\n";
    tree.put(0, "/etc/mysql/my.cnf", options);
    tree
}

fn talking() -> Tree {
    let mut tree = tree();
    let mut put = |name: &str, text: String| tree.put(0, &format!("{SOCKET}/{name}"), text);
    put(
        "version",
        rows(&["version", "comment", "account"], &[&["10.11.6-MariaDB-1", "Debian 12", "watch@localhost"]]),
    );
    put(
        "variables",
        rows(&["Variable_name", "Value"], &[&["max_connections", "200"], &["datadir", "/srv/db/"]]),
    );
    let status: &[&[&str]] =
        &[&["Threads_connected", "3"], &["Innodb_row_lock_current_waits", "1"], &["Rpl_status", "AUTH"]];
    put("status", rows(&["Variable_name", "Value"], status));
    put("innodb-status", rows(&["Status"], &[&["History list length 5\n"]]));
    let list = ["command", "state", "user", "host", "connections", "longest_s"];
    let lines: &[&[&str]] = &[
        &["Sleep", "", "wp", "10.0.0.3", "40", "900"],
        &["Query", "Sending data", "wp", "10.0.0.4", "2", "7"],
    ];
    put("processlist", rows(&list, lines));
    put("transactions", rows(&["transactions", "longest_s"], &[&["1", "33"]]));
    put(
        "lock-waits",
        rows(&["waiting", "holding", "name", "waited_s", "holder"], &[&["5", "6", "wp.posts", "4", "Sleep"]]),
    );
    put(
        "tables",
        rows(&["name", "row_count", "data_bytes", "index_bytes"], &[&["wp.posts", "10", "100", "50"]]),
    );
    put("engines", rows(&["engine", "tables", "bytes"], &[&["InnoDB", "1", "150"]]));
    put("other-engines", rows(&["engine", "tables", "bytes"], &[&["MyISAM", "1", "7.0"]]));
    put("replication", r#"{"refused": {"code": 1227, "reason": "error 1227: denied"}}"#.to_owned());
    put("option-tables", rows(&["s", "t"], &[&["wp", "wp_options"], &["x`y", "wp_options"]]));
    put("autoload-tables", rows(&["s", "t"], &[&["wp", "wp_options"]]));
    let loaded: &[&[&str]] =
        &[&["wp.wp_options", "", "300", "9000"], &["wp.wp_options", "rules", "1", "8000"]];
    put("autoload", rows(&["t", "name", "options", "bytes"], loaded));
    tree
}

fn facts(host: &TreeHost) -> Facts {
    read(host).unwrap()
}

#[test]
fn a_server_that_lets_nobody_in_is_known_by_its_files() {
    let tree = tree();
    let facts = facts(&tree.at(0));
    let server = &facts.servers[0];
    let process = server.process.as_ref().unwrap();
    assert_eq!((process.pid, process.threads, process.private_bytes), (70, Some(31), Some(10 << 10)));
    assert_eq!((server.address.as_str(), server.flavor), ("/run/mysqld/mysqld.sock", Flavor::MariaDb));
    assert_eq!(server.options["max_connections"].place(), "/etc/mysql/my.cnf:2");
    assert_eq!(server.option_file.as_ref().unwrap().group, "mariadbd");
    let Layered::Unread(unread) = &server.asked else { panic!("nobody answered") };
    assert!(unread.how_to_enable.contains("--database"), "{unread:?}");
    assert!(read_counters(&tree.at(0)).unwrap().servers[0].unread.is_some());
}

#[test]
fn a_server_says_all_of_itself_but_what_was_refused() {
    let tree = talking();
    let facts = facts(&tree.at(0));
    let server = &facts.servers[0];
    assert_eq!(server.version.unwrap().minor, 11);
    assert_eq!(server.data_directory.as_deref(), Some("/srv/db/"));
    let refused: Vec<_> = server.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(refused, [4], "innodb_checksums stops this version, instances is only ignored");
    let asked = server.asked.facts().unwrap();
    assert_eq!((asked.processlist.connections, asked.processlist.commands["Sleep"]), (42, 40));
    assert_eq!(
        (asked.processlist.longest_query_s, asked.processlist.longest_sleep_s),
        (Some(7.0), Some(33.0))
    );
    assert_eq!(asked.processlist.states.len(), 1);
    assert_eq!(asked.innodb.as_ref().unwrap().history_list_length, Some(5));
    assert_eq!((asked.lock_waits[0].holding, asked.lock_waits[0].holder_sleeps), (6, Some(true)));
    assert_eq!((asked.tables[0].index_bytes, asked.engines["MyISAM"]), (50, 7));
    assert_eq!(
        (asked.autoload.len(), asked.autoload[0].bytes, asked.autoload[0].largest.len()),
        (1, 9000, 1)
    );
    assert_eq!(asked.unread.len(), 1);
    assert!(asked.unread[0].how_to_enable.contains("GRANT SLAVE MONITOR ON *.* TO 'watch'@'localhost'"));
    let counters = read_counters(&tree.at(0)).unwrap();
    assert_eq!(counters.servers[0].status.len(), 2, "words are no counters");
    assert_eq!(counters.servers[0].address, server.address);
}

#[test]
fn a_user_without_rights_does_not_take_its_own_connections_for_all() {
    let mut tree = talking();
    tree.put(0, &format!("{SOCKET}/innodb-status"), r#"{"refused": {"code": 1227, "reason": "denied"}}"#);
    let facts = facts(&tree.at(0));
    let asked = facts.servers[0].asked.facts().unwrap();
    assert_eq!(asked.processlist.connections, 0);
    assert!(asked.unread[0].how_to_enable.contains("GRANT PROCESS ON *.*"));
    assert!(asked.unread[1].why.contains("only its own"));
}

#[test]
fn a_server_elsewhere_is_asked_where_the_user_named_it() {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/proc/uptime", "1 1");
    tree.put(0, "/.narrows/databases.json", r#"["10.0.0.9:3306"]"#);
    tree.put(
        0,
        "/.narrows/sql/10.0.0.9:3306/version",
        r#"{"refused": {"code": 1045, "reason": "Access denied"}}"#,
    );
    let facts = facts(&tree.at(0));
    assert_eq!((facts.servers.len(), facts.servers[0].address.as_str()), (1, "10.0.0.9:3306"));
    let Layered::Unread(unread) = &facts.servers[0].asked else { panic!("it refused") };
    assert!(unread.how_to_enable.contains("CREATE USER"), "{unread:?}");
}

#[test]
fn a_loopback_address_that_is_named_is_the_server_that_runs_here() {
    let mut tree = tree();
    tree.put(0, "/.narrows/databases.json", r#"["127.0.0.1:3306"]"#);
    let facts = facts(&tree.at(0));
    assert_eq!((facts.servers.len(), facts.servers[0].address.as_str()), (1, "127.0.0.1:3306"));
}

#[test]
fn files_without_a_server_are_a_server_that_does_not_run_and_no_files_are_none() {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/proc/uptime", "1 1");
    assert!(facts(&tree.at(0)).servers.is_empty());
    tree.put(0, "/etc/my.cnf", "[mysqld]\nport=1\n");
    let facts = facts(&tree.at(0));
    assert_eq!((facts.servers.len(), facts.servers[0].process.is_none()), (1, true));
    assert!(read_counters(&tree.at(0)).unwrap().servers.is_empty());
}
