use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::network_testing::Namespace;
use super::*;

const DEFAULT: &str = "/proc/sys/net/core/default_qdisc";

/// The kernel's default is one for all namespaces: tests that rely on it take turns.
fn default_unchanged() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds the kernel's default at a kind and puts it back.
struct Default(String);

impl Default {
    fn set(kind: &str) -> Self {
        let before = fs::read_to_string(DEFAULT).unwrap().trim().to_owned();
        fs::write(DEFAULT, kind).unwrap();
        Self(before)
    }
}

impl Drop for Default {
    fn drop(&mut self) {
        fs::write(DEFAULT, &self.0).unwrap();
    }
}

fn qdisc() -> Qdisc {
    Qdisc { interface: "inner".to_owned(), namespace: None }
}

fn set(value: &str) -> Action {
    Action::Set { value: value.to_owned() }
}

/// A namespace with an interface that is up: `veth`, or `ifb` with that many queues.
fn interface(kind: &str, queues: u8) -> Namespace {
    let namespace = Namespace::new();
    namespace.ip(&format!("link add inner numtxqueues {queues} numrxqueues {queues} type {kind}"));
    namespace.ip("link set inner up");
    namespace
}

fn shown(namespace: &Namespace) -> String {
    namespace.tc("qdisc show dev inner")
}

fn read(namespace: &Namespace) -> QdiscState {
    match namespace.run(|| qdisc().read()).unwrap() {
        State::Qdisc(read) => read,
        other => panic!("{other:?}"),
    }
}

/// Sets the interface to a value, checks that it holds it, and puts it back: by what the kernel tells, and by what
/// tc shows.
fn replaced_and_put_back(namespace: &Namespace, value: &str) {
    let (before, text) = (State::Qdisc(read(namespace)), shown(namespace));
    let wanted = qdisc().wanted(&before, &set(value)).unwrap();
    namespace.run(|| qdisc().write(&wanted)).unwrap();
    let now = State::Qdisc(read(namespace));
    assert_eq!(qdisc().normal(&now), qdisc().normal(&wanted), "{value} over {text}");
    assert_ne!(shown(namespace), text);
    namespace.run(|| qdisc().write(&before)).unwrap();
    assert_eq!(State::Qdisc(read(namespace)), before, "{value} over {text}");
    assert_eq!(shown(namespace), text);
}

/// As `write` does for an interface of another namespace: the default is held in the one of the test.
fn write_from_outside(namespace: &Namespace, to: &QdiscState) {
    with_default("write", attached_by_default(to), || namespace.run(|| qdisc().attach("write", to))).unwrap();
}

#[test]
fn what_the_kernel_attached_is_put_back() {
    let _turn = default_unchanged();
    let default = fs::read_to_string(DEFAULT).unwrap();
    for (kind, queues, root) in [("veth", 1, "noqueue"), ("ifb", 1, default.trim()), ("ifb", 4, "mq")] {
        let namespace = interface(kind, queues);
        let now = read(&namespace);
        assert_eq!((now.kind.as_str(), now.handle.as_str()), (root, OF_THE_KERNEL));
        for value in ["pfifo limit 100", "bfifo limit 100000", "noqueue"] {
            if value != root {
                replaced_and_put_back(&namespace, value);
            }
        }
    }
}

#[test]
fn the_queues_of_an_mq_follow_the_default_and_are_put_back() {
    let _turn = default_unchanged();
    let namespace = interface("ifb", 4);
    let (before, text) = (read(&namespace), shown(&namespace));
    let wanted = qdisc().wanted(&State::Qdisc(before.clone()), &set("mq")).unwrap();
    {
        let _default = Default::set("bfifo");
        namespace.run(|| qdisc().write(&wanted)).unwrap();
        let now = read(&namespace);
        assert_eq!((now.kind.as_str(), now.below.as_slice()), ("mq", &["bfifo".to_owned()][..]));
        assert_ne!(now.handle, before.handle);
        // The default that the plan set is still there when the discipline is put back.
        write_from_outside(&namespace, &before);
        assert_eq!(fs::read_to_string(DEFAULT).unwrap().trim(), "bfifo");
    }
    assert_eq!(read(&namespace), before);
    assert_eq!(shown(&namespace), text);
}

#[test]
fn the_kernels_own_is_put_back_though_the_default_has_changed() {
    let _turn = default_unchanged();
    let namespace = interface("ifb", 1);
    let (before, text) = (read(&namespace), shown(&namespace));
    let _default = Default::set("bfifo");
    // Another program has already taken it off, so that the new default is there.
    namespace.tc("qdisc replace dev inner root pfifo");
    namespace.tc("qdisc del dev inner root");
    assert_eq!((read(&namespace).kind.as_str(), read(&namespace).handle.as_str()), ("bfifo", OF_THE_KERNEL));
    write_from_outside(&namespace, &before);
    assert_eq!((read(&namespace), shown(&namespace)), (before, text));
}

