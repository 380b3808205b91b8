//! Queueing disciplines, as rtnetlink gives them.

use host::kernel::{Link, Qdisc};
use serde::{Deserialize, Serialize};

/// The queueing discipline layer at one instant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Every queueing discipline.
    pub qdiscs: Vec<Qdisc>,
    /// Every interface, for queue counts and `txqueuelen`.
    pub links: Vec<Link>,
}
