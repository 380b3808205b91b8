use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustix::process::{Pid, Signal, kill_process};
use rustix::thread::UnshareFlags;
use tempfile::TempDir;

use super::*;
use crate::own_namespaces::{self, apart, with_own_mounts};

fn activation(unit: &str, how: ActivationKind) -> Activation {
    Activation { unit: unit.to_owned(), how }
}

fn reload(unit: &str) -> Result<ActivationOutcome, ChangeError> {
    activate(&activation(unit, ActivationKind::Reload))
}

/// Runs `work` where Nginx has a copy of its configuration, an empty `/run` and no network. Nginx is ended with it.
fn beside_nginx(work: impl FnOnce() + Send) {
    struct Ended;
    impl Drop for Ended {
        fn drop(&mut self) {
            // Not by `nginx -s stop`, which reads a configuration that a test may have broken.
            let number = fs::read_to_string("/run/nginx.pid").unwrap_or_default();
            if let Some(master) = number.trim().parse().ok().and_then(Pid::from_raw) {
                let _ = kill_process(master, Signal::TERM);
            }
        }
    }
    let copy = TempDir::new().unwrap();
    apart(UnshareFlags::NEWNET, || {
        let words = |words: &[&str]| own_namespaces::run("nginx-light mount", words);
        let to = copy.path().join("nginx").to_str().unwrap().to_owned();
        words(&["cp", "-a", "/etc/nginx", &to]);
        words(&["mount", "--bind", &to, "/etc/nginx"]);
        words(&["mount", "-t", "tmpfs", "tmpfs", "/run"]);
        words(&["mount", "-t", "tmpfs", "tmpfs", "/var/log/nginx"]);
        let _ended = Ended;
        work();
    });
}

/// The worker processes of the Nginx that runs here, as soon as it has any.
fn workers() -> Vec<String> {
    wait_for("workers of Nginx", || {
        let master = fs::read_to_string("/run/nginx.pid").ok()?.trim().to_owned();
        let found = std::process::Command::new("pgrep").args(["--parent", &master]).output();
        let found = found.expect("apt-get install procps").stdout;
        let found: Vec<_> = String::from_utf8(found).unwrap().lines().map(str::to_owned).collect();
        (!found.is_empty()).then_some(found)
    })
}

/// Waits until none of these workers is left, which is what a reload brings.
fn wait_until_gone(old: &[String]) {
    let gone = || (!workers().iter().any(|worker| old.contains(worker))).then_some(());
    wait_for("a reload", gone);
}

fn wait_for<T>(what: &str, condition: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(met) = condition() {
            return met;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{what} did not come");
        std::thread::sleep(PAUSE);
    }
}

#[test]
fn a_service_with_a_script_is_reloaded_and_restarted_where_systemd_does_not_run() {
    beside_nginx(|| {
        assert_eq!(reload("nginx.service"), Ok(ActivationOutcome::NotRunning));
        own_namespaces::run("sysvinit-utils", &["service", "nginx", "start"]);
        let old = workers();
        assert_eq!(reload("nginx.service"), Ok(ActivationOutcome::Done));
        wait_until_gone(&old);
        let master = fs::read_to_string("/run/nginx.pid").unwrap();
        let restart = activation("nginx.service", ActivationKind::Restart);
        assert_eq!(activate(&restart), Ok(ActivationOutcome::Done));
        assert_ne!(fs::read_to_string("/run/nginx.pid").unwrap(), master);

        fs::write("/etc/nginx/conf.d/wrong.conf", "no_such_directive on;\n").unwrap();
        let error = reload("nginx.service").unwrap_err();
        assert!(error.to_string().starts_with("cannot run service nginx reload: "), "{error}");
        assert!(!workers().is_empty(), "the service goes on with what it had");
    });
}

#[test]
fn nginx_without_a_script_is_reloaded_by_itself() {
    beside_nginx(|| {
        own_namespaces::run("mount", &["mount", "-t", "tmpfs", "tmpfs", "/etc/init.d"]);
        assert_eq!(reload("nginx"), Ok(ActivationOutcome::NotRunning));
        fs::write("/run/nginx.pid", "").unwrap();
        assert_eq!(reload("nginx"), Ok(ActivationOutcome::NotRunning));
        own_namespaces::run("nginx-light", &["nginx"]);
        let old = workers();
        assert_eq!(reload("nginx"), Ok(ActivationOutcome::Done));
        wait_until_gone(&old);
        fs::write("/etc/nginx/conf.d/wrong.conf", "no_such_directive on;\n").unwrap();
        let error = reload("nginx").unwrap_err();
        assert!(error.to_string().contains("unknown directive"), "{error}");
    });
}

