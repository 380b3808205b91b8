//! Nginx before a PHP-FPM pool of twelve that takes 100 ms for each page carries 120 pages/s.

use crate::faults::Result;
use crate::faults::netns::Namespace;
use crate::parts::prediction::Load;
use crate::parts::undisturbed::Undisturbed;
use crate::scenario::{Scenario, World};
use crate::score::{Prediction, Score};
use crate::services;
use crate::services::nginx::Nginx;
use crate::services::php_fpm::PhpFpm;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "foretell-php-fpm",
    title: "at a tenth of the load check says what a static pool of PHP-FPM carries",
    world: World::Namespaces,
    quick: false,
    run,
};

const LOW_PER_S: f64 = 12.0;

fn run(score: &mut Score) -> Result<()> {
    foretell(score, None)
}

/// At a tenth of the load, of a pool on a Unix socket or at an address.
pub(super) fn foretell(score: &mut Score, address: Option<&str>) -> Result<()> {
    let _undisturbed = Undisturbed::begin(&mut score.remarks);
    let namespace = Namespace::create()?;
    let folder = services::folder()?;
    PhpFpm::page(folder.path(), "<?php usleep(100000); echo \"ok\\n\";")?;
    let socket = format!("{}/php.sock", folder.path().display());
    let (listen, upstream) = match address {
        Some(address) => (address, address.to_owned()),
        None => (socket.as_str(), format!("unix:{socket}")),
    };
    let _fpm = PhpFpm::start_on(&namespace, folder.path(), listen, 12)?;
    let server = PhpFpm::server_to(folder.path(), &upstream);
    let _nginx = Nginx::start(&namespace, folder.path(), &server)?;
    let load = Load { from: &namespace, url: "http://127.0.0.1/", options: &["--no-keepalive"] };
    let station = "php-fpm.workers:www";
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
