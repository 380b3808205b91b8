//! Measures narrows, and the floor below it.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use super::{CHECK, EVERY_MS, READINGS, clock, world};

fn built(path: &str) -> std::path::PathBuf {
    crate::root().join("target/release").join(path)
}

/// Reads layers, or only touches their files, and tells what it costs.
pub(super) fn reading(layers: &str, what: &str, floor: bool) -> anyhow::Result<()> {
    let mut command = Command::new(built("examples/reading"));
    command.args([layers, &READINGS.to_string(), &EVERY_MS.to_string()]);
    command.args(floor.then_some("floor"));
    let output = command.stderr(Stdio::inherit()).output().context("could not start examples/reading")?;
    if !output.status.success() {
        bail!("reading {layers} ended with {}", output.status);
    }
    let result: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let number = |name: &str| result.get(name).and_then(serde_json::Value::as_f64);
    let cpu_ms = number("cpu_ms_per_reading").context("examples/reading says no CPU time")?;
    if !what.is_empty() {
        world::tell(what, cpu_ms, result.get("peak_rss_bytes").and_then(serde_json::Value::as_u64));
    }
    let by_layer = result.get("cpu_ms_by_layer").and_then(serde_json::Value::as_object);
    for (layer, cost) in by_layer.into_iter().flatten().filter(|_| layers != "host-only") {
        world::tell(&format!("layer {layer}"), cost.as_f64().unwrap_or_default(), None);
    }
    Ok(())
}

/// Checks this host for two seconds and tells what that costs.
pub(super) fn check() -> anyhow::Result<()> {
    let mut command = Command::new(built("narrows"));
    command.args(["check", "--for", "2s"]).stdin(Stdio::null()).stdout(Stdio::null());
    let child = command.spawn().context("could not start narrows")?;
    let used = clock::wait(&child)?;
    match used.exit {
        Some(0 | 1) => world::tell(CHECK, clock::ms(used.cpu), Some(used.peak_bytes)),
        other => bail!("narrows check ended with {other:?}"),
    }
    Ok(())
}
