use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use model::Edit;
use rustix::process::umask;
use tempfile::TempDir;

use super::*;
use crate::Contents;
use crate::own_namespaces::{run, with_own_mounts};

fn file(path: &Path) -> File {
    File { path: path.to_str().unwrap().to_owned() }
}

fn folder() -> (TempDir, std::path::PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().canonicalize().unwrap();
    (folder, path)
}

fn line() -> Action {
    Action::Edit { edits: vec![Edit::Line { line: "x".to_owned(), present: true }] }
}

fn text(contents: &[u8]) -> State {
    State::File(FileState {
        contents: Contents(contents.to_vec()),
        uid: 0,
        gid: 0,
        mode: 0o644,
        modified: FileState::MODIFIED_BY_WRITING,
        attributes: std::collections::BTreeMap::new(),
        links: 0,
    })
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_full_disk_leaves_the_old_file_and_nothing_else() {
    let (_guard, folder) = folder();
    with_own_mounts(|| {
        let mount = folder.to_str().unwrap();
        run("mount", &["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", mount]);
        let kept = file(&folder.join("x"));
        fs::write(&kept.path, "old\n").unwrap();
        let original = kept.read().unwrap();
        for path in ["x", "new/deep/x"] {
            let error = file(&folder.join(path)).write(&text(&[b'a'; 1 << 20])).unwrap_err();
            assert_eq!(error.errno, Some(libc::ENOSPC));
            assert!(error.to_string().contains("write the new file: No space left"), "{error}");
            assert!(error.to_string().contains("see df and df -i"), "{error}");
        }
        assert_eq!((names(&folder), kept.read().unwrap()), (vec!["x".to_owned()], original));
    });
}

#[test]
fn a_disk_without_inodes_leaves_the_old_file_and_nothing_else() {
    let (_guard, folder) = folder();
    with_own_mounts(|| {
        let mount = folder.to_str().unwrap();
        run("mount", &["mount", "-t", "tmpfs", "-o", "nr_inodes=3", "tmpfs", mount]);
        let error = file(&folder.join("a/b/x")).write(&text(b"new\n")).unwrap_err();
        assert_eq!(error.errno, Some(libc::ENOSPC), "{error}");
        assert_eq!(names(&folder), [""; 0]);
    });
}

#[test]
fn a_read_only_file_system_is_named() {
    let (_guard, folder) = folder();
    let path = folder.join("x");
    fs::write(&path, "old\n").unwrap();
    with_own_mounts(|| {
        let mount = folder.to_str().unwrap();
        run("mount", &["mount", "--bind", mount, mount]);
        run("mount", &["mount", "-o", "remount,bind,ro", mount]);
        for state in [text(b"new\n"), State::Link { to: "a".to_owned() }, State::Absent] {
            let error = file(&path).write(&state).unwrap_err();
            assert_eq!(error.errno, Some(libc::EROFS));
            assert!(error.to_string().contains("mounted read-only: see findmnt"), "{error}");
        }
    });
    assert_eq!((names(&folder), fs::read(&path).unwrap()), (vec!["x".to_owned()], b"old\n".to_vec()));
}

/// Makes a file immutable for as long as it lives.
struct Immutable<'a>(&'a str);

impl<'a> Immutable<'a> {
    fn new(path: &'a str) -> Self {
        run("e2fsprogs", &["chattr", "+i", path]);
        Self(path)
    }
}

impl Drop for Immutable<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("chattr").args(["-i", self.0]).status();
    }
}

#[test]
fn an_immutable_file_or_directory_is_told_with_what_lifts_it() {
    let (_guard, folder) = folder();
    let path = folder.join("x");
    fs::write(&path, "old\n").unwrap();
    for immutable in [&path, &folder] {
        let _immutable = Immutable::new(immutable.to_str().unwrap());
        for state in [text(b"new\n"), State::Link { to: "a".to_owned() }, State::Absent] {
            let error = file(&path).write(&state).unwrap_err();
            assert_eq!(error.errno, Some(libc::EPERM));
            assert!(error.to_string().contains("chattr -i"), "{error}");
        }
        assert_eq!((names(&folder), fs::read(&path).unwrap()), (vec!["x".to_owned()], b"old\n".to_vec()));
    }
}

