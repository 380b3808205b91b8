//! Sixteen workers that take 80 ms for each request carry 200 requests/s.
//!
//! The service time is long against what a busy machine adds to it.

use crate::faults::Result;
use crate::faults::netns::Namespace;
use crate::parts::prediction::Load;
use crate::parts::server;
use crate::parts::undisturbed::Undisturbed;
use crate::scenario::{Scenario, World};
use crate::score::{Prediction, Score};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "foretell-worker-pool",
    title: "at a tenth of the load check says what a pool of workers carries",
    world: World::Namespaces,
    quick: false,
    run,
};

const LOW_PER_S: f64 = 20.0;

fn run(score: &mut Score) -> Result<()> {
    let _undisturbed = Undisturbed::begin(&mut score.remarks);
    let namespace = Namespace::create()?;
    let _server =
        server::start(&namespace, &["--listen", "127.0.0.1:8080", "--workers", "16", "--service-ms", "80"])?;
    let load = Load { from: &namespace, url: "http://127.0.0.1:8080/", options: &[] };
    let station = "sockets.accept-pool:127.0.0.1:8080";
    let predicted_per_s = load.foretell(&namespace, LOW_PER_S, station)?;
    let measured_per_s = load.knee(LOW_PER_S)?;
    score.predictions.push(Prediction {
        station: station.to_owned(),
        predicted_per_s,
        at_per_s: LOW_PER_S,
        measured_per_s,
    });
    Ok(())
}
