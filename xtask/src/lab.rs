//! `cargo xtask lab` and `cargo xtask demo`: install what is missing, build, and hand over to the lab.

use std::process::{Command, ExitStatus};

use anyhow::{Context, bail};

use crate::packages;
use crate::run::{command, run};

/// What runs in namespaces on this kernel: programs or files, and the Debian packages they come from.
pub(crate) const SERVERS: &[(&str, &str)] = &[
    ("ip", "iproute2"),
    ("setpriv", "util-linux"),
    ("mount", "mount"),
    ("sysctl", "procps"),
    ("nginx", "nginx-light"),
    ("php-fpm8.2", "php8.2-fpm"),
    ("/var/lib/dpkg/info/php8.2-mysql.list", "php8.2-mysql"),
    ("mariadbd", "mariadb-server"),
    ("service", "init-system-helpers"),
    ("systemd-tmpfiles", "systemd"),
    ("composer", "composer"),
    ("strace", "strace"),
];
/// What scenarios need besides that the tests do not run.
const SITES: &[(&str, &str)] = &[
    ("haproxy", "haproxy"),
    ("/usr/share/wordpress/wp-load.php", "wordpress"),
    (
        "/usr/share/wordpress/wp-content/themes/twentytwentythree/style.css",
        "wordpress-theme-twentytwentythree",
    ),
];
/// What a guest needs besides.
const GUEST: &[(&str, &str)] = &[
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("/usr/lib/qemu/virtiofsd", "qemu-system-common"),
    ("/var/lib/dpkg/info/linux-image-cloud-amd64.list", "linux-image-cloud-amd64"),
    ("/var/lib/dpkg/info/busybox-static.list", "busybox-static"),
    ("cpio", "cpio"),
    ("modprobe", "kmod"),
    ("cc", "gcc"),
    ("python3", "python3"),
    ("ethtool", "ethtool"),
    ("exportfs", "nfs-kernel-server"),
    ("mount.nfs", "nfs-common"),
    ("mkfs.ext4", "e2fsprogs"),
    ("udevadm", "udev"),
    ("/lib/systemd/systemd", "systemd"),
    ("wrk", "wrk"),
];

/// Runs the lab with these arguments; its exit status is that of this program.
pub(crate) fn run_lab(arguments: &[String]) -> anyhow::Result<()> {
    build()?;
    if chosen(arguments)?.iter().any(|scenario| scenario.in_guest) {
        packages::install(&[SERVERS, SITES, GUEST].concat())?;
    } else if arguments.first().is_some_and(|word| word == "run" || word == "all") {
        packages::install(&[SERVERS, SITES].concat())?;
    }
    pass_on(lab().args(arguments).status().context("could not start target/release/lab")?)
}

/// Shows narrows at work on an incident, on a machine that may have nothing but Rust.
pub(crate) fn run_demo() -> anyhow::Result<()> {
    if !rustix::process::geteuid().is_root() {
        bail!("the demo makes network namespaces and installs Debian packages: run it as root");
    }
    packages::install(SERVERS)?;
    // Without optimization: it shares what was built for this chore, and nobody is to wait for more.
    run("cargo", &["build", "--quiet", "--package", "narrows", "--package", "lab"])?;
    let mut demo = command("target/debug/lab", &["demo"]);
    pass_on(demo.status().context("could not start target/debug/lab")?)
}

fn build() -> anyhow::Result<()> {
    run("cargo", &["build", "--release", "--package", "narrows", "--package", "lab"])
}

fn lab() -> Command {
    command("target/release/lab", &[])
}

fn pass_on(status: ExitStatus) -> anyhow::Result<()> {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => std::process::exit(code),
        None => bail!("the lab was ended by a signal"),
    }
}

/// A line of `lab list`.
struct Scenario {
    name: String,
    in_guest: bool,
    quick: bool,
}

/// The scenarios that these arguments of the lab name.
fn chosen(arguments: &[String]) -> anyhow::Result<Vec<Scenario>> {
    let output = lab().arg("list").output().context("could not start target/release/lab")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let all = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (name, world) = (words.next()?.to_owned(), words.next()?);
        Some(Scenario { name, in_guest: world == "guest", quick: words.next() == Some("quick") })
    });
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    Ok(match arguments.first().map(String::as_str) {
        Some("run") => all.filter(|scenario| has(&scenario.name)).collect(),
        Some("all") => all.filter(|scenario| scenario.quick || !has("--quick")).collect(),
        _ => vec![],
    })
}
