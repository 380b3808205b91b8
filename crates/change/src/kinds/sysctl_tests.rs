use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::kinds::kernel_testing::{Namespace, Restored, machine_alone, run, set, set_and_put_back, shell};

fn sysctl(key: &str) -> Sysctl {
    Sysctl { key: key.to_owned(), namespace: None }
}

/// A parameter in a network namespace, which must be kept.
fn inside(namespace: &Namespace, key: &str) -> Sysctl {
    let seen = NetworkNamespace::of_process(namespace.process().0.id()).unwrap();
    Sysctl { key: key.to_owned(), namespace: Some(seen) }
}

fn action(value: &str) -> Action {
    Action::Set { value: value.to_owned() }
}

fn both(pair: [&str; 2], values: [&str; 2]) -> State {
    State::Values { values: [0, 1].map(|at| (pair[at].to_owned(), values[at].to_owned())).into() }
}

#[test]
fn values_of_every_shape_are_set_and_put_back() {
    let namespace = Namespace::new();
    namespace.ip(&["link", "add", "narrows0.7", "type", "veth", "peer", "narrows1"]);
    for (key, value) in [
        ("net.core.somaxconn", "8192"),
        ("net.ipv4.tcp_rmem", "4096 131072 16777216"),
        ("net.ipv4.ip_local_port_range", "10240 65535"),
        ("net.ipv4.tcp_congestion_control", "reno"),
        ("net.ipv4.ip_local_reserved_ports", "9148,8080,8081-8090"),
        ("net/ipv4/conf/narrows0.7/rp_filter", "2"),
        ("net.ipv4.conf.narrows0/7.rp_filter", "2"),
    ] {
        set_and_put_back(&inside(&namespace, key), value);
    }
}

/// Keys of the files below a folder of `/proc/sys` that can be read and written.
fn writable_below(folder: &str, keys: &mut Vec<String>) {
    for entry in std::fs::read_dir(Path::new("/proc/sys").join(folder)).unwrap() {
        let entry = entry.unwrap();
        let key = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        let status = entry.metadata().unwrap();
        if status.is_dir() {
            writable_below(&key, keys);
        } else if status.permissions().mode() & 0o600 == 0o600 {
            keys.push(key);
        }
    }
}

#[test]
fn every_parameter_of_a_namespace_takes_back_what_it_gave() {
    let namespace = Namespace::new();
    let seen = NetworkNamespace::of_process(namespace.process().0.id()).unwrap();
    let taken_back = || {
        let mut keys = vec![];
        writable_below("net", &mut keys);
        for key in &keys {
            let target = sysctl(key);
            // Some have nothing to read until they are set, such as net.ipv6.conf.*.stable_secret.
            let Ok(before) = target.read() else { continue };
            target.write(&before).unwrap();
            assert_eq!(target.read().unwrap(), before, "{key}");
        }
        Ok(keys.len())
    };
    assert!(within(Some(&seen), taken_back).unwrap().is_some_and(|count| count > 100));
}

#[test]
fn an_empty_value_is_put_back() {
    let namespace = Namespace::new();
    let ports = inside(&namespace, "net.ipv4.ip_local_reserved_ports");
    assert_eq!(ports.read().unwrap(), State::text(""));
    ports.write(&State::text("8080")).unwrap();
    assert_eq!(ports.read().unwrap(), State::text("8080"));
    ports.write(&State::text("")).unwrap();
    assert_eq!(ports.read().unwrap(), State::text(""));
}

#[test]
fn the_spelling_of_the_kernel_means_the_same() {
    let same = |key: &str, left: &str, right: &str| {
        let sysctl = sysctl(key);
        sysctl.normal(&State::text(left)) == sysctl.normal(&State::text(right))
    };
    assert!(same("net.ipv4.tcp_rmem", "4096\t131072\t6291456", "4096 131072  6291456 "));
    assert!(same("net.ipv4.ip_local_reserved_ports", "8080-8082,9148", "9148,8081,8080,8082"));
    assert!(same("net/core/rps_sock_flow_entries", "30000", "32768"));
    assert!(same("net.core.flow_limit_cpu_bitmap", "00000000,0000000f", "f"));
    assert!(same("net.ipv4.tcp_allowed_congestion_control", "reno cubic", "cubic reno"));
    assert!(!same("net.core.somaxconn", "30000", "32768"));
    assert!(!same("net.core.rps_sock_flow_entries", "4294967295", "0"));
}

#[test]
fn a_namespace_that_has_gone_holds_nothing_and_takes_nothing() {
    let namespace = Namespace::new();
    let somaxconn = inside(&namespace, "net.core.somaxconn");
    assert_ne!(somaxconn.read().unwrap(), State::Absent);
    drop(namespace);
    assert_eq!(somaxconn.read().unwrap(), State::Absent);
    let error = somaxconn.write(&State::text("128")).unwrap_err();
    assert!(error.to_string().contains("namespace it belongs to has gone"), "{error}");
    assert!(somaxconn.wanted(&State::Absent, &action("128")).is_err());
}

