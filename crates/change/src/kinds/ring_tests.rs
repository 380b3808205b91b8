use super::super::network_testing::Namespace;
use super::*;

fn ring(side: RingSide) -> Ring {
    Ring { interface: "inner".to_owned(), side, namespace: None }
}

fn set(value: &str) -> Action {
    Action::Set { value: value.to_owned() }
}

#[test]
fn the_other_rings_keep_their_sizes() {
    let values = Values { most: [1024, 7, 8, 512], now: [256, 1, 2, 128] };
    assert_eq!(RingSide::Receive.with(&values, 1024).now, [1024, 1, 2, 128]);
    assert_eq!(RingSide::Transmit.with(&values, 512).now, [256, 1, 2, 512]);
    assert_eq!((RingSide::Receive.of(&values), RingSide::Transmit.of(&values)), ((1024, 256), (512, 128)));
}

#[test]
fn a_size_above_the_maximum_names_it_and_what_to_ask_for() {
    let values = Values { most: [256, 0, 0, 256], now: [256, 0, 0, 256] };
    let error = ring(RingSide::Receive).fits("write 1024 to rx ring inner", &values, 1024).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot write 1024 to rx ring inner: the device takes at most 256 descriptors; \
         on a virtual machine, ask the hypervisor for rx_queue_size=1024"
    );
}

#[test]
fn only_a_number_is_a_size() {
    let (ring, now) = (ring(RingSide::Receive), State::text("256"));
    for value in ["", "many", "-1", "0", "1e3", "4294967296"] {
        assert!(ring.wanted(&now, &set(value)).is_err(), "{value}");
    }
    assert!(ring.wanted(&now, &Action::Load).is_err());
    assert!(ring.wanted(&State::Absent, &set("512")).is_err());
    assert_eq!(ring.wanted(&now, &set(" 512 ")).unwrap(), State::text("512"));
    assert_eq!(ring.normal(&State::text("0512")), State::text("512"));
}

#[test]
fn a_driver_without_rings_says_so() {
    let namespace = Namespace::new();
    namespace.ip("link add inner type veth peer name outer");
    let ring = ring(RingSide::Transmit);
    let (read, written) = namespace.run(|| (ring.read(), ring.write(&State::text("512"))));
    assert_eq!(read.unwrap_err().to_string(), "cannot read tx ring inner: its driver has no rings");
    assert_eq!(written.unwrap_err().errno, Some(libc::EOPNOTSUPP));
}

#[test]
fn an_interface_that_is_not_there_is_absent() {
    let ring = ring(RingSide::Receive);
    let (read, written) = Namespace::new().run(|| (ring.read(), ring.write(&State::text("512"))));
    assert_eq!(read.unwrap(), State::Absent);
    assert_eq!(
        written.unwrap_err().to_string(),
        "cannot write 512 to rx ring inner: there is no interface inner any more"
    );
}

#[test]
fn the_shell_runs_it_where_the_interface_is() {
    let mut ring = ring(RingSide::Receive);
    let to = State::text("1024");
    assert_eq!(ring.shell(&to), ["ethtool -G inner rx 1024"]);
    assert_eq!(ring.boot_lines(&to).unwrap(), ["ethtool -G inner rx 1024"]);
    let mut namespace = NetworkNamespace {
        inode: 9,
        boot_id: String::new(),
        name: Some("a b".to_owned()),
        process: Some(7),
        cookie: None,
    };
    ring.namespace = Some(namespace.clone());
    assert_eq!(ring.shell(&to), ["ip netns exec 'a b' ethtool -G inner rx 1024"]);
    namespace.name = None;
    ring.namespace = Some(namespace);
    assert_eq!(ring.shell(&to), ["nsenter --net=/proc/7/ns/net ethtool -G inner rx 1024"]);
    assert_eq!(ring.boot_lines(&to).unwrap(), [""; 0]);
    assert_eq!(ring.name(), "rx ring inner in net:[9]");
}
