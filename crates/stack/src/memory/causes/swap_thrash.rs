//! Memory that goes back and forth between RAM and swap space.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::cpu::shares::{percent, stalled};
use crate::memory::rates::{Swapping, bytes_text, no_counter, swapping};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "memory.swap-thrash",
    title: "Memory goes back and forth between RAM and swap space",
    explains: &["memory.swapping", "memory.pressure", "cpu.iowait-high", "disk.latency-high"],
    refutes: &[],
    document: include_str!("swap_thrash.md"),
    test,
};

/// From this many pages per second in each direction on, what is swapped out is wanted again.
const PAGES_PER_S: f64 = 10.0;
/// From this share of the window with a task stalled on memory on, it is felt.
const PRESSURE: f64 = 0.10;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let latest = evidence.latest(|reading| &reading.memory)?;
    let bytes = |name: &str| latest.meminfo.get(name).copied();
    if bytes("SwapTotal") == Some(0) {
        return Ok(Outcome::ruled_out("this host has no swap space"));
    }
    let span = evidence.span(|reading| &reading.memory)?;
    let rates = swapping(&span).ok_or_else(|| no_counter("pswpin"))?;
    let pressure = evidence.span(|reading| &reading.cpu).ok();
    let pressure = pressure.and_then(|span| stalled(&span, |cpu| cpu.pressure_memory.as_ref()));
    let used = bytes("SwapTotal").zip(bytes("SwapFree")).map(|(total, free)| total.saturating_sub(free));
    let line = line(rates, pressure, used);
    let both = rates.in_per_s >= PAGES_PER_S && rates.out_per_s >= PAGES_PER_S;
    let outcome = match (both, pressure) {
        (true, Some(share)) if share >= PRESSURE => {
            Outcome::confirmed(Severity::Limiting, line).remedy(remedy(rates, used))
        }
        (true, Some(_)) => Outcome::consistent(Severity::Latent, line).lacks(Missing::new(
            "tasks that wait for it",
            "pages go both ways, and little time is lost: look again under more load",
        )),
        (true, None) => Outcome::consistent(Severity::Latent, line)
            .lacks(Missing::new("/proc/pressure/memory", "boot with psi=1 to see whether tasks wait")),
        (false, _) => Outcome::ruled_out(line),
    };
    let seen = |field: &str, value: f64| Observation::new("/proc/vmstat", field, value).unit("/s");
    let mut seen_all = vec![seen("pswpin", rates.in_per_s), seen("pswpout", rates.out_per_s)];
    seen_all.extend(
        used.map(|bytes| Observation::new("/proc/meminfo", "SwapTotal − SwapFree", bytes).unit("bytes")),
    );
    Ok(outcome.seen_all(seen_all))
}

fn line(rates: Swapping, pressure: Option<f64>, used: Option<u64>) -> String {
    let used = used.map_or_else(String::new, |bytes| format!("; {} in swap space", bytes_text(bytes)));
    let pressure = pressure
        .map_or_else(String::new, |share| format!("; stalled {} % of the time", number_text(percent(share))));
    format!(
        "{} pages/s in, {} pages/s out{pressure}{used}",
        number_text(rates.in_per_s),
        number_text(rates.out_per_s)
    )
}

fn remedy(rates: Swapping, used: Option<u64>) -> Remedy {
    let used_text = used.map_or_else(|| "not known".to_owned(), |bytes| bytes.to_string());
    let value = used.map_or_else(
        || "free memory until pages stay".to_owned(),
        |bytes| format!("free or add {}", bytes_text(bytes)),
    );
    let target = Derived::new(value, "SwapTotal − SwapFree")
        .input("SwapTotal − SwapFree", used_text, "/proc/meminfo")
        .input("pswpin", format!("{:.0}/s", rates.in_per_s), "/proc/vmstat");
    let place = "what holds memory: worker counts, buffer pools, caches; then the size of the machine";
    let change = Change::new(ChangeKind::Elsewhere { place: place.to_owned() }, None, target)
        .risks("a lower vm.swappiness only drops files instead: it makes no room");
    Remedy::new("Take away what does not fit memory", "pswpin falls below 10 pages/s").change(change)
}
