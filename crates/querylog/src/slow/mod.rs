//! Logs of slow queries as MySQL, MariaDB and Percona Server write them.

mod boundary;
mod head;
mod lines;
mod record;

pub(crate) use boundary::{LOOK_BACK, last, next};
pub(crate) use lines::Clock;
pub(crate) use record::{Block, Carry, Parser, server_headers};
