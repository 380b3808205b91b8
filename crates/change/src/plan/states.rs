//! Where the states that a plan starts from are read.

use std::collections::{BTreeMap, BTreeSet};

use conf::{MountTable, MountTableDialect};
use host::Host;

use super::states_sql;
use crate::kinds::{Ring, RingSide, SqlVariable};
use crate::owners::{file_text, read_file, resolve};
use crate::{Action, ChangeError, Contents, FileState, QdiscState, State, Target};

/// Reads what targets hold.
pub trait States {
    /// The state of a target now.
    ///
    /// # Errors
    /// When it is there and cannot be read, or the host has no such thing.
    fn read(&self, target: &Target) -> Result<State, ChangeError>;

    /// Asks the device whether it can hold a wanted state, where there is a device to ask.
    ///
    /// # Errors
    /// When it is known to refuse that state.
    fn check(&self, _target: &Target, _wanted: &State) -> Result<(), ChangeError> {
        Ok(())
    }

    /// Whether a variable can be set in the options of its server only; `None` where nobody says.
    ///
    /// # Errors
    /// When the server does not let us in.
    fn is_fixed(&self, _variable: &SqlVariable) -> Result<Option<bool>, ChangeError> {
        Ok(None)
    }

    /// The file of MySQL in which a variable is kept that `SET PERSIST` set.
    ///
    /// # Errors
    /// When the server does not let us in.
    fn persisted_in(&self, _variable: &SqlVariable) -> Result<Option<String>, ChangeError> {
        Ok(None)
    }

    /// The path of a file at the end of the links that lead to it.
    ///
    /// # Errors
    /// When a link leads nowhere or in a circle.
    fn resolve(&self, path: &str) -> Result<String, ChangeError>;
}

/// This machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct LiveStates;

impl States for LiveStates {
    fn read(&self, target: &Target) -> Result<State, ChangeError> {
        target.kind().read()
    }

    fn check(&self, target: &Target, wanted: &State) -> Result<(), ChangeError> {
        target.kind().check(wanted)
    }

    fn is_fixed(&self, variable: &SqlVariable) -> Result<Option<bool>, ChangeError> {
        variable.is_fixed()
    }

    fn persisted_in(&self, variable: &SqlVariable) -> Result<Option<String>, ChangeError> {
        variable.persisted_in()
    }

    fn resolve(&self, path: &str) -> Result<String, ChangeError> {
        crate::kinds::resolved(path)
    }
}

/// A recorded host. Owners and rights of files are taken for those that a package gives them.
pub struct TreeStates<'a> {
    host: &'a dyn Host,
}

impl<'a> TreeStates<'a> {
    /// The states that a tree holds.
    pub fn new(host: &'a dyn Host) -> Self {
        Self { host }
    }

    fn text(&self, path: &str) -> Result<String, ChangeError> {
        match self.host.value(path) {
            Ok(value) => Ok(value.split_whitespace().collect::<Vec<_>>().join(" ")),
            Err(error) => Err(ChangeError::new(format!("read {path}"), error.to_string())
                .help("record the tree on a host that has it")),
        }
    }

    fn value(&self, path: &str) -> Result<State, ChangeError> {
        self.text(path).map(State::text)
    }

    fn parameter(&self, key: &str) -> Result<String, ChangeError> {
        let key = conf::SysctlKey::new(key);
        self.text(&format!("/proc/sys/{}", String::from_utf8_lossy(key.as_path())))
    }

    fn file(&self, path: &str) -> Result<State, ChangeError> {
        if let Ok(to) = self.host.link(path) {
            return Ok(State::Link { to });
        }
        Ok(match read_file(self.host, &resolve(self.host, path))? {
            None => State::Absent,
            Some(bytes) => State::File(FileState {
                contents: Contents(bytes),
                uid: 0,
                gid: 0,
                mode: 0o644,
                modified: (0, 0),
                attributes: BTreeMap::new(),
                links: 1,
            }),
        })
    }
}

impl States for TreeStates<'_> {
    fn resolve(&self, path: &str) -> Result<String, ChangeError> {
        Ok(resolve(self.host, path))
    }

    fn read(&self, target: &Target) -> Result<State, ChangeError> {
        match target {
            Target::Sysctl(sysctl) => match sysctl.pair() {
                None => self.parameter(&sysctl.key).map(State::text),
                Some(pair) => {
                    let values = pair.map(|key| Ok((key.to_owned(), self.parameter(key)?)));
                    Ok(State::Values { values: values.into_iter().collect::<Result<_, ChangeError>>()? })
                }
            },
            Target::IrqAffinity(irq) => self.value(&format!("/proc/irq/{}/smp_affinity_list", irq.irq)),
            Target::PacketSteering(steering) => self.value(&format!("/sys/class/net/{}", steering.path)),
            Target::BlockQueue(queue) => {
                let state = self.value(&format!("/sys/block/{}/queue/{}", queue.device, queue.attribute))?;
                Ok(chosen(state))
            }
            Target::ModuleParameter(parameter) => {
                let module = parameter.module.replace('-', "_");
                self.value(&format!("/sys/module/{module}/parameters/{}", parameter.parameter))
            }
            Target::Module(module) => {
                let name = module.name.replace('-', "_");
                let loaded = file_text(self.host, "/proc/modules").unwrap_or_default();
                let loaded = loaded.lines().any(|line| line.split(' ').next() == Some(name.as_str()))
                    || self.host.list(&format!("/sys/module/{name}")).is_ok();
                if loaded { target.kind().wanted(&State::Absent, &Action::Load) } else { Ok(State::Absent) }
            }
            Target::File(file) => self.file(&file.path),
            Target::Mount(mount) => self.mount(&mount.mount_point),
            Target::Ring(ring) => self.ring(ring),
            Target::Channels(channels) => self.channels(&channels.interface),
            Target::Qdisc(qdisc) => self.qdisc(&qdisc.interface),
            Target::SqlVariable(variable) => states_sql::variable(self.host, variable),
            Target::SqlStatement(statement) => states_sql::statement(self.host, statement),
        }
    }
}

