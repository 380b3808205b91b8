use host::Tree;
use model::Layered;

use super::*;

const CONFIGURATION: &str = r#"
admin_variables = { admin_credentials = "admin:admin"; mysql_ifaces = "0.0.0.0:16032;/tmp/proxysql_admin.sock" }
mysql_variables = { multiplexing = false; monitor_password = "hunter2"; threads = 4 }
mysql_servers = ( { address = "10.0.0.5", port = 3306, hostgroup = 10, max_connections = 400 }, { address = "10.0.0.6", hostgroup = 20 } )
mysql_query_rules = ( { rule_id = 7, multiplex = 0 }, { rule_id = 8 } )
"#;

fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/proc/stat", "cpu 1\n");
    files.iter().for_each(|(path, text)| tree.put(0, path, *text));
    tree
}

fn process(pid: u32, words: &str) -> [(String, String); 2] {
    [
        (
            format!("/proc/{pid}/stat"),
            format!("{pid} (proxysql) S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 9\n"),
        ),
        (format!("/proc/{pid}/cmdline"), words.replace(' ', "\0")),
    ]
}

#[test]
fn the_configuration_file_is_that_of_the_command_line_and_no_password_is_read() {
    let words = process(20, "proxysql --idle-threads -c /srv/p.cnf");
    let watcher = process(19, "proxysql --idle-threads -c /srv/p.cnf");
    let files: Vec<_> =
        words.iter().chain(&watcher).map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let tree = tree(&[&files[..], &[("/srv/p.cnf", CONFIGURATION)]].concat());
    let facts = read(&tree.at(0)).unwrap();
    let [proxy] = facts.proxies.as_slice() else { panic!("{:#?}", facts.proxies) };
    assert_eq!((proxy.address.as_str(), proxy.pid), ("127.0.0.1:16032", Some(20)));
    assert_eq!(proxy.file.as_deref(), Some("/srv/p.cnf"));
    let servers: Vec<_> =
        proxy.configured.servers.iter().map(|one| (one.host.as_str(), one.max_connections)).collect();
    assert_eq!(servers, [("10.0.0.5", 400), ("10.0.0.6", 1000)]);
    assert_eq!(proxy.configured.multiplex_rules, [(7, 0)].into());
    assert_eq!(proxy.configured.variables["mysql-multiplexing"], "false");
    assert!(!serde_json::to_string(&facts).unwrap().contains("hunter2"));
    assert!(matches!(&proxy.asked, Layered::Unread(unread) if unread.how_to_enable.contains("--database")));
}

#[test]
fn a_fault_in_the_file_is_named_with_its_line() {
    let words = process(20, "proxysql");
    let files = words.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let files: Vec<_> =
        files.chain([("/etc/proxysql.cnf", "datadir = \"/x\"\nadmin_variables = {\n")]).collect();
    let facts = read(&tree(&files).at(0)).unwrap();
    assert!(
        facts.unread[0].why.starts_with("/etc/proxysql.cnf:3: the file ends inside a group"),
        "{:?}",
        facts.unread
    );
    assert_eq!(facts.proxies[0].address, "127.0.0.1:6032");
}

#[test]
fn one_that_is_configured_and_does_not_run_is_not_asked() {
    let tree = tree(&[("/etc/proxysql.cnf", CONFIGURATION)]);
    let facts = read(&tree.at(0)).unwrap();
    assert!(
        matches!(&facts.proxies[0].asked, Layered::Unread(unread) if unread.why == "ProxySQL does not run")
    );
    assert!(read_counters(&tree.at(0)).unwrap().proxies.is_empty());
    assert!(read(&self::tree(&[]).at(0)).unwrap().proxies.is_empty());
}

#[test]
fn one_elsewhere_is_asked_where_the_user_named_it() {
    let tree = tree(&[("/.narrows/databases.json", r#"["10.0.0.9:6032","10.0.0.9:3306"]"#)]);
    let facts = read(&tree.at(0)).unwrap();
    let addresses: Vec<_> = facts.proxies.iter().map(|proxy| proxy.address.as_str()).collect();
    assert_eq!(addresses, ["10.0.0.9:6032"]);
    let databases = crate::mysql::read(&tree.at(0)).unwrap();
    assert!(databases.servers.iter().all(|server| server.address != "10.0.0.9:6032"));
}
