use model::{ChangeKind, Edit, Severity};

use super::refusals::in_action;
use super::testing::*;
use super::*;
use crate::kinds::{File, Mount, Sysctl};
use crate::{Action, Target};

fn set(key: &str, value: &str) -> Option<Forbidden> {
    let target = Target::Sysctl(Sysctl { key: key.to_owned(), namespace: None });
    in_action(&target, &Action::Set { value: value.to_owned() })
}

#[test]
fn values_that_do_harm_are_forbidden_and_their_neighbours_are_not() {
    for (key, bad, good) in [
        ("net.ipv4.tcp_orphan_retries", "1", "0"),
        ("net.ipv4.tcp_orphan_retries", "3", "8"),
        ("net/ipv4/tcp_orphan_retries", "2", "4"),
        ("net.ipv4.ip_local_port_range", "1024 65535", "10240 65535"),
        ("net.core.optmem_max", "4194304", "131072"),
        ("net.core.somaxconn", "65535", "16384"),
        ("net.core.netdev_max_backlog", "262144", "16384"),
        ("net.ipv4.tcp_syncookies", "0", "1"),
    ] {
        assert!(set(key, bad).is_some(), "{key} = {bad}");
        assert_eq!(set(key, good), None, "{key} = {good}");
    }
    for key in ["net.ipv4.tcp_fastopen_key", "vm.drop_caches", "kernel.sysrq", "kernel.core_pattern"] {
        assert!(set(key, "1").is_some(), "{key}");
    }
}

#[test]
fn the_same_values_are_forbidden_in_files() {
    let file = Target::File(File { path: "/etc/sysctl.d/90-narrows.conf".to_owned() });
    let edit = |edit| in_action(&file, &Action::Edit { edits: vec![edit] });
    let sysctl = |value: Option<&str>| Edit::Sysctl {
        key: "net.ipv4.tcp_fastopen_key".to_owned(),
        value: value.map(str::to_owned),
        line: None,
    };
    assert!(edit(sysctl(Some("0-0-0-0"))).is_some());
    assert_eq!(edit(sysctl(None)), None, "taking the line out is the cure");
    let line = |line: &str| edit(Edit::Line { line: line.to_owned(), present: true });
    assert!(line("net.core.somaxconn=65535").is_some());
    assert_eq!(line("tcp_bbr"), None);
    let backlog = |value: &str| {
        edit(Edit::Ini { section: None, key: "listen.backlog".to_owned(), value: Some(value.to_owned()) })
    };
    assert!(backlog("65535").is_some());
    assert_eq!(backlog("4096"), None);
}

#[test]
fn a_forbidden_change_is_refused_with_what_to_do_instead() {
    let change = sysctl("net.ipv4.tcp_orphan_retries", "0", "1");
    let tree = tree(&[("/proc/sys/net/ipv4/tcp_orphan_retries", "0\n")]);
    let plan = planned(&tree, &report(vec![asking("a.b", Severity::Breaking, vec![change])]));
    assert!(plan.changes.is_empty() && plan.refused[0].instead.contains("leave it at 0"), "{plan:#?}");
}

#[test]
fn a_plan_from_a_file_is_held_to_the_same_rules() {
    let change = sysctl(SOMAXCONN, "128", "4096");
    let mut plan = planned(&tree(&[]), &report(vec![asking("a.b", Severity::Breaking, vec![change])]));
    plan.changes[0].operations[0].action = Action::Set { value: "65535".to_owned() };
    plan.hash = plan.digest().unwrap();
    let error = Plan::from_json(&serde_json::to_vec(&plan).unwrap()).unwrap_err().to_string();
    assert!(error.contains("answered after its visitor has left"), "{error}");
}

#[test]
fn a_port_range_leaves_the_ports_of_services_out_or_reserves_them() {
    const RANGE: &str = "net.ipv4.ip_local_port_range";
    const RESERVED: &str = "net.ipv4.ip_local_reserved_ports";
    let listener = r#"[{"family":"inet4","local":"0.0.0.0:33060","port":33060,"waiting":0}]"#;
    let mut tree = tree(&[
        ("/proc/sys/net/ipv4/ip_local_port_range", "32768 60999\n"),
        ("/proc/sys/net/ipv4/ip_local_reserved_ports", "\n"),
        ("/.narrows/listeners.json", listener),
    ]);
    let range = || sysctl(RANGE, "32768 60999", "15000 64999");
    let alone = report(vec![asking("a.b", Severity::Breaking, vec![range()])]);
    let plan = planned(&tree, &alone);
    assert!(plan.refused[0].because.contains("port 33060"), "{plan:#?}");
    let reserve = sysctl(RESERVED, "", "33060");
    let plan = planned(&tree, &report(vec![asking("a.b", Severity::Breaking, vec![range(), reserve])]));
    assert_eq!(ids(&plan), [RESERVED, RANGE], "reserved first: {:#?}", plan.refused);
    tree.put(0, "/proc/sys/net/ipv4/ip_local_reserved_ports", "33000-33100\n");
    assert_eq!(ids(&planned(&tree, &alone)), [RANGE]);
}

