use model::{ChangeKind, Edit, Severity};

use super::testing::*;
use super::*;
use crate::{Action, Phase};

/// No machine has an interface of this name, so that no real one is looked at.
const NIC: &str = "nrwtest0";

fn network(files: &[(&str, &str)]) -> host::Tree {
    let mut tree = tree(files);
    let driver = r#"{"ring":{"receive":256,"receive_max":1024,"transmit":256,"transmit_max":1024},
                     "channels":{"combined":1,"combined_max":4}}"#;
    tree.put(0, &format!("/.narrows/ethtool/{NIC}.json"), driver);
    let qdisc = format!(
        r#"[{{"interface":"{NIC}","index":2,"kind":"pfifo_fast","handle":"0:","parent":"root","backlog_bytes":0,
            "backlog_packets":0,"drops":0,"overlimits":0,"requeues":0,"bytes":0,"packets":0}}]"#
    );
    tree.put(0, "/.narrows/qdiscs.json", qdisc);
    tree.put(0, &format!("/sys/class/net/{NIC}/address"), "52:54:00:00:00:01\n");
    tree.put(0, &format!("/sys/class/net/{NIC}/queues/rx-0/rps_cpus"), "0\n");
    tree
}

fn ask(what: ChangeKind, value: &str) -> model::report::Report {
    report(vec![asking("nic.x", Severity::Limiting, vec![changing(what, "now", value)])])
}

fn ring() -> model::report::Report {
    ask(ChangeKind::Ring { interface: NIC.to_owned(), side: "rx".to_owned() }, "1024")
}

#[test]
fn what_lies_in_no_file_is_set_now_and_by_the_boot_script() {
    let interface = NIC.to_owned();
    let steering = format!("{NIC}/queues/rx-0/rps_cpus");
    for (what, value, before) in [
        (ChangeKind::Ring { interface: interface.clone(), side: "rx".to_owned() }, "1024", "text 256"),
        (ChangeKind::Channels { interface: interface.clone() }, "4", "values combined=1"),
        (ChangeKind::Qdisc { interface: interface.clone() }, "fq_codel", "qdisc pfifo_fast 0: "),
        (ChangeKind::Qdisc { interface }, "cake bandwidth 5000000bit", "qdisc pfifo_fast 0: "),
        (ChangeKind::PacketSteering { path: steering }, "e", "text 0"),
    ] {
        let plan = planned(&network(&[]), &ask(what.clone(), value));
        let [change] = plan.changes.as_slice() else { panic!("{:#?}", plan.refused) };
        let operations = &change.operations;
        assert_eq!((operations.len(), operations[0].phase), (4, Phase::Now), "{operations:#?}");
        assert!(operations[0].before.starts_with(before), "{}", operations[0].before);
        assert!(operations[1..].iter().all(|operation| operation.phase == Phase::Lasting));
        let script = edits_of(&plan, "/etc/narrows/boot.sh");
        assert!(matches!(script.as_slice(), [Edit::Block { name, .. }] if *name == change.id), "{script:?}");
        let link = Action::Link { to: "/etc/systemd/system/narrows-boot.service".to_owned() };
        assert_eq!(operations[3].action, link);
    }
}

#[test]
fn a_ring_that_a_link_file_sizes_is_kept_there_and_not_by_the_boot_script() {
    let file = "/etc/systemd/network/10-nic.link";
    let text = "[Match]\nMACAddress=52:54:00:00:00:01\n\n[Link]\nRxBufferSize=512\n";
    let mut tree = network(&[(file, text)]);
    let plan = planned(&tree, &ring());
    assert_eq!(plan.changes[0].operations.len(), 2, "{:#?}", plan.refused);
    let operations = file_operations(&plan.changes);
    let states = TreeStates::new(&tree.at(0)).read(&operations[0].target);
    let to = operations[0].target.kind().wanted(&states.unwrap(), &operations[0].action).unwrap();
    let crate::State::File(to) = to else { panic!("{to:?}") };
    tree.put(0, file, to.contents.0);
    assert_eq!(super::testing::text(&tree, file).unwrap(), text.replace("512", "1024"));
}

#[test]
fn tuned_keeps_its_ring() {
    let mut tree = network(&[
        ("/etc/tuned/active_profile", "web\n"),
        ("/etc/tuned/web/tuned.conf", "[net]\nring=rx 512\n"),
    ]);
    tree.put(0, "/proc/700/comm", "tuned\n");
    let plan = planned(&tree, &ring());
    assert!(plan.changes.is_empty());
    assert_eq!(plan.refused[0].owner.as_deref(), Some("TuneD profile web (/etc/tuned/web/tuned.conf:2)"));
}

#[test]
fn what_a_tree_does_not_tell_is_refused_and_the_rest_is_planned() {
    let mut both = ring();
    both.causes.push(asking("a.b", Severity::Latent, vec![sysctl(SOMAXCONN, "128", "4096")]));
    let plan = planned(&tree(&[]), &both);
    assert_eq!((ids(&plan), plan.refused.len()), (vec![SOMAXCONN], 1));
    assert!(plan.refused[0].because.starts_with("narrows cannot read"), "{}", plan.refused[0].because);
}

#[test]
fn a_live_plan_starts_from_what_the_kernel_holds() {
    let report = report(vec![asking("a.b", Severity::Latent, vec![sysctl(SOMAXCONN, "1", "12345")])]);
    let live = plan_with(&report, &tree(&[]).at(0), &LiveStates, &PlanOptions::default()).unwrap();
    let now = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    assert_eq!(live.changes[0].operations[0].before, format!("text {}", now.trim()));
}

fn another() -> crate::kinds::NetworkNamespace {
    crate::kinds::NetworkNamespace {
        inode: 4_026_532_000,
        boot_id: "b".to_owned(),
        name: None,
        process: Some(7),
        cookie: None,
    }
}

#[test]
fn a_parameter_of_another_network_namespace_is_kept_by_whoever_makes_it() {
    let options = PlanOptions { namespace: Some(another()), ..PlanOptions::default() };
    let causes = vec![
        asking("a.b", Severity::Breaking, vec![sysctl(SOMAXCONN, "128", "4096")]),
        asking("memory.x", Severity::Latent, vec![sysctl("vm.swappiness", "60", "10")]),
    ];
    let plan = planned_with(&tree(&[]), &report(causes), &options).unwrap();
    let operations = |at: usize| plan.changes[at].operations.len();
    assert_eq!((operations(0), operations(1)), (1, 2));
    assert!(plan.changes[0].change.persistence.contains("docker run --sysctl"));
}

#[test]
fn the_hosts_link_files_say_nothing_of_an_interface_of_another_namespace() {
    let vendors =
        ("/usr/lib/systemd/network/10-v.link", "[Match]\nOriginalName=*\n[Link]\nRxBufferSize=512\n");
    let tree = network(&[vendors]);
    assert_eq!(planned(&tree, &ring()).refused.len(), 1);
    let options = PlanOptions { namespace: Some(another()), ..PlanOptions::default() };
    let plan = planned_with(&tree, &ring(), &options).unwrap();
    assert_eq!(plan.changes[0].operations.len(), 1, "{:#?}", plan.refused);
}
