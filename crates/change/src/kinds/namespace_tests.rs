use super::*;
use crate::kinds::kernel_testing::{Namespace, Sleeper, shell};

/// The inode of the namespace that the work runs in.
fn here() -> Result<u64, ChangeError> {
    Ok(inode(Path::new(OWN)).unwrap())
}

fn interfaces() -> Result<Vec<String>, ChangeError> {
    let mut names: Vec<_> = entries("/sys/class/net").collect();
    names.sort();
    Ok(names)
}

/// A named namespace, as seen through a process in it.
fn seen(namespace: &Namespace) -> NetworkNamespace {
    NetworkNamespace::of_process(namespace.process().0.id()).unwrap()
}

#[test]
fn a_namespace_is_found_again_by_its_name() {
    let made = Namespace::new();
    let found = seen(&made);
    assert_eq!(found.name.as_ref(), Some(&made.0));
    assert_ne!(here().unwrap(), found.inode);
    assert_eq!(within(Some(&found), here).unwrap(), Some(found.inode));
    assert_eq!(within(None, here).unwrap(), Some(here().unwrap()));
}

#[test]
fn a_namespace_without_a_name_is_found_again_by_any_process_in_it() {
    let sleeper = Sleeper::wait_in(std::process::Command::new("unshare").arg("--net"));
    let found = NetworkNamespace::of_process(sleeper.0.id()).unwrap();
    assert_eq!(found.name, None);
    assert_eq!(within(Some(&found), here).unwrap(), Some(found.inode));
    let of_another_process = NetworkNamespace { process: None, ..found.clone() };
    assert_eq!(within(Some(&of_another_process), here).unwrap(), Some(found.inode));
    drop(sleeper);
    assert_eq!(within(Some(&found), here).unwrap(), None);
}

#[test]
fn the_namespace_of_the_first_process_needs_no_description() {
    let made = Namespace::new();
    let keeper = made.process();
    let found = seen(&made);
    let inside = PathBuf::from(format!("/proc/{}/ns/net", keeper.0.id()));
    assert_eq!(within(Some(&found), || Ok(NetworkNamespace::apart_from(&inside))).unwrap(), Some(None));
    let outside = PathBuf::from(format!("/proc/{}/ns/net", std::process::id()));
    let current = within(Some(&found), || Ok(NetworkNamespace::apart_from(&outside))).unwrap().flatten();
    assert_eq!(current, Some(NetworkNamespace { process: None, ..found }));
    assert_eq!(NetworkNamespace::apart_from(Path::new("/proc/none/ns/net")), None);
}

#[test]
fn work_that_is_there_already_stays_on_its_thread() {
    let made = Namespace::new();
    let found = seen(&made);
    let inside = within(Some(&found), || {
        let outer = thread::current().id();
        let inner = within(Some(&found), || Ok(thread::current().id()))?;
        Ok((outer, inner))
    });
    let (outer, inner) = inside.unwrap().unwrap();
    assert_eq!(Some(outer), inner);
}

#[test]
fn sysfs_shows_the_interfaces_of_the_namespace_and_nobody_else_sees_the_mount() {
    let made = Namespace::new();
    made.ip(&["link", "add", "narrows0", "type", "veth", "peer", "narrows1"]);
    let found = seen(&made);
    assert_eq!(within_sysfs(Some(&found), interfaces).unwrap().unwrap(), ["lo", "narrows0", "narrows1"]);
    let nested = within(Some(&found), || within_sysfs(Some(&found), interfaces));
    assert_eq!(nested.unwrap().unwrap().unwrap(), ["lo", "narrows0", "narrows1"]);
    assert!(!interfaces().unwrap().contains(&"narrows0".to_owned()));
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains("narrows /sys"), "{mounts}");
}

