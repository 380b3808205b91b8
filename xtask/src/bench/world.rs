//! What happens inside a world: it is filled, and ours and theirs take turns.

use std::process::{Child, Command, Stdio};

use anyhow::Context;

use super::peers::Peer;
use super::{
    ALL, FLOOR_ALL, FLOOR_HOST_ONLY, HOST_ONLY, SOCKETS, SOCKETS_ALONE, WORLDS, ours, peers, sockets,
};

/// One cost, handed out as a line of words between tabs.
pub(super) fn tell(what: &str, cpu_ms: f64, peak_bytes: Option<u64>) {
    println!("cost\t{what}\t{cpu_ms}\t{}", peak_bytes.unwrap_or_default());
}

/// Something about the world that the table shows, handed out likewise.
pub(super) fn note(text: &str) {
    println!("note\t{text}");
}

/// Fills this world and measures in it; called as the first process of its namespaces.
pub(super) fn measure(name: &str, rounds: u32) -> anyhow::Result<()> {
    if name == sockets::HOLDER {
        return sockets::hold_here();
    }
    let processes = WORLDS.iter().find(|(world, _)| *world == name).map_or(0, |(_, count)| *count);
    let held = if name == "sockets" { Some(sockets::hold(SOCKETS)?) } else { None };
    let _sleepers = fill(processes)?;
    let found = processes_here()?;
    note(&format!("{found} processes{}", held.as_ref().map(sockets::Held::shown).unwrap_or_default()));
    let peers = peers::all(name);
    for round in 0..rounds {
        ours_first(name, round)?;
        peers.iter().try_for_each(Peer::measure)?;
        ours::check()?;
    }
    Ok(())
}

fn ours_first(name: &str, round: u32) -> anyhow::Result<()> {
    ours::reading("host-only", HOST_ONLY, false)?;
    ours::reading("host-only", FLOOR_HOST_ONLY, true)?;
    if name == "sockets" {
        return ours::reading("sockets", SOCKETS_ALONE, false);
    }
    ours::reading("all", ALL, false)?;
    ours::reading("all", FLOOR_ALL, true)?;
    if round == 0 { ours::reading("settings,samples", "", false) } else { Ok(()) }
}

/// Processes that sleep until the world ends.
fn fill(processes: usize) -> anyhow::Result<Vec<Child>> {
    let missing = processes.saturating_sub(processes_here()?);
    let sleeper = || {
        let quiet = (Stdio::null(), Stdio::null(), Stdio::null());
        Command::new("sleep").arg("infinity").stdin(quiet.0).stdout(quiet.1).stderr(quiet.2).spawn()
    };
    (0..missing).map(|_| sleeper().context("could not start a sleeper")).collect()
}

fn processes_here() -> anyhow::Result<usize> {
    let names = std::fs::read_dir("/proc").context("could not list /proc")?;
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).count())
}
