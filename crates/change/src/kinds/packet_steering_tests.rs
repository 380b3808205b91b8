use super::*;
use crate::kinds::kernel_testing::{Namespace, set, set_and_put_back, shell};

/// A namespace with `narrows0`, an interface of two queues each way.
fn two_queues() -> Namespace {
    let namespace = Namespace::new();
    let queues = ["numrxqueues", "2", "numtxqueues", "2"];
    let veth = ["link", "add", "narrows0"];
    let peer = ["type", "veth", "peer", "name", "narrows1"];
    namespace.ip(&[&veth[..], &queues, &peer].concat());
    namespace
}

fn file(namespace: &Namespace, path: &str) -> PacketSteering {
    let seen = NetworkNamespace::of_process(namespace.process().0.id()).unwrap();
    PacketSteering { path: path.to_owned(), namespace: Some(seen) }
}

#[test]
fn steering_of_every_kind_is_set_and_put_back() {
    let namespace = two_queues();
    for (path, value) in [
        ("narrows0/queues/rx-0/rps_cpus", "1"),
        ("narrows0/queues/rx-1/rps_flow_cnt", "3000"),
        ("narrows0/queues/tx-0/xps_cpus", "1"),
        ("narrows0/queues/tx-1/xps_rxqs", "2"),
    ] {
        set_and_put_back(&file(&namespace, path), value);
    }
}

#[test]
fn masks_and_sizes_are_spelled_as_the_kernel_reads_them() {
    let cpus = PacketSteering { path: "eth0/queues/rx-0/rps_cpus".to_owned(), namespace: None };
    let set = |target: &PacketSteering, value: &str| {
        target.wanted(&State::text("0"), &Action::Set { value: value.to_owned() })
    };
    assert_eq!(set(&cpus, "00000000,000000FE").unwrap(), State::text("fe"));
    assert_eq!(cpus.normal(&State::text("00")), State::text("0"));
    assert!(set(&cpus, "0-3").is_err());
    let flows = PacketSteering { path: "eth0/queues/rx-0/rps_flow_cnt".to_owned(), namespace: None };
    assert_eq!(set(&flows, "3000").unwrap(), State::text("4096"));
    assert!(set(&flows, "ff").is_err());
}

#[test]
fn paths_to_anything_else_are_refused() {
    for path in [
        "",
        "/etc/passwd",
        "../../../etc/passwd",
        "eth0/queues/rx-0/../../mtu",
        "../queues/rx-0/rps_cpus",
        "/queues/rx-0/rps_cpus",
        "eth0/queues/rx-/rps_cpus",
        "eth0/queues/tx-0/rps_cpus",
        "eth0/queues/rx-0/rps_cpus/",
        "eth0/mtu",
    ] {
        let target = PacketSteering { path: path.to_owned(), namespace: None };
        assert!(target.read().is_err(), "{path}");
        assert!(target.write(&State::text("1")).is_err(), "{path}");
        assert_eq!(target.shell(&State::text("1")), [""; 0], "{path}");
    }
}

#[test]
fn refusals_say_what_they_mean() {
    let namespace = Namespace::new();
    // Without a number given, veth makes a queue for each CPU.
    let one = ["numrxqueues", "1", "numtxqueues", "1"];
    namespace.ip(&[&["link", "add", "narrows0"][..], &one, &["type", "veth", "peer", "narrows1"]].concat());
    let error = file(&namespace, "narrows0/queues/tx-0/xps_cpus").read().unwrap_err();
    assert!(error.to_string().contains("one transmit queue"), "{error}");
    let error = file(&namespace, "narrows7/queues/rx-0/rps_cpus").read().unwrap_err();
    assert!(!error.to_string().contains("one transmit queue"), "{error}");
    let cpus = file(&namespace, "narrows0/queues/rx-0/rps_cpus");
    let error = cpus.write(&State::text("all")).unwrap_err();
    assert!(error.errno.is_some(), "{error}");
    drop(namespace);
    assert_eq!(cpus.read().unwrap(), State::Absent);
    assert!(cpus.write(&State::text("1")).unwrap_err().to_string().contains("has gone"));
}

#[test]
fn the_lines_of_shell_make_the_same_change() {
    let namespace = two_queues();
    let by_name = file(&namespace, "narrows0/queues/rx-0/rps_cpus");
    let keeper = namespace.process();
    let seen = NetworkNamespace { name: None, ..NetworkNamespace::of_process(keeper.0.id()).unwrap() };
    let by_process = PacketSteering { namespace: Some(seen), ..by_name.clone() };
    for (target, value) in [(&by_name, "1"), (&by_process, "2")] {
        let wanted = set(target, value);
        shell(&target.shell(&wanted));
        assert_eq!(by_name.normal(&by_name.read().unwrap()), wanted);
    }
    let wanted = State::text("3");
    shell(&by_name.boot_lines(&wanted).unwrap());
    assert_eq!(by_name.normal(&by_name.read().unwrap()), wanted);
}
