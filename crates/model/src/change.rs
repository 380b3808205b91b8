//! Changes as data: what would be written, why that value, who owns it, what it costs.

use serde::{Deserialize, Serialize};

use crate::Edit;

/// A number of the host that went into a formula.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The name it has in the formula.
    pub name: String,
    /// Its value on this host.
    pub value: String,
    /// Where it was read.
    pub source: String,
}

/// A value with the formula that made it and the host's own numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Derived {
    /// The value to set, in the setting's own syntax.
    pub value: String,
    /// The formula, in the names of its inputs.
    pub formula: String,
    /// The host's numbers in it.
    pub inputs: Vec<Input>,
}

impl Derived {
    /// A value and the formula behind it.
    pub fn new(value: impl ToString, formula: &str) -> Self {
        Self { value: value.to_string(), formula: formula.to_owned(), inputs: vec![] }
    }

    /// Adds a number of the host that went in.
    #[must_use]
    pub fn input(mut self, name: &str, value: impl ToString, source: &str) -> Self {
        self.inputs.push(Input {
            name: name.to_owned(),
            value: value.to_string(),
            source: source.to_owned(),
        });
        self
    }
}

/// What kind of thing is changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ChangeKind {
    /// A kernel parameter.
    Sysctl {
        /// The key with dots.
        key: String,
    },
    /// The CPUs an interrupt may go to (`/proc/irq/N/smp_affinity_list`).
    IrqAffinity {
        /// The interrupt's number.
        irq: u32,
        /// Its name in `/proc/interrupts`.
        name: String,
    },
    /// Receive or transmit packet steering of a queue.
    PacketSteering {
        /// The file below `/sys/class/net`.
        path: String,
    },
    /// The size of a receive or transmit ring.
    Ring {
        /// The network interface.
        interface: String,
        /// `rx` or `tx`.
        side: String,
    },
    /// The number of queue pairs of a network interface.
    Channels {
        /// The network interface.
        interface: String,
    },
    /// The queueing discipline at the root of an interface.
    Qdisc {
        /// The network interface.
        interface: String,
    },
    /// The options of a mount; most need an unmount and a mount.
    Mount {
        /// The mount point.
        mount_point: String,
        /// Options to set, as `actimeo=600` or `noatime`. With none to set or remove, a person must do it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        set: Vec<String>,
        /// Options to take out, by name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remove: Vec<String>,
    },
    /// An edit of a configuration file.
    File {
        /// The file.
        path: String,
        /// What is edited in it, in words.
        edit: String,
        /// The same for a program. Without any, a person must do it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        edits: Vec<Edit>,
    },
    /// A kernel module's parameter.
    ModuleParameter {
        /// `module.parameter`.
        name: String,
    },
    /// A kernel module, loaded now and at boot.
    Module {
        /// The module.
        name: String,
    },
    /// An attribute of a block device's queue.
    BlockQueue {
        /// The device, as in `/sys/block`.
        device: String,
        /// The file below `queue`, such as `scheduler` or `read_ahead_kb`.
        attribute: String,
    },
    /// A setting of a systemd unit or a control group.
    Unit {
        /// The unit or the control group.
        name: String,
        /// The settings of a drop-in, as `CPUQuota=50%`. Without any, a person must do it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        settings: Vec<String>,
    },
    /// A global variable of a database server.
    SqlVariable {
        /// The server, as its socket or address.
        server: String,
        /// The variable, as `max_connections`.
        name: String,
        /// The option file that keeps it over a restart of the server. Without any, it lasts until then.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        file: String,
        /// The group of that file, without brackets; `mysqld` where none is said.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        group: String,
        /// Whether the running server refuses to have it set, so that it acts once the server is restarted.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        fixed: bool,
    },
    /// A statement for a database server, and the one that undoes it.
    SqlStatement {
        /// The server, as its socket or address.
        server: String,
        /// The statement that makes the change.
        up: String,
        /// The statement that undoes it; empty where undoing an earlier change undoes it too.
        down: String,
        /// A query of one value: 0 while the statement is not done, 1 once it is. Without any, a person must do it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        probe: String,
        /// Whether it is sent again until it changes no row.
        #[serde(default)]
        until_no_rows: bool,
    },
    /// Something only a person can do, elsewhere: on the hypervisor, in the application, at the provider.
    Elsewhere {
        /// Where.
        place: String,
    },
}

/// One change, complete: nothing is left to decide when it is applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What is changed.
    pub what: ChangeKind,
    /// The value now, where it was read.
    pub current: Option<String>,
    /// The value to set, with its reason.
    pub target: Derived,
    /// What makes it last over a boot.
    pub persistence: String,
    /// Who else sets this, as `file:line` or a service's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What must change with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupled: Vec<String>,
    /// What has to be restarted or reloaded for it to act.
    pub restart: String,
    /// What can go wrong.
    pub risk: String,
}

