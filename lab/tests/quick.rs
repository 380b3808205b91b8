//! The scenarios that are quick, and the demo, as `cargo xtask lab` and `cargo xtask demo` run them. They need root and the
//! packages that `cargo xtask test` installs, and take turns, because they load the machine.

use lab::faults::tools::machine_alone;
use lab::faults::{FaultError, Result};
use lab::scenario::World;
use lab::scenarios::SCENARIOS;
use lab::score::Score;

#[test]
fn every_quick_scenario_shows_what_it_claims() -> Result<()> {
    lab::narrows::build_if_missing()?;
    let _alone = machine_alone()?;
    let mut complaints = vec![];
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.quick) {
        assert!(matches!(scenario.world, World::Namespaces), "{}: no guest is quick", scenario.name);
        let mut score = Score { scenario: scenario.name.to_owned(), ..Score::default() };
        if let Err(error) = (scenario.run)(&mut score) {
            score.error = Some(error.to_string());
        }
        println!("{}", lab::scoreboard::markdown(std::slice::from_ref(&score)));
        complaints.extend(score.demand().err().map(|error| error.to_string()));
    }
    if complaints.is_empty() { Ok(()) } else { Err(FaultError::new(complaints.join("\n"))) }
}

#[test]
fn the_demo_names_tries_proves_and_undoes() -> Result<()> {
    lab::narrows::build_if_missing()?;
    let _alone = machine_alone()?;
    let mut shown = vec![];
    let told = lab::demo::show(&mut shown);
    let shown = String::from_utf8_lossy(&shown).into_owned();
    println!("{shown}");
    told?;
    for line in shown.lines() {
        assert!(line.chars().count() <= 100, "wider than 100 columns: {line}");
    }
    for wanted in [
        "mysqli_sql_exception: Cannot assign requested address",
        "The narrows: local ports from 192.0.2.1 to 192.0.2.2:3306: all in use.",
        "net.ipv4.tcp_tw_reuse: 2 → 1",
        "100 pages    0 failed",
        "is undone",
        "as before, every one",
    ] {
        assert!(shown.contains(wanted), "the demo never says: {wanted}");
    }
    Ok(())
}
