//! What is changed in a world, each kind once.

use std::path::{Path, PathBuf};

use change::kinds::{
    BlockQueue, Channels, File, IrqAffinity, ModuleParameter, Mount, PacketSteering, Qdisc, Sysctl,
};
use change::{Action, Target};
use model::{DirectiveEdit, Edit};

use super::kills::Scenario;
use super::machine::{Restored, affinity_of, movable_interrupt};
use super::plans::Wish;
use super::snapshot::Watch;
use super::world::World;
use crate::faults::Result;
use crate::faults::tools::Tool;

/// The service of a drop-in that does not exist yet, nor its directory.
const DROP_IN: &str = "/etc/systemd/system/php-fpm.service.d/narrows.conf";

fn set(value: &str) -> Action {
    Action::Set { value: value.to_owned() }
}

fn one(target: Target, action: Action, watched: Vec<Watch>) -> Scenario {
    Scenario { wishes: vec![Wish::new(target, action)], watched, ..Scenario::default() }
}

/// All of several scenarios at once.
pub(crate) fn together(scenarios: impl IntoIterator<Item = Scenario>) -> Scenario {
    let mut all = Scenario::default();
    for scenario in scenarios {
        all.wishes.extend(scenario.wishes);
        all.watched.extend(scenario.watched);
        all.guards.extend(scenario.guards);
    }
    all
}

/// A parameter of the network namespace.
pub(crate) fn sysctl(world: &World, key: &str, value: &str) -> Result<Scenario> {
    let target = Target::Sysctl(Sysctl { key: key.to_owned(), namespace: world.namespace_of_targets()? });
    Ok(one(target, set(value), vec![Watch::sysctl(key)]))
}

/// One of a pair of the whole machine: setting it sets the other to 0. The other is this before, where it is given.
pub(crate) fn pair_of_sysctls(share_before: Option<&str>) -> Result<Scenario> {
    let (amount, share) = ("vm.dirty_background_bytes", "vm.dirty_background_ratio");
    let target = Target::Sysctl(Sysctl { key: amount.to_owned(), namespace: None });
    let guard = Restored::remember(Path::new("/proc/sys/vm/dirty_background_ratio"))?;
    if let Some(before) = share_before {
        guard.set(before)?;
    }
    let scenario = one(target, set("67108864"), vec![Watch::sysctl(amount), Watch::sysctl(share)]);
    Ok(Scenario { guards: vec![guard], ..scenario })
}

/// The quietest interrupt of the machine that can be moved.
pub(crate) fn interrupt() -> Result<Scenario> {
    let (irq, name) = movable_interrupt()?;
    let path = affinity_of(irq);
    let guard = Restored::remember(&path)?;
    let scenario = one(Target::IrqAffinity(IrqAffinity { irq, name }), set("0"), vec![Watch::Value(path)]);
    Ok(Scenario { guards: vec![guard], ..scenario })
}

pub(crate) fn steering(world: &World) -> Result<Scenario> {
    let path = "veth0/queues/rx-0/rps_cpus".to_owned();
    let watched = Watch::Value(Path::new("/sys/class/net").join(&path));
    let namespace = world.namespace_of_targets()?;
    Ok(one(Target::PacketSteering(PacketSteering { path, namespace }), set("1"), vec![watched]))
}

pub(crate) fn channels(world: &World) -> Result<Scenario> {
    let interface = "veth0".to_owned();
    let target = Target::Channels(Channels { interface, namespace: world.namespace_of_targets()? });
    Ok(one(target, set("rx=2 tx=3"), vec![Watch::Channels("veth0"), Watch::Qdiscs]))
}

