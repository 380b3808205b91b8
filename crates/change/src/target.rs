//! What can be written to, and the contract that each kind keeps.

use serde::{Deserialize, Serialize};

use crate::kinds::{
    BlockQueue, Channels, File, IrqAffinity, Module, ModuleParameter, Mount, NetworkNamespace,
    PacketSteering, Qdisc, Ring, SqlStatement, SqlVariable, Sysctl,
};
use crate::{Action, ChangeError, State};

/// One thing with a state that can be read, written and put back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Target {
    /// A kernel parameter.
    Sysctl(Sysctl),
    /// The CPUs an interrupt may go to.
    IrqAffinity(IrqAffinity),
    /// Packet steering of a queue (RPS, RFS, XPS).
    PacketSteering(PacketSteering),
    /// The size of a receive or transmit ring.
    Ring(Ring),
    /// The number of queues of a network interface.
    Channels(Channels),
    /// The queueing discipline at the root of an interface.
    Qdisc(Qdisc),
    /// An attribute of a block device's queue.
    BlockQueue(BlockQueue),
    /// The options of a mount.
    Mount(Mount),
    /// A parameter of a loaded kernel module.
    ModuleParameter(ModuleParameter),
    /// A kernel module.
    Module(Module),
    /// A file or a symbolic link.
    File(File),
    /// A global variable of a database server.
    SqlVariable(SqlVariable),
    /// A statement for a database server.
    SqlStatement(SqlStatement),
}

/// What every kind of target can do.
///
/// `read` then `write` of what was read leaves the target exactly as it was, as far as [`Kind::normal`] can tell.
/// `write` either takes effect as a whole or not at all wherever the kernel allows it. Nothing here journals,
/// verifies or decides: that is the transaction's work.
pub trait Kind {
    /// The short name by which people choose it, unique in a plan: `net.core.somaxconn`, `irq 24`, `/etc/fstab`.
    fn name(&self) -> String;

    /// Reads the state now. [`State::Absent`] is an answer, not an error.
    ///
    /// # Errors
    /// When it exists and cannot be read, or the kernel has no such thing.
    fn read(&self) -> Result<State, ChangeError>;

    /// Makes the target hold a state, as read before or made by [`Kind::wanted`].
    ///
    /// # Errors
    /// When the system refuses it; the error names the value and carries the errno.
    fn write(&self, state: &State) -> Result<(), ChangeError>;

    /// The state that an action makes of the present one. Pure.
    ///
    /// # Errors
    /// When the action does not apply to this kind, or not to what is there.
    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError>;

    /// Asks the device, before anything is written, whether it can hold a wanted state. Writes nothing.
    ///
    /// # Errors
    /// When it is known to refuse that state.
    fn check(&self, _wanted: &State) -> Result<(), ChangeError> {
        Ok(())
    }

    /// One spelling for states that mean the same: CPU lists sorted, masks without leading zeros, blanks single.
    /// What a write does not control, such as the time of a file's modification, is left out of wanted states only.
    fn normal(&self, state: &State) -> State {
        state.clone()
    }

    /// Whether `now` is what a write between the two other states leaves when it is cut short. For kinds whose write is
    /// one step of the kernel's there is no such thing.
    fn is_between(&self, _now: &State, _original: &State, _wanted: &State) -> bool {
        false
    }

    /// What is accepted in place of a wanted state that was written and is not there, and a note of it: a server that
    /// rounds a number. `None` where anything else than what was wanted is a failure.
    fn accepted(&self, _now: &State, _original: &State, _wanted: &State) -> Option<String> {
        None
    }

    /// Whether its state goes back by itself when an earlier change of its plan is undone, as the rows of a new table do.
    fn goes_with_an_earlier_one(&self) -> bool {
        false
    }

    /// Ends what a process that was killed in the middle of a write left running, so that the state stands still.
    ///
    /// # Errors
    /// When it does not end.
    fn end_what_was_left(&self) -> Result<(), ChangeError> {
        Ok(())
    }

    /// A state in a few words, for a person.
    fn shown(&self, state: &State) -> String {
        state.shown()
    }

    /// The same write as lines of POSIX shell that need only what Debian has. Every word is quoted.
    fn shell(&self, to: &State) -> Vec<String>;

    /// The same write as lines for a boot script that finds the target anew (interrupts by name, not by number).
    /// `None` where a file that the plan edits makes it last, or where it lasts by itself.
    fn boot_lines(&self, to: &State) -> Option<Vec<String>>;
}

impl Target {
    /// What it can do.
    pub fn kind(&self) -> &dyn Kind {
        match self {
            Self::Sysctl(kind) => kind,
            Self::IrqAffinity(kind) => kind,
            Self::PacketSteering(kind) => kind,
            Self::Ring(kind) => kind,
            Self::Channels(kind) => kind,
            Self::Qdisc(kind) => kind,
            Self::BlockQueue(kind) => kind,
            Self::Mount(kind) => kind,
            Self::ModuleParameter(kind) => kind,
            Self::Module(kind) => kind,
            Self::File(kind) => kind,
            Self::SqlVariable(kind) => kind,
            Self::SqlStatement(kind) => kind,
        }
    }

    /// The network namespace it belongs to, where that is not the one narrows was started in.
    pub fn namespace(&self) -> Option<&NetworkNamespace> {
        match self {
            Self::Sysctl(kind) => kind.namespace.as_ref(),
            Self::PacketSteering(kind) => kind.namespace.as_ref(),
            Self::Ring(kind) => kind.namespace.as_ref(),
            Self::Channels(kind) => kind.namespace.as_ref(),
            Self::Qdisc(kind) => kind.namespace.as_ref(),
            _ => None,
        }
    }

    /// Whether it holds a value of the running kernel or of a running server, which a boot takes away, rather than
    /// something on a disk.
    pub fn is_running_state(&self) -> bool {
        !matches!(self, Self::File(_) | Self::SqlStatement(_))
    }

    /// Whether two states mean the same for this target.
    pub fn same(&self, left: &State, right: &State) -> bool {
        self.kind().normal(left) == self.kind().normal(right)
    }

    /// The fingerprint of a state's normal spelling.
    pub fn fingerprint(&self, state: &State) -> String {
        self.kind().normal(state).fingerprint()
    }
}
