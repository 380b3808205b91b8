//! Sets of five.

use super::kills::kill_everywhere;
use super::scenarios::{
    block_queue, channels, edited_file, interrupt, module_parameter, mount, new_file, qdisc, steering,
    sysctl, together,
};
use crate::faults::Result;
use crate::faults::tools::machine_alone;

#[test]
fn a_set_of_five_survives_every_kill() -> Result<()> {
    kill_everywhere("five: network, mount, file", |world| {
        Ok(together([
            sysctl(world, "net.ipv4.tcp_fin_timeout", "30")?,
            steering(world)?,
            qdisc(world, "tap0", None)?,
            mount(world),
            edited_file(),
        ]))
    })
}

#[test]
fn another_set_of_five_survives_every_kill() -> Result<()> {
    let _alone = machine_alone()?;
    kill_everywhere("five: machine, new file", |world| {
        Ok(together([
            interrupt()?,
            module_parameter()?,
            block_queue(world, "read_ahead_kb", "1024")?,
            channels(world)?,
            new_file(),
        ]))
    })
}