/// What would move a limit, and the metric that will show it moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Remedy {
    /// What to do, in one line.
    pub title: String,
    /// The changes, to be made together.
    pub changes: Vec<Change>,
    /// The metric it promises to move, and where to.
    pub moves: String,
    /// The figure that falls where the promise is kept, for `narrows prove`: `TcpExt.ListenOverflows/s`. `None` where the
    /// promise is none of a counter that this host reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
}

impl Remedy {
    /// A remedy and its promise.
    pub fn new(title: impl Into<String>, moves: impl Into<String>) -> Self {
        Self { title: title.into(), changes: vec![], moves: moves.into(), metric: None }
    }

    /// Names the figure that falls where the promise is kept.
    #[must_use]
    pub fn lowers(mut self, metric: &str) -> Self {
        self.metric = Some(metric.to_owned());
        self
    }

    /// Adds a change.
    #[must_use]
    pub fn change(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }
}

impl Change {
    /// A kernel parameter, set through `/proc/sys` and a file in `/etc/sysctl.d`.
    pub fn sysctl(key: &str, current: Option<String>, target: Derived) -> Self {
        Self {
            what: ChangeKind::Sysctl { key: key.to_owned() },
            current,
            target,
            persistence: "/etc/sysctl.d/90-narrows.conf".to_owned(),
            owner: None,
            coupled: vec![],
            restart: "none".to_owned(),
            risk: "none known".to_owned(),
        }
    }

    /// A global variable of a database server, as it is written in `SET GLOBAL`: bytes without a suffix. It lasts until the
    /// server is restarted unless [`Change::in_option_file`] says where it is kept.
    pub fn sql_variable(server: &str, name: &str, current: Option<String>, target: Derived) -> Self {
        let what = ChangeKind::SqlVariable {
            server: server.to_owned(),
            name: name.to_owned(),
            file: String::new(),
            group: String::new(),
            fixed: false,
        };
        Self::new(what, current, target)
    }

    /// A statement for a database server. `probe` gives 0 while it is not done, and 1 once it is.
    pub fn sql_statement(server: &str, up: &str, down: &str, probe: &str) -> Self {
        let what = ChangeKind::SqlStatement {
            server: server.to_owned(),
            up: up.to_owned(),
            down: down.to_owned(),
            probe: probe.to_owned(),
            until_no_rows: false,
        };
        Self::new(what, None, Derived::new(up, "the statement itself")).persists_by("the database itself")
    }

    /// Says in which option file, and which group of it, a global variable is kept over a restart of the server.
    #[must_use]
    pub fn in_option_file(mut self, path: &str, in_group: &str) -> Self {
        if let ChangeKind::SqlVariable { file, group, .. } = &mut self.what {
            path.clone_into(file);
            in_group.clone_into(group);
            path.clone_into(&mut self.persistence);
        }
        self
    }

    /// Says of a global variable that the running server refuses to have it set: a restart of `unit` is needed.
    #[must_use]
    pub fn only_after_restart(mut self, unit: &str) -> Self {
        if let ChangeKind::SqlVariable { fixed, .. } = &mut self.what {
            *fixed = true;
            self.restart = format!("systemctl restart {unit}: every connection ends");
        }
        self
    }

    /// Says of a statement that it is sent again until it changes no row.
    #[must_use]
    pub fn until_no_rows(mut self) -> Self {
        if let ChangeKind::SqlStatement { until_no_rows, .. } = &mut self.what {
            *until_no_rows = true;
        }
        self
    }

    /// Any other change, without persistence, owner or restart yet.
    pub fn new(what: ChangeKind, current: Option<String>, target: Derived) -> Self {
        Self {
            what,
            current,
            target,
            persistence: "none".to_owned(),
            owner: None,
            coupled: vec![],
            restart: "none".to_owned(),
            risk: "none known".to_owned(),
        }
    }

    /// Says what the value is now.
    #[must_use]
    pub fn now(mut self, current: impl Into<String>) -> Self {
        self.current = Some(current.into());
        self
    }

    /// Says what makes it last over a boot.
    #[must_use]
    pub fn persists_by(mut self, persistence: &str) -> Self {
        self.persistence = persistence.to_owned();
        self
    }

    /// Says who else sets this.
    #[must_use]
    pub fn owned_by(mut self, owner: Option<String>) -> Self {
        self.owner = owner;
        self
    }

    /// Says what must change with it.
    #[must_use]
    pub fn coupled_with(mut self, coupled: &str) -> Self {
        self.coupled.push(coupled.to_owned());
        self
    }

    /// Says what must be restarted or reloaded.
    #[must_use]
    pub fn restarts(mut self, restart: &str) -> Self {
        self.restart = restart.to_owned();
        self
    }

    /// Says what can go wrong.
    #[must_use]
    pub fn risks(mut self, risk: &str) -> Self {
        self.risk = risk.to_owned();
        self
    }
}
