use super::super::network_testing::Namespace;
use super::*;

fn channels() -> Channels {
    Channels { interface: "inner".to_owned(), namespace: None }
}

fn set(value: &str) -> Action {
    Action::Set { value: value.to_owned() }
}

fn state(values: &[(&str, &str)]) -> State {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    State::Values { values }
}

fn veth() -> Namespace {
    let namespace = Namespace::new();
    namespace.ip(
        "link add inner numrxqueues 4 numtxqueues 4 type veth peer name outer numrxqueues 4 numtxqueues 4",
    );
    namespace
}

#[test]
fn the_queues_of_a_veth_are_set_and_put_back() {
    let (namespace, channels) = (veth(), channels());
    let shown = || namespace.sh("ethtool -l inner");
    let (before, now) = (shown(), namespace.run(|| channels.read()).unwrap());
    assert_eq!(now, state(&[("rx", "4"), ("tx", "4")]), "{before}");

    let wanted = namespace.run(|| channels.wanted(&now, &set("rx=2 tx=3"))).unwrap();
    namespace.run(|| channels.write(&wanted)).unwrap();
    assert_eq!(namespace.run(|| channels.read()).unwrap(), state(&[("rx", "2"), ("tx", "3")]));
    assert_ne!(shown(), before);

    namespace.run(|| channels.write(&now)).unwrap();
    assert_eq!(shown(), before);
}

#[test]
fn steering_that_goes_with_a_queue_comes_back_with_it() {
    let namespace = veth();
    let channels = Channels { namespace: NetworkNamespace::find(namespace.name()).ok(), ..channels() };
    let steering = "/sys/class/net/inner/queues/rx-3/rps_cpus";
    namespace.sh(&format!("echo 1 > {steering}"));
    let before = channels.read().unwrap();
    let wanted = channels.wanted(&before, &set("rx=2 tx=2")).unwrap();
    channels.write(&wanted).unwrap();
    assert_eq!(namespace.sh(&format!("cat {steering} 2>/dev/null || echo gone")).trim(), "gone");
    // As after a kill between the two writes of an undo: the queues are back, their steering is not.
    namespace.sh("ethtool -L inner rx 4 tx 4");
    assert!(channels.normal(&channels.read().unwrap()) == channels.normal(&before));
    assert_eq!(namespace.sh(&format!("cat {steering}")).trim(), "0");
    channels.write(&before).unwrap();
    assert_eq!((namespace.sh(&format!("cat {steering}")).trim(), channels.read().unwrap()), ("1", before));
}

#[test]
fn the_shell_makes_the_same_write() {
    let (namespace, channels) = (veth(), channels());
    let wanted = state(&[("rx", "3"), ("tx", "1")]);
    assert_eq!(channels.shell(&wanted), ["ethtool -L inner rx 3 tx 1"]);
    namespace.sh(&channels.shell(&wanted).join("\n"));
    assert_eq!(namespace.run(|| channels.read()).unwrap(), wanted);
    assert_eq!(channels.boot_lines(&wanted), Some(channels.shell(&wanted)));
}

#[test]
fn more_than_the_device_has_is_refused_with_its_maximum() {
    let (namespace, channels) = (veth(), channels());
    let now = state(&[("rx", "4"), ("tx", "4")]);
    let error = namespace.run(|| channels.check(&channels.wanted(&now, &set("rx=5")).unwrap())).unwrap_err();
    assert_eq!(error.why, "the device takes at most 4 rx channels");
    let error = namespace.run(|| channels.write(&state(&[("tx", "5")]))).unwrap_err();
    assert_eq!(error.why, "the device takes at most 4 tx channels");
    let error = namespace.run(|| channels.write(&state(&[("rx", "0")]))).unwrap_err();
    assert_eq!(error.errno, Some(libc::EINVAL), "{error}");
    assert_eq!(namespace.run(|| channels.read()).unwrap(), now);
}

#[test]
fn a_number_alone_means_pairs() {
    let channels = channels();
    let pairs = state(&[("combined", "1"), ("other", "1")]);
    let four = channels.wanted(&pairs, &set("4")).unwrap();
    assert_eq!(four, state(&[("combined", "4"), ("other", "1")]));
    let directions = state(&[("rx", "1"), ("tx", "1")]);
    let error = channels.wanted(&directions, &set("4")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot change channels inner: the device counts its queues by direction; say it as rx=1 tx=1"
    );
    for value in ["", "many", "combined=x", "rx=1", "combined=1 2"] {
        assert!(channels.wanted(&pairs, &set(value)).is_err(), "{value}");
    }
    assert!(channels.wanted(&State::Absent, &set("4")).is_err());
}

#[test]
fn no_channels_of_a_kind_is_as_good_as_no_such_kind() {
    let channels = channels();
    let told = channels.normal(&state(&[("combined", "04"), ("rx", "0")]));
    assert_eq!(told, channels.normal(&state(&[("combined", "4")])));
    assert_ne!(told, channels.normal(&state(&[("combined", "5")])));
}

#[test]
fn a_device_that_does_not_tell_its_queues_says_so() {
    let namespace = Namespace::new();
    let channels = Channels { interface: "lo".to_owned(), namespace: None };
    let error = namespace.run(|| channels.read()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read channels lo: its driver does not tell its queues");
    let gone = Channels { interface: "gone0".to_owned(), namespace: None };
    assert_eq!(namespace.run(|| gone.read()).unwrap(), State::Absent);
}
