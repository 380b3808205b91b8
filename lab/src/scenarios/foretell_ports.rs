//! 600 local ports towards one destination, each held for a minute after its connection, carry 10 connections/s.

use crate::faults::netns::VethPair;
use crate::faults::{FaultError, Result};
use crate::parts::prediction::Load;
use crate::parts::server;
use crate::parts::undisturbed::Undisturbed;
use crate::scenario::{Scenario, World};
use crate::score::{Prediction, Score};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "foretell-ports",
    title: "after some seconds at low load check says when local ports run out",
    world: World::Namespaces,
    quick: false,
    run,
};

const RANGE: &str = "40000 40599";
const LOW_PER_S: f64 = 3.0;
/// More than the ports carry.
const OVERLOAD_PER_S: f64 = 14.0;
/// What ports give in the first minute says nothing: none was taken yet.
const MINUTE_S: u32 = 64;

fn run(score: &mut Score) -> Result<()> {
    let _undisturbed = Undisturbed::begin(&mut score.remarks);
    let pair = VethPair::create(&[])?;
    pair.left.set("net/ipv4/ip_local_port_range", RANGE)?;
    let _server =
        server::start(&pair.right, &["--listen", "192.0.2.2:8080", "--workers", "8", "--client-closes"])?;
    let load = Load { from: &pair.left, url: "http://192.0.2.2:8080/", options: &["--no-keepalive"] };
    let station = "sockets.ports:192.0.2.1>192.0.2.2:8080";
    let predicted_per_s = load.foretell(&pair.left, LOW_PER_S, station)?;
    let overloaded = load.offer(OVERLOAD_PER_S, MINUTE_S, MINUTE_S)?;
    let measured_per_s = overloaded["result"]["goodput_per_s"]
        .as_f64()
        .ok_or_else(|| FaultError::new(format!("no goodput in {overloaded}")))?;
    let turned_away = overloaded["result"]["failures"].to_string();
    score.remarks.push(format!("of {OVERLOAD_PER_S} requests/s beyond the knee failed: {turned_away}"));
    score.predictions.push(Prediction {
        station: station.to_owned(),
        predicted_per_s,
        at_per_s: LOW_PER_S,
        measured_per_s,
    });
    Ok(())
}
