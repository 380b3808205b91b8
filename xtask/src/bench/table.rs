//! Collects costs and prints them as plain tables.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

use super::{CHECK, CHECK_TARGET_MB, CPU_TARGETS_MS, RIVALS, WORLDS};

/// What was measured of one thing in one world.
#[derive(Debug, Default)]
struct Measured {
    cpu_ms: Vec<f64>,
    peak_bytes: u64,
}

/// All that was measured, by world.
#[derive(Debug, Default)]
pub(super) struct Costs {
    worlds: BTreeMap<String, BTreeMap<String, Measured>>,
    notes: BTreeMap<String, Vec<String>>,
}

impl Costs {
    /// Takes a line from inside a world.
    pub(super) fn add(&mut self, world: &str, line: &str) -> anyhow::Result<()> {
        match *line.split('\t').collect::<Vec<_>>() {
            ["note", text] => self.notes.entry(world.to_owned()).or_default().push(text.to_owned()),
            ["cost", what, cpu_ms, peak_bytes] => {
                let measured =
                    self.worlds.entry(world.to_owned()).or_default().entry(what.to_owned()).or_default();
                measured.cpu_ms.push(cpu_ms.parse().context("a cost is no number")?);
                measured.peak_bytes = measured.peak_bytes.max(peak_bytes.parse()?);
            }
            _ => bail!("a world said “{line}”"),
        }
        Ok(())
    }

    fn median_ms(&self, world: &str, what: &str) -> Option<f64> {
        median(&self.worlds.get(world)?.get(what)?.cpu_ms)
    }
}

fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let (low, high) = (sorted.get(sorted.len().checked_sub(1)? / 2)?, sorted.get(sorted.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}

/// Prints everything.
pub(super) fn print(costs: &Costs) {
    for (world, _) in WORLDS {
        let Some(measured) = costs.worlds.get(*world) else { continue };
        let notes = costs.notes.get(*world).map(|notes| notes.join("; ")).unwrap_or_default();
        println!("\nWorld “{world}”: {notes}");
        println!("  {:>10} {:>17} {:>8} {:>12}", "CPU ms", "range", "peak MB", "ours/theirs");
        let mut layers = Vec::new();
        for (what, cost) in measured {
            match what.strip_prefix("layer ") {
                Some(layer) => layers.push((layer, cost)),
                None => print_row(costs, world, what, cost),
            }
        }
        print_layers(&layers);
    }
    print_targets(costs);
}

fn print_row(costs: &Costs, world: &str, what: &str, cost: &Measured) {
    let Some(median) = median(&cost.cpu_ms) else { return };
    let least = cost.cpu_ms.iter().copied().fold(f64::INFINITY, f64::min);
    let most = cost.cpu_ms.iter().copied().fold(0.0, f64::max);
    let ours = RIVALS.iter().find(|(rival, _)| *rival == what);
    let ratio = ours.and_then(|(_, ours)| Some(costs.median_ms(world, ours)? / median));
    let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    let peak_mb = cost.peak_bytes as f64 / 1e6;
    let range = format!("{least:.2} – {most:.2}");
    println!("  {median:>10.2} {range:>17} {peak_mb:>8.1} {ratio:>12}  {what}");
}

fn print_layers(layers: &[(&str, &Measured)]) {
    if layers.is_empty() {
        return;
    }
    println!(
        "  CPU ms by layer (settings are read once a check, samples are one of up to 20 passes a second):"
    );
    let costs = layers.iter().filter_map(|(layer, cost)| Some((*layer, median(&cost.cpu_ms)?)));
    let mut costs: Vec<_> = costs.collect();
    costs.sort_unstable_by(|a, b| b.1.total_cmp(&a.1));
    let costs: Vec<_> = costs.into_iter().map(|(layer, ms)| format!("{layer} {ms:.3}")).collect();
    println!("  {}", costs.join(", "));
}

fn print_targets(costs: &Costs) {
    println!("\nTargets");
    for (world, what, most_ms) in CPU_TARGETS_MS {
        if let Some(median) = costs.median_ms(world, what) {
            let met = if median <= *most_ms { "met" } else { "MISSED" };
            println!("  {met:<6} {what}, world “{world}”: {median:.2} ms of at most {most_ms} ms");
        }
    }
    for (world, measured) in &costs.worlds {
        if let Some(check) = measured.get(CHECK) {
            let peak_mb = check.peak_bytes as f64 / 1e6;
            let met = if peak_mb < CHECK_TARGET_MB { "met" } else { "MISSED" };
            println!(
                "  {met:<6} {CHECK}, world “{world}”: peak {peak_mb:.1} MB of less than {CHECK_TARGET_MB} MB"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_line_from_a_world_is_understood_or_an_error() {
        let mut costs = Costs::default();
        costs.add("few", "cost\tx\t1.5\t4096").unwrap();
        assert_eq!(costs.median_ms("few", "x"), Some(1.5));
        assert!(costs.add("few", "panic").is_err());
    }
}
