//! `narrows record`.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use host::Recorder;
use stack::bundle;
use stack::collect::Plan;
use stack::reading::{read_once, read_settings};
use stack::samples::Sampler;
use stack::services::Services;

use crate::arguments::Record;
use crate::exit::Exit;
use crate::{output, target};

/// Reads this host and saves what was read.
pub(crate) fn run(arguments: &Record) -> anyhow::Result<Exit> {
    let written = match (&arguments.tree, &arguments.output) {
        (Some(tree), _) => tree_of(tree, arguments)?,
        (None, Some(output)) => {
            let plan = Plan { readings_every: arguments.every, ..Plan::over(arguments.window) };
            let bytes = bundle::write(&target::live(plan, &arguments.databases)?)?;
            host::write_local(output, &bytes)?;
            format!(
                "{}: {} KiB. Explain it with: narrows check {}\n",
                output.display(),
                bytes.len() / 1024,
                output.display()
            )
        }
        (None, None) => String::new(),
    };
    output::print(&written)?;
    Ok(Exit::Clear)
}

fn tree_of(directory: &Path, arguments: &Record) -> anyhow::Result<String> {
    let (window, every) = (arguments.window, arguments.every);
    let recorder = Arc::new(Recorder::create(directory, target::host(&arguments.databases)?)?);
    read_settings(&*recorder);
    stack::reading::identity(&*recorder, &[]);
    let start = Instant::now();
    let mut sampler = Sampler::default();
    for instant in 0u32.. {
        recorder.begin(instant as usize)?;
        sampler.observe(&*recorder);
        read_once(&*recorder);
        let due = every.max(Duration::from_millis(100)) * (instant + 1);
        if due > window {
            // As of a live host: configuration, code and logs at the end.
            Services::read(&*recorder);
            break;
        }
        thread::sleep((start + due).saturating_duration_since(Instant::now()));
    }
    let summary = recorder.finish()?;
    Ok(format!(
        "{}: {} instants, {} files. Explain it with: narrows check {}\n",
        directory.display(),
        summary.instants,
        summary.files,
        directory.display()
    ))
}
