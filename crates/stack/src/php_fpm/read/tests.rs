use host::Tree;
use host::kernel::{Family, Listener};

use super::{masters, read, read_counters};
use crate::php_fpm::Mode;

const STATUS: &str = r#"{"pool":"shop","accepted conn":7,"listen queue":0,"max listen queue":0,"idle processes":1,
    "active processes":1,"max active processes":2,"max children reached":3,"slow requests":0,"processes":[]}"#;

/// Two versions run, a third is configured; of the shop's three workers one waits in accept().
fn tree() -> Tree {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/proc/sys/kernel/arch", "x86_64");
    tree.put(0, "/proc/uptime", "100.0 1.0");
    for version in ["7.4", "8.1", "8.2"] {
        let folder = format!("/etc/php/{version}/fpm");
        tree.put(0, &format!("{folder}/php-fpm.conf"), format!("[global]\ninclude={folder}/pool.d/*.conf\n"));
    }
    tree.put(0, "/etc/php/7.4/fpm/pool.d/old.conf", "[old]\nlisten = /run/php/old.sock\npm = ondemand\n");
    tree.put(
        0,
        "/etc/php/8.1/fpm/pool.d/blog.conf",
        "[blog]\nlisten = 9001\npm = dynamic\npm.max_children = 5\n",
    );
    let shop =
        "[shop]\nlisten = /run/php/shop.sock\npm = static\npm.max_children = 3\npm.status_path = /status\n";
    tree.put(0, "/etc/php/8.2/fpm/pool.d/shop.conf", shop);
    let mut process = |pid: u32, parent: u32, title: &str, state: char| {
        tree.put(0, &format!("/proc/{pid}/cmdline"), format!("php-fpm: {title}"));
        let stat = format!("{pid} (php-fpm) {state} {parent} 1 1 0 -1 0 0 0 0 0 5 6 0 0 20 0 1 0 100 0 0");
        tree.put(0, &format!("/proc/{pid}/stat"), stat);
    };
    process(10, 1, "master process (/etc/php/8.2/fpm/php-fpm.conf)", 'S');
    process(20, 1, "master process (/etc/php/8.1/fpm/php-fpm.conf)", 'S');
    (11..14).for_each(|pid| process(pid, 10, "pool shop", if pid == 12 { 'R' } else { 'S' }));
    process(21, 20, "pool blog", 'S');
    tree.put(0, "/proc/11/syscall", "43 0x9 0x0");
    tree.put(0, "/proc/13/syscall", "0 0x5 0x0");
    tree.put_link(0, "/proc/11/fd/9", "socket:[77]");
    tree.put_link(0, "/proc/13/fd/5", "socket:[99]");
    tree.put(0, "/.narrows/fpm-status/run/php/shop.sock", STATUS);
    tree
}

fn listening(tree: &mut Tree, waiting: u32) {
    let at = |family, local: &str, inode| Listener {
        family,
        local: local.to_owned(),
        port: None,
        inode,
        waiting: if inode == 77 { waiting } else { 0 },
        backlog: Some(511),
    };
    let listeners = [at(Family::Unix, "/run/php/shop.sock", 77), at(Family::Inet4, "0.0.0.0:9001", 78)];
    tree.put(0, "/.narrows/listeners.json", serde_json::to_vec(&listeners).unwrap());
}

#[test]
fn every_version_is_read_whether_it_runs_or_not() {
    let found = masters(&tree().at(0));
    let seen: Vec<_> = found
        .iter()
        .map(|master| (master.version.as_deref().unwrap(), master.pid, master.pools[0].name.as_str()))
        .collect();
    assert_eq!(seen, [("8.2", Some(10), "shop"), ("8.1", Some(20), "blog"), ("7.4", None, "old")]);
    assert_eq!(found[2].pools[0].mode, Mode::Ondemand);
}

#[test]
fn workers_say_where_they_wait_and_a_bare_port_is_the_one_listened_at() {
    let mut tree = tree();
    listening(&mut tree, 0);
    let facts = read(&tree.at(0)).unwrap();
    let shop: Vec<_> = facts.masters[0].pools[0]
        .workers
        .iter()
        .map(|worker| (worker.pid, worker.state, worker.syscall.as_deref(), worker.waits_for.as_deref()))
        .collect();
    let expected = [
        (11, 'S', Some("accept"), Some("listening")),
        (12, 'R', None, None),
        (13, 'S', Some("read"), Some("socket")),
    ];
    assert_eq!(shop, expected);
    assert_eq!(facts.masters[1].pools[0].listen, "0.0.0.0:9001");
}

#[test]
fn a_pool_with_a_worker_to_spare_is_asked_for_its_status() {
    let mut tree = tree();
    listening(&mut tree, 0);
    let counters = read_counters(&tree.at(0)).unwrap();
    let [shop, blog] = counters.pools.as_slice() else { panic!("{:?}", counters.pools) };
    assert_eq!((shop.workers, shop.cpu_ticks[&13]), (3, 11));
    assert_eq!(shop.status.as_ref().unwrap().max_children_reached, 3);
    let unread = blog.status_unread.as_ref().unwrap();
    assert!(unread.how_to_enable.contains("pm.status_path = /fpm-status"), "{unread:?}");
}

#[test]
fn a_pool_at_which_somebody_waits_or_all_work_is_not_asked() {
    let why = |tree: &Tree| read_counters(&tree.at(0)).unwrap().pools.remove(0).status_unread.unwrap().why;
    let mut queued = tree();
    listening(&mut queued, 4);
    assert!(why(&queued).starts_with("4 requests wait for pool shop"), "{}", why(&queued));
    let mut busy = tree();
    listening(&mut busy, 0);
    busy.put(0, "/proc/11/syscall", "230 0x1 0x0");
    assert!(why(&busy).starts_with("no worker of pool shop is idle"), "{}", why(&busy));
}

#[test]
fn a_pool_without_a_worker_is_not_made_to_start_one() {
    let mut tree = tree();
    tree.put(0, "/proc/20/cmdline", "php-fpm: master process (/etc/php/7.4/fpm/php-fpm.conf)");
    let old = "[old]\nlisten = /run/php/old.sock\npm = ondemand\npm.status_path = /status\n";
    tree.put(0, "/etc/php/7.4/fpm/pool.d/old.conf", old);
    let counters = read_counters(&tree.at(0)).unwrap();
    let unread = counters.pools[1].status_unread.as_ref().unwrap();
    assert!(unread.why.contains("asking would start one"), "{unread:?}");
}