#[test]
fn a_file_that_a_container_runtime_mounted_is_left_alone() {
    let (_guard, folder) = folder();
    let (path, other) = (folder.join("x"), folder.join("other"));
    fs::write(&path, "old\n").unwrap();
    fs::write(&other, "mounted\n").unwrap();
    with_own_mounts(|| {
        run("mount", &["mount", "--bind", other.to_str().unwrap(), path.to_str().unwrap()]);
        let error = file(&path).write(&text(b"new\n")).unwrap_err();
        assert_eq!(error.errno, Some(libc::EBUSY));
        assert!(error.to_string().contains("a mount of its own"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"mounted\n");
        assert_eq!(names(&folder).len(), 2);
    });
}

#[test]
fn a_file_with_two_names_is_not_parted_from_the_other() {
    let (_guard, folder) = folder();
    let path = folder.join("x");
    fs::write(&path, "a\n").unwrap();
    fs::hard_link(&path, folder.join("y")).unwrap();
    let now = file(&path).read().unwrap();
    let error = file(&path).wanted(&now, &line()).unwrap_err();
    assert!(error.to_string().contains("the file has 2 names (hard links)"), "{error}");
    fs::remove_file(folder.join("y")).unwrap();
    let one = file(&path).read().unwrap();
    assert_eq!(file(&path).normal(&one), file(&path).normal(&now));
    assert!(file(&path).wanted(&one, &line()).is_ok());
}

#[test]
fn what_is_no_file_is_neither_read_nor_waited_for() {
    let (_guard, folder) = folder();
    let pipe = folder.join("pipe");
    run("coreutils", &["mkfifo", pipe.to_str().unwrap()]);
    for path in [&pipe, &folder, Path::new("/dev/tty"), Path::new("/dev/null")] {
        let error = file(path).read().unwrap_err();
        assert!(error.to_string().contains("it is neither a regular file nor a link"), "{error}");
    }
    assert!(file(&folder).write(&State::Absent).is_err());
    let (key, value) = ("x".to_owned(), "1".to_owned());
    assert!(file(&folder).wanted(&State::Absent, &Action::Set { value: value.clone() }).is_err());
    let values = State::Values { values: [(key, value)].into() };
    assert!(file(&folder.join("new")).write(&values).is_err());
    assert_eq!(names(&folder), ["pipe"]);
}

#[test]
fn a_file_of_more_than_16_mib_is_refused_and_one_of_16_mib_is_read() {
    let (_guard, folder) = folder();
    let path = folder.join("x");
    let sparse = fs::File::create(&path).unwrap();
    sparse.set_len(16 << 20).unwrap();
    assert!(file(&path).read().is_ok());
    sparse.set_len((16 << 20) + 1).unwrap();
    let error = file(&path).read().unwrap_err();
    assert!(error.to_string().contains("it has more than 16 MiB"), "{error}");
}

#[test]
fn something_else_under_the_temporary_name_is_not_removed() {
    let (_guard, folder) = folder();
    let path = folder.join("x");
    fs::create_dir(folder.join(".x.narrows-new")).unwrap();
    let error = file(&path).write(&text(b"a\n")).unwrap_err();
    assert!(error.to_string().contains("narrows did not make it; move it away"), "{error}");
    assert_eq!(names(&folder), [".x.narrows-new"]);
}

#[test]
fn a_link_on_the_way_is_not_followed_but_resolved_beforehand() {
    let (_guard, folder) = folder();
    fs::create_dir(folder.join("real")).unwrap();
    symlink("real", folder.join("way")).unwrap();
    let linked = file(&folder.join("way/x"));
    for error in [linked.write(&text(b"a\n")).unwrap_err(), linked.read().unwrap_err()] {
        assert!(error.to_string().contains("give the path that realpath prints"), "{error}");
    }
    assert_eq!(names(&folder.join("real")), [""; 0]);
    let real = resolved(&linked.path).unwrap();
    assert_eq!(Path::new(&real), folder.join("real/x"));
    file_named(&real).write(&text(b"a\n")).unwrap();
    for path in ["etc/x", "/etc/../etc/x", "/etc//x", "/etc/", "/", "", "/etc/./x", "/etc/a\0b"] {
        assert!(file_named(path).read().is_err(), "{path:?}");
    }
}

fn file_named(path: &str) -> File {
    File { path: path.to_owned() }
}

#[test]
fn links_are_followed_to_what_need_not_exist_but_not_in_circles() {
    let (_guard, folder) = folder();
    let at = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    fs::create_dir(folder.join("d")).unwrap();
    symlink("../d/./e/f", folder.join("d/first")).unwrap();
    symlink(at("d/first"), folder.join("second")).unwrap();
    assert_eq!(resolved(&at("second")).unwrap(), at("d/e/f"));
    assert_eq!(resolved(&at("second/g/h")).unwrap(), at("d/e/f/g/h"));
    assert_eq!(resolved(&at("d/../d//x")).unwrap(), at("d/x"));
    assert!(resolved(&at("none/../x")).is_err());
    assert!(resolved("etc/x").is_err());

    symlink("circle", folder.join("circle")).unwrap();
    let error = resolved(&at("circle")).unwrap_err();
    assert!(error.to_string().contains("more than 8 links, perhaps in a circle"), "{error}");
    for number in 0..9 {
        symlink(at(&format!("chain{}", number + 1)), folder.join(format!("chain{number}"))).unwrap();
    }
    assert_eq!(resolved(&at("chain1")).unwrap(), at("chain9"));
    assert!(resolved(&at("chain0")).is_err());

    symlink("/proc/sys/vm/swappiness", folder.join("kernel")).unwrap();
    for path in [&at("kernel"), "/sys/kernel", "/dev/null", "/etc/../proc/x"] {
        let error = resolved(path).unwrap_err();
        assert!(error.to_string().contains("is the kernel's"), "{path}: {error}");
    }
    assert_eq!(resolved("/device").unwrap(), "/device");
}

#[test]
fn neither_the_umask_nor_the_directory_decides_the_mode_of_what_is_made() {
    let (_guard, folder) = folder();
    run("coreutils", &["chgrp", "4", folder.to_str().unwrap()]);
    run("coreutils", &["chmod", "2755", folder.to_str().unwrap()]);
    let path = folder.join("d/x");
    // The umask belongs to the thread there, with the namespace.
    with_own_mounts(|| {
        umask(rustix::fs::Mode::from_raw_mode(0o077));
        file(&path).write(&text(b"a\n")).unwrap();
    });
    let modes = run(
        "coreutils",
        &["stat", "-c", "%a %u:%g", folder.join("d").to_str().unwrap(), path.to_str().unwrap()],
    );
    assert_eq!(modes, "755 0:0\n644 0:0\n");
}
