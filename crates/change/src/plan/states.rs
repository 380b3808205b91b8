//! Where the states that a plan starts from are read.

use std::collections::BTreeMap;

use host::Host;

use crate::owners::{file_text, read_file, resolve};
use crate::{Action, ChangeError, Contents, FileState, State, Target};

/// Reads what targets hold.
pub trait States {
    /// The state of a target now.
    ///
    /// # Errors
    /// When it is there and cannot be read, or the host has no such thing.
    fn read(&self, target: &Target) -> Result<State, ChangeError>;

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

    fn resolve(&self, path: &str) -> Result<String, ChangeError> {
        crate::kinds::resolved(path)
    }
}

/// A recorded host, of which only files are known. Owners and rights of files are taken for those that a package
/// gives them; what lies in no file is taken from the report.
pub struct TreeStates<'a> {
    host: &'a dyn Host,
    reported: BTreeMap<Target, String>,
}

impl<'a> TreeStates<'a> {
    /// A tree, with values of targets that lie in no file.
    pub fn new(host: &'a dyn Host, reported: BTreeMap<Target, String>) -> Self {
        Self { host, reported }
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
            Target::Ring(_) | Target::Channels(_) | Target::Qdisc(_) => {
                let value = self.reported.get(target).ok_or_else(|| {
                    ChangeError::new(format!("read {}", target.kind().name()), "the report does not say it")
                })?;
                Ok(State::text(value.clone()))
            }
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

impl TreeStates<'_> {
    fn mount(&self, mount_point: &str) -> Result<State, ChangeError> {
        let table = file_text(self.host, "/proc/self/mounts")
            .or_else(|| file_text(self.host, "/proc/mounts"))
            .unwrap_or_default();
        let mut lines = table.lines().rev().map(|line| line.split(' ').collect::<Vec<_>>());
        let line = lines.find(|fields| fields.get(1) == Some(&mount_point));
        Ok(line.and_then(|fields| fields.get(3).copied()).map_or(State::Absent, State::text))
    }
}