/// Every kind that narrows says it can put back. Those the kernel lacks are named on standard error.
#[test]
fn what_someone_attached_is_put_back_with_all_its_options() {
    let _turn = default_unchanged();
    let mut tried = vec![];
    for attached in [
        "pfifo limit 33",
        "bfifo limit 33000",
        "pfifo_head_drop limit 12",
        "pfifo_fast",
        "noqueue",
        "mq",
        "tbf rate 5mbit burst 1540 latency 50ms",
        "tbf rate 40gbit burst 1m limit 3m",
        "tbf rate 1mbit burst 20kb latency 70ms peakrate 2mbit minburst 1540 overhead 14",
        "htb",
        "htb default 30 r2q 5",
        "fq",
        "fq limit 5000 flow_limit 50 quantum 3000 initial_quantum 20000 maxrate 50mbit nopacing orphan_mask 255",
        "fq_codel",
        "fq_codel limit 900 flows 512 target 3ms interval 77ms ce_threshold 1234us memory_limit 3Mb noecn",
        "codel",
        "codel limit 90 target 7ms interval 103ms ecn ce_threshold 2ms",
        "cake",
        "cake bandwidth 20mbit rtt 77ms nat wash ack-filter diffserv8 overhead 44 mpu 84 memlimit 2000000 ingress",
    ] {
        let namespace = interface("ifb", 4);
        let line = format!("tc qdisc replace dev inner root handle 8001: {attached} 2>&1 || true");
        let said = namespace.sh(&line);
        if said.contains("qdisc kind is unknown") {
            eprintln!("this kernel has no {attached}");
            continue;
        }
        assert_eq!(read(&namespace).handle, "8001:", "{attached}: {said}");
        replaced_and_put_back(&namespace, "pfifo limit 100");
        if attached.starts_with("cake") {
            replaced_and_put_back(&namespace, "cake bandwidth 5000000bit");
        }
        replaced_and_put_back(&namespace, if attached == "pfifo_fast" { "noqueue" } else { "pfifo_fast" });
        tried.push(attached);
    }
    assert!(tried.len() >= 6, "{tried:?}: the kernel needs CONFIG_NET_SCH_FIFO, TBF and HTB");
}

#[test]
fn what_could_not_be_put_back_is_refused() {
    let refusals = [
        ("1: htb default 10", "class add dev inner parent 1: classid 1:10 htb rate 1mbit", "class 1:10"),
        (
            "1: tbf rate 1mbit burst 5kb latency 9ms",
            "qdisc add dev inner parent 1:1 handle 10: pfifo",
            "pfifo 10: at 1:1",
        ),
        ("1: mq", "qdisc replace dev inner parent 1:2 handle 12: pfifo limit 9", "pfifo 12: at 1:2"),
        (
            "1: htb",
            "filter add dev inner parent 1: protocol ip u32 match ip dst 10.0.0.1 flowid 1:1",
            "filters",
        ),
        ("1: stab overhead 20 pfifo", "qdisc show", "a size table"),
    ];
    for (root, then, because) in refusals {
        let namespace = interface("ifb", 4);
        let root = match root.split_once(" stab overhead 20 ") {
            Some((handle, kind)) => format!("handle {handle} stab overhead 20 mpu 84 {kind}"),
            None => format!("handle {root}"),
        };
        namespace.tc(&format!("qdisc replace dev inner root {root}"));
        namespace.tc(then);
        let now = State::Qdisc(read(&namespace));
        let error = qdisc().wanted(&now, &set("fq")).unwrap_err();
        assert!(error.why.ends_with(&format!("could not be put back exactly: it has {because}")), "{error}");
        assert_eq!(
            error.help.as_deref(),
            Some("if nothing needs it, take it away first: tc qdisc del dev inner root")
        );
    }
}

#[test]
fn a_kind_that_the_kernel_lacks_names_its_module() {
    let namespace = interface("veth", 1);
    let (before, text) = (read(&namespace), shown(&namespace));
    let unknown = QdiscState { kind: "narrows".to_owned(), handle: "4e41:".to_owned(), ..before };
    let error = namespace.run(|| qdisc().write(&State::Qdisc(unknown))).unwrap_err();
    assert_eq!(error.errno, Some(libc::ENOENT));
    assert!(error.to_string().contains("modprobe sch_narrows"), "{error}");
    assert_eq!(shown(&namespace), text);
}

#[test]
fn an_interface_that_is_down_gets_its_own_back() {
    let namespace = interface("ifb", 1);
    namespace.ip("link del inner");
    namespace.ip("link add inner type ifb");
    let before = read(&namespace);
    assert_eq!((before.kind.as_str(), before.handle.as_str()), ("noop", OF_THE_KERNEL));
    replaced_and_put_back(&namespace, "pfifo limit 100");
}

