//! A plan of narrows is held to the figure that its remedy promised to lower.

use lab::site::Site;

use super::commands::in_three_attempts;
use super::world::proved;
use crate::faults::tools::machine_alone;
use crate::faults::veth_backlog_drop::VethBacklogDrop;
use crate::faults::{Attempt, Fault, Health, Result, kernel};

#[test]
fn a_backlog_that_drops_packets_is_proved_by_its_own_counter() -> Result<()> {
    let _alone = machine_alone()?;
    let fault = VethBacklogDrop::start(Health::Broken)?;
    let cause = "irq.backlog-short";
    in_three_attempts(|| {
        let site = Site::machine()?;
        fault.wait_until_established()?;
        let plan = site.plan(&["--for", "1s", "--only", cause])?;
        assert_eq!(plan.changes[0].metric.as_deref(), Some("softnet.dropped/s"));
        let options = ["--run", "sleep 0.3", "--for", "1s", "--warm-up", "100ms", "--revert"];
        let output = site.prove(&options)?.output().attempt(|| "run narrows prove".to_owned())?;
        let (code, proof) = proved(output)?;
        assert_eq!(proof["primary"]["name"], "softnet.dropped/s", "{proof:#}");
        assert_eq!(proof["causes"][0]["id"], cause);
        assert_eq!(kernel::read("/proc/sys/net/core/netdev_max_backlog")?.trim(), "16", "undone");
        println!("{:#}", proof["causes"]);
        Ok(code == Some(0) && proof["verdict"] == "kept")
    })
}