#[test]
fn php_fpm_is_reloaded_by_its_script() {
    struct Ended<'a>(&'a str);
    impl Drop for Ended<'_> {
        fn drop(&mut self) {
            let _ = std::process::Command::new("service").args([self.0, "stop"]).output();
        }
    }
    let scripts =
        fs::read_dir("/etc/init.d").unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let name = scripts.into_iter().find(|name| name.starts_with("php") && name.ends_with("-fpm"));
    let name = name.expect("apt-get install php-fpm");
    with_own_mounts(|| {
        own_namespaces::run("mount", &["mount", "-t", "tmpfs", "tmpfs", "/run"]);
        own_namespaces::run("mount", &["mount", "-t", "tmpfs", "tmpfs", "/var/log"]);
        fs::create_dir("/run/php").unwrap();
        let unit = format!("{name}.service");
        assert_eq!(reload(&unit), Ok(ActivationOutcome::NotRunning));
        let _ended = Ended(&name);
        own_namespaces::run("sysvinit-utils", &["service", &name, "start"]);
        assert_eq!(reload(&unit), Ok(ActivationOutcome::Done));
    });
}

/// A stand-in for systemctl(1), since a systemd of its own would write to the machine's control groups. It notes its
/// arguments, and takes a unit for active while a file of the unit's name stands beside the notes.
const SYSTEMCTL: &str = r#"#!/bin/sh
cd /run/systemd/system || exit 1
echo "$@" >> notes
for unit; do :; done
case "$*" in
    is-active*) test -e "$unit" || exit 3 ;;
    *dying.service) rm -f dying.service ;;
    *refusing.service) echo "Job for refusing.service failed." >&2; exit 1 ;;
esac
"#;

#[test]
fn systemd_is_asked_before_and_after_it_is_told() {
    let folder = TempDir::new().unwrap();
    let stand_in = folder.path().join("systemctl");
    fs::write(&stand_in, SYSTEMCTL).unwrap();
    fs::set_permissions(&stand_in, fs::Permissions::from_mode(0o755)).unwrap();
    with_own_mounts(|| {
        let path = own_namespaces::run("systemd", &["which", "systemctl"]);
        own_namespaces::run("mount", &["mount", "-t", "tmpfs", "tmpfs", "/run"]);
        own_namespaces::run("mount", &["mount", "--bind", stand_in.to_str().unwrap(), path.trim()]);
        fs::create_dir_all("/run/systemd/system").unwrap();
        for unit in ["good", "dying", "refusing"] {
            fs::write(format!("/run/systemd/system/{unit}.service"), "").unwrap();
        }
        let restart = activation("good.service", ActivationKind::Restart);
        assert_eq!(activate(&restart), Ok(ActivationOutcome::Done));
        assert_eq!(reload("absent.service"), Ok(ActivationOutcome::NotRunning));
        let daemon = activation("good.service", ActivationKind::DaemonReload);
        assert_eq!(activate(&daemon), Ok(ActivationOutcome::Done));
        assert_eq!(
            fs::read_to_string("/run/systemd/system/notes").unwrap().lines().collect::<Vec<_>>(),
            [
                "is-active --quiet -- good.service",
                "--no-ask-password restart -- good.service",
                "is-active --quiet -- good.service",
                "is-active --quiet -- absent.service",
                "daemon-reload",
            ]
        );
        let error = reload("dying.service").unwrap_err().to_string();
        assert!(error.contains("does not run any more; see journalctl -u dying.service"), "{error}");
        let error = reload("refusing.service").unwrap_err().to_string();
        assert!(error.contains("Job for refusing.service failed.; exit status: 1"), "{error}");
    });
}

#[test]
fn a_service_that_nobody_here_manages_is_left_to_a_person() {
    with_own_mounts(|| {
        own_namespaces::run("mount", &["mount", "-t", "tmpfs", "tmpfs", "/run"]);
        let error = reload("no-such.service").unwrap_err().to_string();
        assert!(error.contains("cannot reload no-such.service: neither systemd runs here"), "{error}");
        assert!(error.contains("reload the service by hand"), "{error}");
        let daemon = activation("x.service", ActivationKind::DaemonReload);
        assert_eq!(activate(&daemon), Ok(ActivationOutcome::NotRunning));
        assert!(reload("../../bin/true").is_err());
    });
}