#[test]
fn a_namespace_of_another_boot_has_gone() {
    let made = Namespace::new();
    let found = NetworkNamespace { boot_id: "before".to_owned(), ..seen(&made) };
    assert_eq!(within(Some(&found), here).unwrap(), None);
    assert_eq!(within_sysfs(Some(&found), here).unwrap(), None);
    let error = written_in("x", within(Some(&found), || Ok(()))).unwrap_err();
    assert!(error.to_string().contains("has gone"), "{error}");
    assert_eq!(read_in(within(Some(&found), || Ok(State::text("1")))).unwrap(), State::Absent);
}

/// The kernel gives the inode of a namespace that has gone to the next one; only the cookie tells them apart.
#[test]
fn a_namespace_that_was_made_anew_is_not_taken_for_the_old_one() {
    let made = Namespace::new();
    let now = seen(&made);
    assert!(now.cookie.is_some(), "this test needs Linux 5.14 (SO_NETNS_COOKIE)");
    let gone = NetworkNamespace { cookie: now.cookie.map(|cookie| cookie + 1), ..now.clone() };
    assert_eq!(within(Some(&gone), here).unwrap(), None);
    let of_an_old_kernel = NetworkNamespace { cookie: None, ..now.clone() };
    assert_eq!(within(Some(&of_an_old_kernel), here).unwrap(), Some(now.inode));
}

#[test]
fn a_name_that_now_leads_elsewhere_is_not_followed() {
    let (one, two) = (Namespace::new(), Namespace::new());
    let keeper = one.process();
    let found = NetworkNamespace { name: Some(two.0.clone()), ..seen(&one) };
    assert_eq!(within(Some(&found), here).unwrap(), Some(found.inode));
    let nowhere = Path::new(NAMES).join("../netns/none");
    assert!(found.open_if_same(&nowhere).is_none());
    drop(keeper);
}

#[test]
fn errors_of_the_work_come_back() {
    let made = Namespace::new();
    let failed = within::<()>(Some(&seen(&made)), || Err(ChangeError::new("try", "no")));
    assert_eq!(failed.unwrap_err(), ChangeError::new("try", "no"));
    assert!(NetworkNamespace::of_process(u32::MAX).is_err());
}

#[test]
fn the_lines_of_shell_run_inside() {
    let made = Namespace::new();
    made.ip(&["link", "add", "narrows0", "type", "veth", "peer", "narrows1"]);
    let keeper = made.process();
    let by_name = seen(&made);
    let by_process = NetworkNamespace { name: None, process: Some(keeper.0.id()), ..by_name.clone() };
    let by_inode = NetworkNamespace { process: None, ..by_process.clone() };
    let folder = tempfile::tempdir().unwrap();
    for namespace in [by_name, by_process, by_inode] {
        for (sysfs, expected) in [(false, None), (true, Some("lo\nnarrows0\nnarrows1\n"))] {
            let path = folder.path().join("it's here");
            let quoted_path = quoted(path.to_str().unwrap());
            let line =
                format!("readlink /proc/self/ns/net > {quoted_path}; ls /sys/class/net >> {quoted_path}");
            shell(&[namespace.shell(&line, sysfs)]);
            let text = fs::read_to_string(&path).unwrap();
            let (link, names) = text.split_once('\n').unwrap();
            assert_eq!(link, format!("net:[{}]", namespace.inode));
            assert!(expected.is_none_or(|expected| names == expected), "{names}");
        }
    }
}

#[test]
fn only_a_name_finds_a_namespace_after_a_boot() {
    let named = NetworkNamespace {
        inode: 1,
        boot_id: String::new(),
        name: Some("web".to_owned()),
        process: None,
        cookie: None,
    };
    let lines = |namespace: Option<&NetworkNamespace>| {
        boot_lines_in(namespace, "net.core.somaxconn", vec!["true x".to_owned()])
    };
    assert_eq!(lines(Some(&named)), ["ip netns exec web sh -c 'true x'"]);
    assert_eq!(lines(None), ["true x"]);
    let nameless = NetworkNamespace { name: None, ..named.clone() };
    assert!(lines(Some(&nameless)).iter().all(|line| line.starts_with("# net.core.somaxconn: ")));
}