/// The chosen one of a list such as `none [mq-deadline]`.
fn chosen(state: State) -> State {
    let State::Text { value } = &state else { return state };
    match value.split_once('[').and_then(|(_, rest)| rest.split_once(']')) {
        Some((chosen, _)) => State::text(chosen),
        None => state,
    }
}

/// What the answers of a tree say of mounts and network interfaces.
impl TreeStates<'_> {
    /// `/proc/self/mounts` lists the options of the mount and those of its file system together.
    fn mount(&self, mount_point: &str) -> Result<State, ChangeError> {
        const OF_THE_MOUNT: [&str; 8] =
            ["rw", "ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime"];
        let bytes = self.host.read("/proc/self/mounts").or_else(|_| self.host.read("/proc/mounts"));
        let table =
            MountTable::new("/proc/self/mounts", bytes.unwrap_or_default(), MountTableDialect::ProcMounts);
        let mut entries = table.entries().iter().rev();
        let Some(entry) = entries.find(|entry| entry.mount_point == mount_point.as_bytes()) else {
            return Ok(State::Absent);
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let options = entry
            .options
            .iter()
            .map(|option| text(table.as_bytes().get(option.span.start..option.span.end).unwrap_or_default()));
        let (own, of_super): (Vec<_>, Vec<_>) =
            options.partition(|option| OF_THE_MOUNT.contains(&option.as_str()));
        let values = [
            ("options", own.join(",")),
            ("super", of_super.join(",")),
            ("type", text(&entry.fstype)),
            ("source", text(&entry.device)),
        ];
        Ok(State::Values { values: values.map(|(name, value)| (name.to_owned(), value)).into() })
    }

    fn ring(&self, ring: &Ring) -> Result<State, ChangeError> {
        let sizes = self.ethtool(&ring.interface)?.ring;
        let size = sizes.and_then(|sizes| match ring.side {
            RingSide::Receive => sizes.receive,
            RingSide::Transmit => sizes.transmit,
        });
        size.map(|size| State::text(size.to_string())).ok_or_else(|| {
            ChangeError::new(format!("read the rings of {}", ring.interface), "its driver has none")
        })
    }

    fn channels(&self, interface: &str) -> Result<State, ChangeError> {
        let channels = self.ethtool(interface)?.channels.ok_or_else(|| {
            ChangeError::new(format!("read the channels of {interface}"), "its driver does not tell them")
        })?;
        let all = [
            ("rx", channels.receive, channels.receive_max),
            ("tx", channels.transmit, channels.transmit_max),
            ("combined", channels.combined, channels.combined_max),
        ];
        let told = all.into_iter().filter(|(_, _, most)| most.is_some_and(|most| most != 0));
        let values = told.filter_map(|(name, now, _)| Some((name.to_owned(), now?.to_string())));
        Ok(State::Values { values: values.collect() })
    }

    fn ethtool(&self, interface: &str) -> Result<host::kernel::Ethtool, ChangeError> {
        let failed = |error: host::HostError| {
            ChangeError::new(format!("read what the driver of {interface} says"), error.to_string())
                .help("record the tree with netlink's answers")
        };
        self.host.ethtool(interface).map_err(failed)
    }

    /// The root discipline. Its options are not in a tree, nor is what was configured below it.
    fn qdisc(&self, interface: &str) -> Result<State, ChangeError> {
        let failed = |error: host::HostError| {
            ChangeError::new(format!("read the qdisc of {interface}"), error.to_string())
                .help("record the tree with netlink's answers")
        };
        let qdiscs = self.host.qdiscs().map_err(failed)?;
        let own = || qdiscs.iter().filter(|qdisc| qdisc.interface == interface);
        let below: BTreeSet<_> =
            own().filter(|qdisc| qdisc.parent != "root").map(|qdisc| qdisc.kind.clone()).collect();
        let root = own().find(|qdisc| qdisc.parent == "root");
        Ok(root.map_or(State::Absent, |root| {
            State::Qdisc(QdiscState {
                kind: root.kind.clone(),
                handle: root.handle.clone(),
                options: Contents::default(),
                below: below.into_iter().collect(),
                configured: vec![],
            })
        }))
    }
}
