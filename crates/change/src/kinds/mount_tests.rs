use std::path::{Path, PathBuf};

use super::super::network_testing::run;
use super::*;

/// Runs work on a thread with a mount namespace of its own and an empty folder; both are gone after.
fn in_own_namespace(work: impl FnOnce(&Path) + Send) {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            // SAFETY: it concerns this thread alone, which nothing else uses.
            let status = unsafe { libc::unshare(libc::CLONE_NEWNS) };
            assert_eq!(status, 0, "needs root: {}", std::io::Error::last_os_error());
            run("mount", &["--make-rprivate", "/"]);
            work(folder.path());
        });
        inside.join().unwrap();
    });
}

fn mount(folder: &Path, name: &str, arguments: &[&str]) -> Mount {
    let place: PathBuf = folder.join(name);
    std::fs::create_dir(&place).unwrap();
    let mount_point = place.to_str().unwrap().to_owned();
    run("mount", &[arguments, &[&mount_point]].concat());
    Mount { mount_point }
}

fn tmpfs(folder: &Path, options: &str) -> Mount {
    mount(folder, "tmp", &["-t", "tmpfs", "-o", options, "narrows-test"])
}

/// An ext4 in a file, on a loop device that goes with its mount.
fn ext4(folder: &Path, options: &str) -> Mount {
    let image = folder.join("image").to_str().unwrap().to_owned();
    run("truncate", &["-s", "16M", &image]);
    run("mkfs.ext4", &["-q", &image]);
    mount(folder, "disk", &["-o", &format!("loop,{options}"), &image])
}

/// The whole line of mountinfo, blanks escaped as the kernel does.
fn line(mount: &Mount) -> String {
    let table = std::fs::read_to_string(MOUNTINFO).unwrap();
    let place = format!(" {} ", mount.mount_point.replace(' ', "\\040"));
    table.lines().rfind(|line| line.contains(&place)).unwrap().to_owned()
}

fn options(set: &[&str], remove: &[&str]) -> Action {
    let owned = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
    Action::Options { set: owned(set), remove: owned(remove) }
}

/// Changes the mount, checks that it holds what was wanted, and puts it back to the letter.
fn changed_and_put_back(mount: &Mount, set: &[&str], remove: &[&str]) {
    let (before, text) = (mount.read().unwrap(), line(mount));
    let wanted = mount.wanted(&before, &options(set, remove)).unwrap();
    mount.write(&wanted).unwrap();
    let now = mount.read().unwrap();
    assert_eq!(mount.normal(&now), mount.normal(&wanted), "{set:?} {remove:?} on {text}");
    assert_ne!(line(mount), text, "{set:?} {remove:?}");
    mount.write(&before).unwrap();
    assert_eq!((mount.read().unwrap(), line(mount)), (before, text));
}

#[test]
fn the_flags_of_a_mount_are_changed_and_put_back() {
    in_own_namespace(|folder| {
        let mount = tmpfs(folder, "size=1m,nosuid");
        for set in
            [&["noatime"][..], &["strictatime", "nodiratime"], &["ro"], &["nodev", "noexec"], &["suid"]]
        {
            changed_and_put_back(&mount, set, &[]);
        }
        changed_and_put_back(&mount, &[], &["nosuid"]);
        run("mount", &["-o", "remount,noatime,ro", &mount.mount_point]);
        let error = mount.wanted(&mount.read().unwrap(), &options(&["rw"], &[])).unwrap_err();
        assert_eq!(error.why, "the file system itself is read-only");
        changed_and_put_back(&mount, &[], &["noatime"]);
        changed_and_put_back(&mount, &["strictatime"], &[]);
    });
}

#[test]
fn the_size_of_a_tmpfs_is_changed_and_put_back() {
    in_own_namespace(|folder| {
        // The second lists neither: half of memory.
        for made_with in ["size=2m,nr_inodes=500,mode=700", "mode=700"] {
            let mount = tmpfs(folder, made_with);
            changed_and_put_back(&mount, &["size=3m"], &[]);
            changed_and_put_back(&mount, &["size=64m", "nr_inodes=2k", "noatime"], &[]);
            if made_with.contains("size") {
                changed_and_put_back(&mount, &[], &["size", "nr_inodes"]);
            }
            run("umount", &[&mount.mount_point]);
            std::fs::remove_dir(&mount.mount_point).unwrap();
        }
    });
}

#[test]
fn the_options_of_an_ext4_are_changed_and_put_back() {
    in_own_namespace(|folder| {
        let mount = ext4(folder, "noatime");
        changed_and_put_back(&mount, &["relatime"], &[]);
        changed_and_put_back(&mount, &["commit=30", "lazytime"], &["noatime"]);
        changed_and_put_back(&mount, &["discard", "nobarrier"], &[]);
        run("mount", &["-o", "remount,commit=60,nobarrier,discard,lazytime", &mount.mount_point]);
        changed_and_put_back(&mount, &["commit=5", "barrier", "nodiscard", "nolazytime"], &[]);
        changed_and_put_back(&mount, &[], &["commit", "nobarrier", "discard", "lazytime"]);
        changed_and_put_back(&mount, &["commit=7"], &[]);
    });
}

