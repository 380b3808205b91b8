//! Every kind of change alone. A ring needs a card, which is tested in a guest.

use super::kills::{kill_everywhere, kill_everywhere_in};
use super::scenarios::{
    block_queue, boot_unit, channels, edited_file, interrupt, module_parameter, mount, new_file, nginx,
    pair_of_sysctls, qdisc, steering, sysctl, together,
};
use super::world::World;
use crate::faults::Result;
use crate::faults::tools::machine_alone;

#[test]
fn a_sysctl_survives_every_kill() -> Result<()> {
    kill_everywhere("sysctl", |world| sysctl(world, "net.ipv4.ip_local_port_range", "10240 65000"))
}

#[test]
fn a_pair_of_sysctls_survives_every_kill() -> Result<()> {
    let _alone = machine_alone()?;
    kill_everywhere("sysctl, pair", |_| pair_of_sysctls(None))
}

#[test]
fn a_pair_of_zeros_survives_every_kill() -> Result<()> {
    let _alone = machine_alone()?;
    kill_everywhere("sysctl, pair of zeros", |_| pair_of_sysctls(Some("0")))
}

#[test]
fn an_interrupt_survives_every_kill() -> Result<()> {
    let _alone = machine_alone()?;
    kill_everywhere("interrupt", |_| interrupt())
}

#[test]
fn packet_steering_survives_every_kill() -> Result<()> {
    kill_everywhere("packet steering", steering)
}

#[test]
fn channels_survive_every_kill() -> Result<()> {
    kill_everywhere("channels", channels)
}

#[test]
fn a_qdisc_of_the_kernel_survives_every_kill() -> Result<()> {
    kill_everywhere("qdisc, the kernel's", |world| qdisc(world, "tap0", None))
}

#[test]
fn no_qdisc_survives_every_kill() -> Result<()> {
    kill_everywhere("qdisc, none", |world| qdisc(world, "veth0", None))
}

#[test]
fn a_qdisc_of_a_person_survives_every_kill() -> Result<()> {
    let shaper = "handle 7: tbf rate 80mbit burst 32kb latency 50ms";
    kill_everywhere("qdisc, a person's", |world| qdisc(world, "veth0", Some(shaper)))
}

#[test]
fn a_block_queue_survives_every_kill() -> Result<()> {
    kill_everywhere("block queue", |world| {
        Ok(together([
            block_queue(world, "scheduler", "mq-deadline")?,
            block_queue(world, "read_ahead_kb", "1024")?,
        ]))
    })
}

#[test]
fn a_mount_survives_every_kill() -> Result<()> {
    kill_everywhere("mount", |world| Ok(mount(world)))
}

#[test]
fn a_module_parameter_survives_every_kill() -> Result<()> {
    let _alone = machine_alone()?;
    kill_everywhere("module parameter", |_| module_parameter())
}

#[test]
fn an_edited_file_survives_every_kill() -> Result<()> {
    kill_everywhere("file, edited", |_| Ok(edited_file()))
}

#[test]
fn the_absence_of_a_file_and_its_directory_survives_every_kill() -> Result<()> {
    kill_everywhere("file, new", |_| Ok(new_file()))
}

#[test]
fn a_file_that_nginx_checks_survives_every_kill() -> Result<()> {
    kill_everywhere("file, checked", |_| Ok(nginx("20s")))
}

#[test]
fn a_link_and_its_unit_survive_every_kill() -> Result<()> {
    kill_everywhere("file and link, new", |_| Ok(boot_unit()))
}

#[test]
fn the_network_of_a_container_survives_every_kill() -> Result<()> {
    kill_everywhere_in(World::create_seen_from_outside, "network of a container", |world| {
        Ok(together([
            sysctl(world, "net.core.somaxconn", "8192")?,
            steering(world)?,
            qdisc(world, "veth0", None)?,
            channels(world)?,
        ]))
    })
}
