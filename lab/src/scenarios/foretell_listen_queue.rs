//! An acceptor that is away for 400 ms of every 2 s, behind a queue of 65 places, carries 65 ÷ 0.4 s = 162 requests/s: above,
//! SYNs are dropped and come again after a second.

use crate::faults::Result;
use crate::faults::netns::Namespace;
use crate::parts::prediction::Load;
use crate::parts::server;
use crate::parts::undisturbed::Undisturbed;
use crate::scenario::{Scenario, World};
use crate::score::{Prediction, Score};

pub(super) const SCENARIO: Scenario = Scenario {
    name: "foretell-listen-queue",
    title: "at a quarter of the load check says when a listen queue overflows",
    world: World::Namespaces,
    quick: false,
    run,
};

/// The deepest queue is then 16 places, so that one place more or less is 6 %.
const LOW_PER_S: f64 = 40.0;

fn run(score: &mut Score) -> Result<()> {
    let _undisturbed = Undisturbed::begin(&mut score.remarks);
    let namespace = Namespace::create()?;
    let options = ["--listen", "127.0.0.1:8080", "--workers", "1", "--backlog", "64", "--pause-ms", "400"];
    let _server = server::start(&namespace, &options)?;
    let load = Load { from: &namespace, url: "http://127.0.0.1:8080/", options: &[] };
    let station = "sockets.listen-queue:127.0.0.1:8080";
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