#[test]
fn what_the_file_system_refuses_leaves_the_mount_as_it_was() {
    in_own_namespace(|folder| {
        let mount = tmpfs(folder, "size=4m");
        std::fs::write(Path::new(&mount.mount_point).join("file"), vec![1; 2 << 20]).unwrap();
        let (before, text) = (mount.read().unwrap(), line(&mount));
        let wanted = mount.wanted(&before, &options(&["size=1m", "noatime"], &[])).unwrap();
        let error = mount.write(&wanted).unwrap_err();
        assert_eq!(error.errno, Some(libc::EINVAL), "{error}");
        assert_eq!(line(&mount), text);
    });
}

#[test]
fn the_topmost_mount_is_changed_and_no_other() {
    in_own_namespace(|folder| {
        let mount = mount(folder, "a b", &["-t", "tmpfs", "-o", "size=1m", "below"]);
        let below = line(&mount);
        run("mount", &["-t", "tmpfs", "-o", "size=2m", "above", &mount.mount_point]);
        changed_and_put_back(&mount, &["noatime"], &[]);
        let above = mount.read().unwrap();
        run("umount", &[&mount.mount_point]);
        assert_eq!(line(&mount), below);
        let error = mount.write(&above).unwrap_err();
        assert!(error.why.starts_with("another file system, tmpfs from below"), "{error}");
        // A mount further up hides it: its line is still in the table.
        let hidden = mount.read().unwrap();
        let wanted = mount.wanted(&hidden, &options(&["noatime"], &[])).unwrap();
        run("mount", &["-t", "tmpfs", "over", folder.to_str().unwrap()]);
        std::fs::create_dir(&mount.mount_point).unwrap();
        let error = mount.write(&wanted).unwrap_err();
        assert!(error.why.starts_with("another mount hides it"), "{error}");
    });
}

#[test]
fn options_changed_by_another_program_are_not_guessed_at() {
    in_own_namespace(|folder| {
        let mount = tmpfs(folder, "size=1m,mode=700");
        let State::Values { mut values } = mount.read().unwrap() else { panic!() };
        values.insert(SUPER.to_owned(), values[SUPER].replace("mode=700", "mode=755"));
        let error = mount.write(&State::Values { values }).unwrap_err();
        assert!(error.why.ends_with("`mode=755` is `mode=700` now"), "{error}");
    });
}

#[test]
fn a_file_system_over_a_network_is_refused_before_it_is_touched() {
    let values =
        [("options", "rw,relatime"), ("super", "rw,vers=4.2"), ("type", "nfs4"), ("source", "web:/srv")];
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let now = State::Values { values: values.into() };
    let mount = Mount { mount_point: "/srv".to_owned() };
    assert!(!Mount::takes_a_remount(&now));
    let error = mount.wanted(&now, &options(&["actimeo=600"], &[])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot change the options of /srv: nfs4 does not take other options while it is mounted; \
         edit /etc/fstab, then umount and mount /srv when nothing uses it"
    );
}

#[test]
fn options_whose_absence_cannot_be_put_back_are_refused() {
    in_own_namespace(|folder| {
        let mount = ext4(folder, "noatime");
        let now = mount.read().unwrap();
        for set in ["data=journal", "stripe=4", "compress=zstd", "commit=often", "commit", ""] {
            assert!(mount.wanted(&now, &options(&[set], &[])).is_err(), "{set}");
        }
        assert!(mount.wanted(&now, &Action::Set { value: "noatime".to_owned() }).is_err());
        let nothing = Mount { mount_point: format!("{}/nothing", folder.display()) };
        assert_eq!(nothing.read().unwrap(), State::Absent);
        assert!(nothing.wanted(&State::Absent, &options(&["noatime"], &[])).is_err());
        assert!(nothing.write(&now).is_err());
    });
}

#[test]
fn the_shell_makes_the_same_write() {
    in_own_namespace(|folder| {
        let mount = mount(folder, "it's", &["-t", "tmpfs", "-o", "size=1m,nosuid", "narrows-test"]);
        let wanted = mount.wanted(&mount.read().unwrap(), &options(&["noatime", "size=2m"], &[])).unwrap();
        let shell = mount.shell(&wanted).join("\n");
        assert!(
            shell.starts_with("mount -o remount,rw,nosuid,noatime,size=2048k -- narrows-test '"),
            "{shell}"
        );
        run("sh", &["-c", &shell]);
        assert_eq!(mount.normal(&mount.read().unwrap()), mount.normal(&wanted));
        assert_eq!(mount.boot_lines(&wanted), None);
    });
}