#[test]
fn a_refused_value_is_named_with_the_errno() {
    let namespace = Namespace::new();
    let error = inside(&namespace, "net.core.somaxconn").write(&State::text("many")).unwrap_err();
    assert_eq!(error.errno, Some(libc::EINVAL));
    assert!(error.attempted.starts_with("write many to net.core.somaxconn"), "{error}");
    let error =
        inside(&namespace, "net.ipv4.tcp_congestion_control").write(&State::text("none")).unwrap_err();
    assert_eq!(error.errno, Some(libc::ENOENT));
    let error = inside(&namespace, "net.core.somaxconn").write(&State::text("64 32")).unwrap_err();
    assert!(error.why.contains("took only the first"), "{error}");
}

#[test]
fn names_of_no_parameter_are_refused() {
    for key in ["", "...", "net/../../../etc/passwd", "net.ipv4.conf.*.rp_filter", "a\0b"] {
        let error = sysctl(key).read().unwrap_err();
        assert!(error.attempted.starts_with("find the kernel parameter"), "{key:?}: {error}");
        assert!(sysctl(key).write(&State::text("1")).is_err(), "{key:?}");
        assert_eq!(sysctl(key).shell(&State::text("1")), [""; 0], "{key:?}");
    }
    let error = sysctl("net.core.no_such_thing").read().unwrap_err();
    assert_eq!(error.errno, Some(libc::ENOENT));
    assert!(sysctl("net.core.somaxconn").write(&State::Absent).is_err());
    assert!(sysctl("net.core.somaxconn").wanted(&State::text("1"), &Action::Load).is_err());
}

#[test]
fn setting_one_of_a_pair_sets_the_other_to_zero_and_back() {
    let _alone = machine_alone();
    for (pair, [bytes, percent]) in
        PAIRS.iter().zip([["1073741824", "30"], ["268435456", "5"], ["65536", "60"]])
    {
        let [amount, share] = pair.map(sysctl);
        let restored = Restored::new(&amount);
        let by_bytes = set(&amount, bytes);
        assert_eq!(by_bytes, both(*pair, [bytes, "0"]));
        amount.write(&by_bytes).unwrap();
        assert_eq!(share.read().unwrap(), by_bytes);

        let by_percent = set(&share, percent);
        share.write(&by_percent).unwrap();
        assert_eq!(amount.read().unwrap(), both(*pair, ["0", percent]));

        amount.write(&by_bytes).unwrap();
        assert_eq!(amount.read().unwrap(), by_bytes);
        shell(&amount.shell(&by_percent));
        assert_eq!(amount.read().unwrap(), by_percent);
        share.write(&restored.before).unwrap();
        assert_eq!(amount.read().unwrap(), restored.before);
    }
}

#[test]
fn a_pair_of_zeros_can_be_put_back() {
    let _alone = machine_alone();
    let pair = PAIRS[0];
    let [amount, share] = pair.map(sysctl);
    let _restored = Restored::new(&amount);
    let zeros = set(&share, "0");
    assert_eq!(zeros, both(pair, ["0", "0"]));
    for from in [set(&amount, "1073741824"), set(&share, "30"), zeros.clone()] {
        amount.write(&from).unwrap();
        assert_eq!(amount.read().unwrap(), from);
        amount.write(&zeros).unwrap();
        assert_eq!(amount.read().unwrap(), zeros);
    }
}

#[test]
fn a_pair_that_cannot_be_is_refused_before_it_is_written() {
    let bytes = sysctl("vm/dirty_bytes");
    let now = both(PAIRS[0], ["0", "20"]);
    let error = bytes.wanted(&now, &action("0")).unwrap_err();
    assert_eq!(error.help.as_deref(), Some("set vm.dirty_ratio instead"));
    assert!(bytes.write(&both(PAIRS[0], ["8192", "20"])).is_err());
    assert!(bytes.write(&State::text("8192")).is_err());
}

#[test]
fn the_lines_of_shell_make_the_same_change() {
    let namespace = Namespace::new();
    for (key, value) in [
        ("net.ipv4.tcp_rmem", "4096 131072 16777216"),
        ("net.ipv4.ip_local_reserved_ports", "8080"),
        ("net.ipv4.ip_local_reserved_ports", ""),
    ] {
        let target = inside(&namespace, key);
        let wanted = State::text(value);
        shell(&target.shell(&wanted));
        assert_eq!(target.normal(&target.read().unwrap()), wanted, "{key}");
        let boot = target.boot_lines(&wanted).unwrap();
        assert_eq!(boot, target.shell(&wanted), "a named namespace is found by its name");
    }
    let own = sysctl("net.ipv4.tcp_rmem");
    assert_eq!(
        own.shell(&State::text("4096 131072 6291456")),
        [r"printf '%s\n' '4096 131072 6291456' > /proc/sys/net/ipv4/tcp_rmem"]
    );
    assert_eq!(own.boot_lines(&State::text("1")), None);
    let read = run("sysctl", "procps", &["-n", "net.core.somaxconn"]);
    assert_eq!(sysctl("net.core.somaxconn").read().unwrap(), State::text(read.trim()));
}
