//! One plan with a change of every kind, in the words of other tools, each checked by the tool itself.
//!
//! `SNAPSHOTS=overwrite cargo test -p change export` writes the golden exports anew; read them before they are committed.

use std::collections::BTreeMap;
use std::path::Path;

use host::{LiveHost, Tree};
use model::{Change, ChangeKind, Derived, Edit, Severity};
use rustix::thread::UnshareFlags;
use snapbox::{Assert, Data};

use super::*;
use crate::own_namespaces::{apart, run};
use crate::plan::testing::{asking, changing, editing, planned, report, sysctl, tree};
use crate::plan::{LiveStates, Plan, PlanOptions};
use crate::transaction::{self, Applied, ApplyOptions};

const NGINX: &str = "# web-07
worker_processes 4;
events {
    worker_connections 512;
}
http {
    proxy_set_header Authorization \"Bearer hunter2\";
    server {
        listen 80;
    }
}
";
const POOL: &str = "[www]\npm = static\npm.max_children = 5\nenv[DB_PASSWORD] = hunter2\n";
const FSTAB: &str = "/dev/vda1 / ext4 defaults 0 1\nnas:/www /srv/www nfs4 rw,hard 0 0\n";
const SYSCTL: &str = "# web\r\nvm.swappiness = 60\r\nvm.dirty_ratio = 20";

fn host() -> Tree {
    let interrupts =
        "            CPU0       CPU1\n  24:     100          0   PCI-MSI 1-edge      virtio0-input.0\n";
    let mounts = "/dev/vda1 / ext4 rw,relatime 0 0\nnas:/www /srv/www nfs4 rw,relatime,vers=4.2 0 0\n";
    tree(&[
        ("/proc/interrupts", interrupts),
        ("/proc/irq/24/smp_affinity_list", "0\n"),
        ("/proc/self/mounts", mounts),
        ("/proc/modules", ""),
        ("/sys/class/net/eth0/queues/rx-0/rps_cpus", "0\n"),
        ("/etc/fstab", FSTAB),
        ("/etc/nginx/nginx.conf", NGINX),
        ("/etc/php/8.2/fpm/pool.d/www.conf", POOL),
        ("/etc/sysctl.d/50-web.conf", SYSCTL),
        (
            "/etc/haproxy/haproxy.cfg",
            "global\n    stats socket /run/h user bob password hunter2\n    maxconn 100\n",
        ),
    ])
}

fn nginx_connections() -> Edit {
    Edit::Nginx {
        block: vec!["events".to_owned()],
        directive: "worker_connections".to_owned(),
        first_argument: None,
        to: model::DirectiveEdit::Arguments { arguments: "4096".to_owned() },
    }
}

/// A change of every kind: files that are there and that are not, one of them beside a secret.
fn everything() -> Plan {
    let ini = |key: &str, value: &str| Edit::Ini {
        section: Some("www".to_owned()),
        key: key.to_owned(),
        value: Some(value.to_owned()),
    };
    let secret = Edit::Haproxy {
        section: "global".to_owned(),
        keyword: "stats socket".to_owned(),
        arguments: Some("/run/h user bob password hunter3".to_owned()),
    };
    let interrupt = ChangeKind::IrqAffinity { irq: 24, name: "PCI-MSI 1-edge virtio0-input.0".to_owned() };
    let steering = ChangeKind::PacketSteering { path: "eth0/queues/rx-0/rps_cpus".to_owned() };
    let module = ChangeKind::Module { name: "tcp_bbr".to_owned() };
    let unit = ChangeKind::Unit {
        name: "php8.2-fpm.service".to_owned(),
        settings: vec!["LimitNOFILE=65536".to_owned()],
    };
    let mount = ChangeKind::Mount {
        mount_point: "/srv/www".to_owned(),
        set: vec!["actimeo=600".to_owned()],
        remove: vec![],
    };
    let causes = vec![
        asking(
            "sockets.accept-queue-overflow",
            Severity::Breaking,
            vec![sysctl("net.core.somaxconn", "128", "4096"), sysctl("vm.swappiness", "60", "10")],
        ),
        asking(
            "irq.skew",
            Severity::Limiting,
            vec![changing(interrupt, "0", "1"), changing(steering, "0", "3")],
        ),
        asking("sockets.loss-limits-cubic", Severity::Limiting, vec![changing(module, "absent", "tcp_bbr")]),
        asking(
            "nginx.connections-short",
            Severity::Limiting,
            vec![
                editing("/etc/nginx/nginx.conf", vec![nginx_connections()]),
                editing("/etc/php/8.2/fpm/pool.d/www.conf", vec![ini("pm.max_children", "40")]),
                editing("/etc/haproxy/haproxy.cfg", vec![secret]),
            ],
        ),
        asking("tasks.files-short", Severity::Latent, vec![changing(unit, "1024", "LimitNOFILE=65536")]),
        asking(
            "nfs.slot-exhaustion",
            Severity::Latent,
            vec![Change::new(mount, None, Derived::new("actimeo=600", "f"))],
        ),
    ];
    planned(&host(), &report(causes))
}

fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/export/golden").join(name);
    Assert::new().action_env("SNAPSHOTS").eq(text, Data::read_from(&path, None).raw());
}

/// A folder with the files of the host, laid out as `/`.
fn files_of_host() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let host = host();
    for path in [
        "/etc/fstab",
        "/etc/nginx/nginx.conf",
        "/etc/php/8.2/fpm/pool.d/www.conf",
        "/etc/sysctl.d/50-web.conf",
    ] {
        let place = folder.path().join(&path[1..]);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, host::Host::read(&host.at(0), path).unwrap()).unwrap();
    }
    folder
}

#[test]
fn the_shell_script_is_one_that_a_shell_and_shellcheck_accept() {
    let plan = everything();
    assert_eq!(plan.refused, vec![], "every change is in the plan");
    let script = shell(&plan);
    golden("everything.sh", &script);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &script).unwrap();
    let path = file.path().to_str().unwrap();
    run("dash", &["sh", "-n", path]);
    run("shellcheck", &["shellcheck", "--shell=sh", path]);
    assert!(!script.contains("hunter"), "{script}");
}

#[test]
fn the_playbook_is_yaml_of_one_play() {
    let playbook = ansible(&everything());
    golden("everything.yml", &playbook);
    let file = tempfile::NamedTempFile::with_suffix(".yml").unwrap();
    std::fs::write(file.path(), &playbook).unwrap();
    let read = "import sys, json, yaml
yaml.SafeLoader.add_constructor('!unsafe', lambda loader, node: loader.construct_scalar(node))
json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let json = run("python3-yaml", &["/usr/bin/python3", "-c", read, file.path().to_str().unwrap()]);
    let plays: serde_json::Value = serde_json::from_str(&json).unwrap();
    let tasks = plays[0]["tasks"].as_array().unwrap();
    assert!(tasks.len() > 8 && plays[0]["hosts"] == "web-07", "{plays:#}");
    let unit = tasks.iter().find(|task| {
        task["ansible.builtin.copy"]["dest"]
            .as_str()
            .is_some_and(|dest| dest.contains("php8.2-fpm.service.d"))
    });
    let content = unit.unwrap()["ansible.builtin.copy"]["content"].as_str().unwrap();
    assert!(content.ends_with("[Service]\nLimitNOFILE=65536\n"), "{content}");
    assert!(!playbook.contains("hunter"), "{playbook}");
}

#[test]
fn the_difference_of_files_is_one_that_patch_and_git_apply_and_that_makes_what_apply_makes() {
    let mut plan = everything();
    golden("everything.diff", &diff(&plan));
    // Beside a secret only a person can make the change.
    plan.files.retain(|file| !file.difference.contains("<redacted>"));
    assert!(plan.files.len() > 4);
    let folder = files_of_host();
    let there = folder.path().to_str().unwrap();
    let patch = folder.path().join("plan.diff");
    std::fs::write(&patch, diff(&plan)).unwrap();
    let patch = patch.to_str().unwrap();
    run("git", &["git", "-C", there, "apply", "--check", "-p1", patch]);
    run("patch", &["patch", "--batch", "-p1", "-d", there, "-i", patch]);
    for file in &plan.files {
        let bytes = std::fs::read(folder.path().join(&file.path[1..])).unwrap();
        let state = crate::FileState { contents: crate::Contents(bytes), ..new_file() };
        assert_eq!(Some(state.sha256()), file.after_sha256, "{}", file.path);
    }
}

fn new_file() -> crate::FileState {
    crate::FileState {
        contents: crate::Contents::default(),
        uid: 0,
        gid: 0,
        mode: 0o644,
        modified: crate::FileState::MODIFIED_BY_WRITING,
        attributes: std::collections::BTreeMap::new(),
        links: 0,
    }
}