#[test]
fn a_mount_becomes_read_only_only_where_nothing_was_written() {
    let now = |set: &str| {
        let target = Target::Mount(Mount { mount_point: "/data".to_owned() });
        in_action(&target, &Action::Options { set: vec![set.to_owned()], remove: vec![] })
    };
    assert!(now("ro").is_some());
    assert_eq!(now("noatime"), None);
    let stats = |writes: u32| {
        format!(
            "device nas:/www mounted on /srv/www with fstype nfs4 statvers=1.1\n\tWRITE: {writes} {writes} 0 0 0\n"
        )
    };
    let ro =
        ChangeKind::Mount { mount_point: "/srv/www".to_owned(), set: vec!["ro".to_owned()], remove: vec![] };
    let report = report(vec![asking("nfs.x", Severity::Latent, vec![changing(ro, "rw", "ro")])]);
    for (writes, count) in [(0, 1), (7, 0)] {
        let tree = tree(&[
            ("/etc/fstab", "nas:/www /srv/www nfs4 rw 0 0\n"),
            ("/proc/self/mounts", "nas:/www /srv/www nfs4 rw 0 0\n"),
            ("/proc/self/mountstats", &stats(writes)),
        ]);
        let plan = planned(&tree, &report);
        assert_eq!((plan.changes.len(), plan.refused.len()), (count, 1 - count), "{plan:#?}");
    }
}

#[test]
fn the_changes_of_a_remedy_are_refused_together() {
    let change = || sysctl(SOMAXCONN, "128", "4096");
    let bad = sysctl("net.ipv4.tcp_orphan_retries", "0", "1");
    let torn = asking("a.torn", Severity::Breaking, vec![change(), bad]);
    let tree = tree(&[("/proc/sys/net/ipv4/tcp_orphan_retries", "0\n")]);
    let plan = planned(&tree, &report(vec![torn.clone()]));
    assert_eq!((ids(&plan), plan.refused.len()), (vec![], 2), "{:#?}", plan.refused);
    assert!(plan.refused[1].because.starts_with("goes with "), "{}", plan.refused[1].because);
    assert!(plan.refused[1].because.contains("tcp_orphan_retries"), "{}", plan.refused[1].because);
    let whole = asking("b.whole", Severity::Latent, vec![change()]);
    let plan = planned(&tree, &report(vec![torn, whole]));
    assert_eq!(ids(&plan), [SOMAXCONN], "another cause asks for it alone");
}

#[test]
fn a_plan_cannot_pass_the_rules_by_as_a_file_or_a_link() {
    let file = |path: &str| Target::File(File { path: path.to_owned() });
    let line = Action::Edit { edits: vec![Edit::Line { line: "|/tmp/x".to_owned(), present: true }] };
    assert!(in_action(&file("/proc/sys/kernel/core_pattern"), &line).is_some());
    assert_eq!(in_action(&file("/process.conf"), &line), None);
    let link = Action::Link { to: "/tmp/evil.service".to_owned() };
    assert!(in_action(&file("/etc/systemd/system/multi-user.target.wants/evil.service"), &link).is_some());
}

#[test]
fn an_edit_for_an_nginx_whose_file_nothing_checks_is_left_to_a_person() {
    let backlog = |path: &str| {
        let to = model::DirectiveEdit::Parameter { name: "backlog".to_owned(), value: "4096".to_owned() };
        let block = vec!["http".to_owned(), "server".to_owned()];
        editing(path, vec![Edit::Nginx { block, directive: "listen".to_owned(), first_argument: None, to }])
    };
    let server = "http { server { listen 80; } }\n";
    let (own, known) = ("/srv/site/nginx.conf", "/etc/nginx/nginx.conf");
    let tree = tree(&[(own, server), (known, server)]);
    let plan_of = |path: &str| {
        planned(
            &tree,
            &report(vec![asking(
                "a.b",
                Severity::Breaking,
                vec![sysctl(SOMAXCONN, "128", "4096"), backlog(path)],
            )]),
        )
    };
    let plan = plan_of(own);
    assert_eq!((ids(&plan), plan.by_hand.len()), (vec![SOMAXCONN], 1), "{plan:?}");
    assert_eq!(ids(&plan_of(known)), [SOMAXCONN, known]);
}