#[test]
fn only_kinds_that_need_nothing_else_are_attached() {
    let now = QdiscState {
        kind: "fq_codel".to_owned(),
        handle: "8001:".to_owned(),
        options: Contents::default(),
        below: vec![],
        configured: vec![],
    };
    let state = State::Qdisc(now.clone());
    for value in ["", "htb", "tbf rate 1mbit", "cake bandwidth 1mbit", "pfifo", "pfifo limit x", "fq; reboot"]
    {
        assert!(qdisc().wanted(&state, &set(value)).is_err(), "{value}");
    }
    assert_eq!(qdisc().wanted(&state, &set("fq_codel")).unwrap(), state);
    let State::Qdisc(wanted) = qdisc().wanted(&state, &set("fq")).unwrap() else { panic!() };
    assert_eq!((wanted.kind.as_str(), wanted.handle.as_str()), ("fq", "4e41:"));
    let again = State::Qdisc(QdiscState { options: Contents(vec![1, 2, 3, 4]), ..wanted.clone() });
    assert_eq!(qdisc().normal(&again), State::Qdisc(wanted));
    let State::Qdisc(second) = qdisc().wanted(&again, &set("fq_codel")).unwrap() else { panic!() };
    assert_eq!(second.handle, "4e42:");
    let unknown = State::Qdisc(QdiscState { kind: "netem".to_owned(), ..now });
    assert!(qdisc().wanted(&unknown, &set("fq")).is_err());
    assert!(qdisc().wanted(&State::Absent, &set("fq")).is_err());
}

#[test]
fn cake_takes_the_rate_of_the_token_bucket_whose_place_it_takes() {
    let bucket = QdiscState {
        kind: "tbf".to_owned(),
        options: Contents(vec![]),
        handle: "1:".to_owned(),
        below: vec![],
        configured: vec![],
    };
    let wanted = qdisc().wanted(&State::Qdisc(bucket), &set("cake bandwidth 5000000bit")).unwrap();
    assert_eq!(
        qdisc().shell(&wanted),
        ["tc qdisc replace dev inner root handle 4e41: cake bandwidth 5000000bit"]
    );
    // The kernel tells much more than it was given.
    let State::Qdisc(mut told) = wanted.clone() else { panic!("{wanted:?}") };
    told.options.0.extend([8, 0, 3, 0, 1, 0, 0, 0]);
    assert_eq!(qdisc().normal(&State::Qdisc(told.clone())), wanted);
    assert_eq!(qdisc().shell(&State::Qdisc(told.clone())), qdisc().shell(&wanted));
    let again = qdisc().wanted(&State::Qdisc(told.clone()), &set("cake bandwidth 5000000bit")).unwrap();
    assert_eq!(again, State::Qdisc(told.clone()));
    let other = qdisc().wanted(&State::Qdisc(told.clone()), &set("cake bandwidth 8000000bit")).unwrap();
    assert_ne!(qdisc().normal(&other), wanted);
    // Someone's, with options that tc is not told here.
    told.handle = "8001:".to_owned();
    assert_eq!(qdisc().shell(&State::Qdisc(told)), ["# qdisc inner of cake with all its options"]);
    for rate in ["cake bandwidth 5mbit", "cake bandwidth 0bit", "fq bandwidth 8bit", "cake bandwidth -8bit"] {
        assert!(asked_for("", rate).is_err(), "{rate}");
    }
}

#[test]
fn the_shell_makes_the_same_write() {
    let _turn = default_unchanged();
    let namespace = interface("ifb", 1);
    let (before, text) = (State::Qdisc(read(&namespace)), shown(&namespace));
    let wanted = qdisc().wanted(&before, &set("pfifo limit 100")).unwrap();
    assert_eq!(qdisc().shell(&wanted), ["tc qdisc replace dev inner root handle 4e41: pfifo limit 100"]);
    assert_eq!(qdisc().boot_lines(&wanted), Some(qdisc().shell(&wanted)));
    namespace.sh(&qdisc().shell(&wanted).join("\n"));
    assert_eq!(State::Qdisc(read(&namespace)), wanted);
    assert_eq!(
        (qdisc().shell(&before), qdisc().boot_lines(&before)),
        (vec!["tc qdisc del dev inner root".to_owned()], None)
    );
    namespace.sh(&qdisc().shell(&before).join("\n"));
    assert_eq!(shown(&namespace), text);
    let unspelled = QdiscState {
        kind: "tbf".to_owned(),
        options: Contents(vec![1]),
        handle: "1:".to_owned(),
        below: vec![],
        configured: vec![],
    };
    assert_eq!(qdisc().shell(&State::Qdisc(unspelled)), ["# qdisc inner of tbf with all its options"]);
}