/// A discipline in place of the one that the kernel attached, or of one that a person did.
pub(crate) fn qdisc(world: &World, interface: &str, before: Option<&str>) -> Result<Scenario> {
    if let Some(before) = before {
        let line = format!("qdisc replace dev {interface} root {before}");
        world.run(|| TC.run(&line.split(' ').collect::<Vec<_>>()))?;
    }
    let namespace = world.namespace_of_targets()?;
    let target = Target::Qdisc(Qdisc { interface: interface.to_owned(), namespace });
    // What the kernel attaches by itself depends on it.
    let default = Watch::ValueOfMachine(PathBuf::from("/proc/sys/net/core/default_qdisc"));
    Ok(one(target, set("pfifo limit 100"), vec![Watch::Qdiscs, default]))
}

const TC: Tool = Tool { program: "tc", package: "iproute2" };

pub(crate) fn block_queue(world: &World, attribute: &str, value: &str) -> Result<Scenario> {
    let device = world.loop_device()?;
    let path = Path::new("/sys/block").join(&device).join("queue").join(attribute);
    let target = Target::BlockQueue(BlockQueue { device, attribute: attribute.to_owned() });
    Ok(one(target, set(value), vec![Watch::Value(path)]))
}

pub(crate) fn mount(world: &World) -> Scenario {
    let target = Target::Mount(Mount { mount_point: world.disk().display().to_string() });
    // One of the mount, one of its file system: the kernel takes them one after the other.
    let set = ["noatime", "commit=30"].map(str::to_owned).to_vec();
    let action = Action::Options { set, remove: vec!["relatime".to_owned()] };
    one(target, action, vec![Watch::Mounts])
}

/// Times before the kernel's messages: on nearly every host, and without effect on anything else.
pub(crate) fn module_parameter() -> Result<Scenario> {
    let path = PathBuf::from("/sys/module/printk/parameters/time");
    let guard = Restored::remember(&path)?;
    let value = if guard.original().trim() == "Y" { "N" } else { "Y" };
    let target = ModuleParameter { module: "printk".to_owned(), parameter: "time".to_owned() };
    let scenario = one(Target::ModuleParameter(target), set(value), vec![Watch::Value(path)]);
    Ok(Scenario { guards: vec![guard], ..scenario })
}

fn file(path: &str, action: Action) -> Scenario {
    let wish = Wish::new(Target::File(File { path: path.to_owned() }), action).lasting();
    Scenario { wishes: vec![wish], ..Scenario::default() }
}

fn line(line: &str) -> Edit {
    Edit::Line { line: line.to_owned(), present: true }
}

/// An edit in the midst of a file that people wrote, of an odd owner.
pub(crate) fn edited_file() -> Scenario {
    let edit = |key: &str, value: &str| Edit::Sysctl {
        key: key.to_owned(),
        value: Some(value.to_owned()),
        line: None,
    };
    let edits = vec![edit("net.core.somaxconn", "4096"), edit("net.ipv4.tcp_tw_reuse", "1")];
    file("/etc/sysctl.d/60-site.conf", Action::Edit { edits })
}

/// A directive of Nginx, which `nginx -t` checks.
pub(crate) fn nginx(keepalive_timeout: &str) -> Scenario {
    let to = DirectiveEdit::Arguments { arguments: keepalive_timeout.to_owned() };
    let edit = Edit::Nginx {
        block: vec!["http".to_owned()],
        directive: "keepalive_timeout".to_owned(),
        first_argument: None,
        to,
    };
    file("/etc/nginx/nginx.conf", Action::Edit { edits: vec![edit] })
}

/// A file in a directory that does not exist either.
pub(crate) fn new_file() -> Scenario {
    file(DROP_IN, Action::Edit { edits: vec![line("[Service]"), line("LimitNOFILE=65536")] })
}

/// The unit that does at every boot what no file makes last, and the link that starts it: the one link narrows makes.
pub(crate) fn boot_unit() -> Scenario {
    let unit = "/etc/systemd/system/narrows-boot.service";
    let link = "/etc/systemd/system/multi-user.target.wants/narrows-boot.service";
    let lines = ["[Service]", "ExecStart=/bin/true"].map(line);
    together([
        file(unit, Action::Edit { edits: lines.to_vec() }),
        file(link, Action::Link { to: unit.to_owned() }),
    ])
}
