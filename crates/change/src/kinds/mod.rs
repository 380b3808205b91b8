//! One file per kind of target.

mod block_queue;
mod channels;
mod channels_beside;
mod cpu_set;
mod database;
mod file;
mod interface;
mod irq_affinity;
mod kernel_file;
#[cfg(test)]
mod kernel_testing;
mod module;
mod module_parameter;
mod mount;
mod mount_options;
mod mount_write;
mod mountinfo;
mod namespace;
#[cfg(test)]
mod network_testing;
mod packet_steering;
mod qdisc;
mod qdisc_default;
mod qdisc_options;
mod qdisc_read;
mod ring;
mod sysctl;

pub use block_queue::BlockQueue;
pub use channels::Channels;
pub use database::{Access, Databases, SqlStatement, SqlVariable};
pub(crate) use database::{is_option, variable_said_in};
pub use file::{File, resolved};
pub use irq_affinity::IrqAffinity;
pub use module::Module;
pub use module_parameter::ModuleParameter;
pub use mount::Mount;
pub use namespace::NetworkNamespace;
pub use packet_steering::PacketSteering;
pub use qdisc::Qdisc;
pub use ring::{Ring, RingSide};
pub use sysctl::Sysctl;
