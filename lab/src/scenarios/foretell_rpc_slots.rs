//! A web server whose requests look at four files over NFS each: 8 session slots carry 8 / (4·R) requests/s.

use std::time::Duration;

use crate::faults::Result;
use crate::faults::netns::Namespace;
use crate::inside::settle;
use crate::parts::nfs::{Client, MOUNT_POINT, ask_for_slots, serve};
use crate::parts::prediction::Load;
use crate::parts::server;
use crate::scenario::{Guest, Scenario, World};
use crate::score::{Prediction, Score};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "foretell-rpc-slots",
    title: "at a fifth of the load check says what the slots of an NFS session carry",
    world: World::Guest(Guest { cpus: 2, timeout_s: 600, ..Guest::PLAIN }),
    quick: false,
    run,
};

const FILES: usize = 4;
/// Long enough that an emulated CPU is no rival: the slots then carry less than 60 operations a second.
const DELAY: Duration = Duration::from_millis(150);
const SLOTS: u32 = 8;
const LOW_PER_S: f64 = 2.5;
const STATION: &str = "nfs.slots:127.0.0.1";

fn run(score: &mut Score) -> Result<()> {
    settle()?;
    serve(FILES, DELAY)?;
    ask_for_slots(SLOTS)?;
    let site = Site::guest()?;
    let _client = Client::mount(&site, "acregmin=0,acregmax=0")?;
    // HTTP has a loopback of its own; what is mounted asks over the one that it was mounted on.
    let namespace = Namespace::create()?;
    let files = FILES.to_string();
    let place = ["--listen", "127.0.0.1:8080", "--workers", "64"];
    let work = ["--folder", MOUNT_POINT, "--files", &files];
    let _server = server::start(&namespace, &[&place[..], &work[..]].concat())?;
    let load = Load { from: &namespace, url: "http://127.0.0.1:8080/", options: &[] };
    let predicted_per_s = load.foretell(&namespace, LOW_PER_S, STATION)?;
    score.remarks.push(format!("foretold at {LOW_PER_S} requests/s: {predicted_per_s:.2}/s"));
    let measured_per_s = load.knee(LOW_PER_S)?;
    score.predictions.push(Prediction {
        station: STATION.to_owned(),
        predicted_per_s,
        at_per_s: LOW_PER_S,
        measured_per_s,
    });
    Ok(())
}