/// What the changes of [`live_plan`] touch, as it is now: files of `/etc`, and values of the kernel.
fn touched() -> BTreeMap<String, Vec<u8>> {
    let options = || {
        let mounts = std::fs::read_to_string("/proc/thread-self/mounts").unwrap();
        mounts.lines().rfind(|line| line.contains(" /srv ")).unwrap().as_bytes().to_vec()
    };
    let mut found = BTreeMap::from([("mount".to_owned(), options())]);
    for path in ["/proc/sys/net/core/somaxconn", "/sys/class/net/lo/queues/rx-0/rps_cpus"] {
        found.insert(path.to_owned(), std::fs::read(path).unwrap());
    }
    for path in run("findutils", &["find", "/etc", "!", "-type", "d", "-printf", "%p %m %u %l\n"]).lines() {
        let name = path.split(' ').next().unwrap();
        found.insert(path.to_owned(), std::fs::read(name).unwrap_or_default());
    }
    found
}

/// Files, mounts and a network of a host of its own.
fn own_host() {
    run("mount", &["mount", "-t", "sysfs", "sysfs", "/sys"]);
    run("mount", &["mount", "-t", "tmpfs", "tmpfs", "/etc"]);
    run("mount", &["mount", "-t", "tmpfs", "-o", "strictatime", "tmpfs", "/srv"]);
    for (path, text) in [
        ("/etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
        ("/etc/fstab", "# mine\ntmpfs /srv tmpfs rw,strictatime 0 0\n"),
        ("/etc/sysctl.d/50-web.conf", "# web\r\nnet.core.somaxconn = 128\r\n# 'end' $HOME `x` \\"),
        ("/etc/limits.ini", "[a]\nsize = 1\n\n[narrows]\nsize = 1\nsize_of_key = \"a\\b'$c\"\n"),
    ] {
        std::fs::create_dir_all(Path::new(path).parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::write("/proc/sys/net/core/somaxconn", "128").unwrap();
}

fn live_plan() -> Plan {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let steering = ChangeKind::PacketSteering { path: "lo/queues/rx-0/rps_cpus".to_owned() };
    let mount = ChangeKind::Mount {
        mount_point: "/srv".to_owned(),
        set: vec!["noatime".to_owned()],
        remove: vec!["strictatime".to_owned()],
    };
    let ini = Edit::Ini {
        section: Some("narrows".to_owned()),
        key: "size".to_owned(),
        value: Some("2".to_owned()),
    };
    let line = Edit::Line { line: "it's $HOME".to_owned(), present: true };
    let changes = vec![
        sysctl("net.core.somaxconn", "128", "4096"),
        changing(steering, "0", "1"),
        changing(mount, "strictatime", "noatime"),
        editing("/etc/limits.ini", vec![ini]),
        editing("/etc/new/narrows.conf", vec![line]),
    ];
    let mut report = report(vec![asking("a.b", Severity::Limiting, changes)]);
    report.host.name = Some(name.trim().to_owned());
    crate::plan::plan_with(&report, &LiveHost::new(), &LiveStates, &PlanOptions::default()).unwrap()
}

#[test]
fn the_shell_script_makes_of_a_host_what_apply_makes_of_it() {
    let state = tempfile::tempdir().unwrap();
    let by = |apply: bool| {
        apart(UnshareFlags::NEWNET, || {
            own_host();
            let plan = live_plan();
            assert_eq!((plan.refused.as_slice(), plan.changes.len()), (&[][..], 5), "{plan:#?}");
            if apply {
                let state_directory = state.path().to_owned();
                let options = ApplyOptions { state_directory, only: vec![], trial: None, restart: false };
                let applied = transaction::apply(&plan, &options).unwrap();
                assert!(matches!(applied, Applied::Done(_)), "{applied:?}");
            } else {
                run("dash patch", &["sh", "-c", &shell(&plan)]);
            }
            touched()
        })
    };
    let (applied, ran) = (by(true), by(false));
    let before = apart(UnshareFlags::NEWNET, || {
        own_host();
        touched()
    });
    assert!(applied.iter().filter(|(name, bytes)| before.get(*name) != Some(*bytes)).count() >= 8);
    let text = |(name, bytes): (&String, &Vec<u8>)| format!("{name}: {}", String::from_utf8_lossy(bytes));
    let both = [&applied, &ran].map(|found| found.iter().map(text).collect::<Vec<_>>());
    assert_eq!(both[0], both[1]);
}

#[test]
fn the_shell_script_writes_nothing_where_a_file_was_changed_since_or_the_host_is_another() {
    for (path, text, said) in [
        ("/etc/limits.ini", "[narrows]\nsize = 3\n", "/etc/limits.ini was changed since the plan was made"),
        ("/etc/machine-id", "another\n", "this plan is for another host"),
    ] {
        apart(UnshareFlags::NEWNET, || {
            own_host();
            let script = shell(&live_plan());
            std::fs::write(path, text).unwrap();
            let before = touched();
            let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert!(!output.status.success());
            assert!(String::from_utf8_lossy(&output.stderr).contains(said), "{output:?}");
            assert_eq!(touched(), before);
        });
    }
}
