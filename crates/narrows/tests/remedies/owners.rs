//! What others own is refused by name, and nothing of the remedy is made.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use change::plan::Plan;
use tempfile::TempDir;

use super::round::{Expected, planned};
use crate::faults::netns::Namespace;
use crate::faults::tools::machine_alone;
use crate::faults::{Attempt, FaultError, Result};
use lab::site::Site;

const LOCAL: &str = "/etc/sysctl.d/99-local.conf";
const RETRIES: &str = "net.ipv4.tcp_orphan_retries";
const CAUSE: &str = "sockets.orphan-retries-low";

/// A sleep under the name of a daemon; it ends when dropped.
struct Daemon {
    process: Child,
    _folder: TempDir,
}

impl Daemon {
    fn start(name: &str) -> Result<Self> {
        let folder = TempDir::new().attempt(|| "make a folder for a program".to_owned())?;
        let program = folder.path().join(name);
        fs::copy("/bin/sleep", &program).attempt(|| format!("copy /bin/sleep to {}", program.display()))?;
        let mut command = Command::new(&program);
        let command = command.arg("300").stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.spawn().attempt(|| format!("start {name}"))?;
        Ok(Self { process, _folder: folder })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill().and_then(|()| self.process.wait());
    }
}

fn options() -> [&'static str; 4] {
    ["--for", "1s", "--only", CAUSE]
}

/// A namespace that is a machine to narrows, whose orphans are given up too soon.
fn ground() -> Result<(Namespace, Site)> {
    let namespace = Namespace::create()?;
    namespace.set("net/ipv4/tcp_orphan_retries", "2")?;
    let site = Site::own(&namespace)?;
    Ok((namespace, site))
}

/// The plan changes nothing, and says that `owner` is why.
fn refused(plan: &Plan, owner: &str) -> Result<()> {
    let names = |text: &str| text.contains(owner);
    let owned = |refusal: &change::plan::Refusal| refusal.owner.as_deref().is_some_and(names);
    if plan.changes.is_empty() && plan.refused.iter().any(owned) {
        return Ok(());
    }
    Err(FaultError::new(format!("changes {:#?}, refused {:#?}", plan.changes, plan.refused)))
}

fn applies_nothing(site: &Site) -> Result<()> {
    let etc = site.etc()?;
    let said = site.apply()?;
    assert!(said.contains("Nothing to change"), "{said}");
    assert_eq!(site.etc()?, etc);
    assert_eq!(site.parameter(RETRIES)?, "2");
    Ok(())
}

#[test]
fn a_file_of_ansible_is_named_and_left_with_the_parameter_that_it_sets() -> Result<()> {
    let (_namespace, site) = ground()?;
    site.write("/etc/sysctl.d/50-web.conf", "# Ansible managed\nnet.ipv4.tcp_orphan_retries = 2\n")?;
    refused(&site.plan(&options())?, "/etc/sysctl.d/50-web.conf")?;
    applies_nothing(&site)
}

#[test]
fn a_profile_of_tuned_is_named_while_tuned_runs() -> Result<()> {
    let (_namespace, site) = ground()?;
    site.write(LOCAL, "net.ipv4.tcp_orphan_retries = 2\n")?;
    site.write("/etc/tuned/active_profile", "web\n")?;
    site.write("/etc/tuned/web/tuned.conf", "[sysctl]\nnet.ipv4.tcp_orphan_retries = 2\n")?;
    let daemon = Daemon::start("tuned")?;
    refused(&site.plan(&options())?, "/etc/tuned/web/tuned.conf:2")?;
    applies_nothing(&site)?;
    drop(daemon);
    let expected = [Expected::parameter(CAUSE, RETRIES, "2", "0"), Expected::file(CAUSE, LOCAL)];
    planned(&site, &options(), &expected)?;
    Ok(())
}

#[test]
fn bpftune_keeps_what_it_tunes_while_it_runs() -> Result<()> {
    // Whoever plans on this machine meanwhile would meet it too.
    let _alone = machine_alone()?;
    let namespace = Namespace::create()?;
    namespace.set("net/ipv4/tcp_rmem", "4096 87380 6291456")?;
    let site = Site::own(&namespace)?;
    let cause = "sockets.receive-default-lowered";
    let options = ["--for", "1s", "--severity", "folklore", "--only", cause];
    let daemon = Daemon::start("bpftune")?;
    refused(&site.plan(&options)?, "bpftune, tcp_buffer_tuner.so")?;
    drop(daemon);
    let to = "4096 131072 6291456";
    planned(&site, &options, &[Expected::parameter(cause, "net.ipv4.tcp_rmem", "4096 87380 6291456", to)])?;
    Ok(())
}

#[test]
fn a_container_with_its_own_network_has_its_parameters_set_and_no_file() -> Result<()> {
    let namespace = Namespace::create()?;
    namespace.set("net/ipv4/tcp_orphan_retries", "2")?;
    for site in [Site::entered(&namespace)?, Site::named(&namespace)?] {
        let etc = site.etc()?;
        let plan = planned(&site, &options(), &[Expected::parameter(CAUSE, RETRIES, "2", "0")])?;
        assert!(plan.files.is_empty() && plan.changes[0].change.persistence.contains("docker run --sysctl"));
        site.apply()?;
        assert_eq!((site.parameter(RETRIES)?.as_str(), site.etc()?), ("0", etc.clone()));
        site.undo()?;
        assert_eq!((site.parameter(RETRIES)?.as_str(), site.etc()?), ("2", etc));
    }
    assert!(!Path::new("/etc/sysctl.d/90-narrows.conf").exists());
    Ok(())
}
