//! What `narrows check` must say of a real fault, and must not say of its healthy twin.
//!
//! Layers that belong to a network namespace (`sockets`, `nic`, `qdisc`) see nothing but the fault, which has namespaces of
//! its own: those tests ask `--only` for these layers, and each has one try. The other layers belong to the whole machine,
//! where a neighbour's work is a finding too, and a true one. Those tests ask for everything, hold
//! [`machine_alone`](crate::faults::tools::machine_alone), and try again while the machine was busy with something else:
//! [`check::check_in_quiet`] measures that apart from narrows.

mod check;
mod cpu;
mod crowd;
mod disk;
mod hanging;
mod namespaces;
mod noise;
mod packets;
mod tasks;
mod unprivileged;
