//! `narrows profile`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use host::trace::Tracer;
use host::{Host, HostError, LiveHost};
use stack::composer::{Profile, profile};
use stack::tasks::Architecture;

use crate::arguments::profile::{Php, Profile as Arguments, ProfileFormat, Shown, What};
use crate::exit::{Exit, UsageError};
use crate::{output, render};

/// Traces, or reads what somebody else traced, and prints it.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let (found, shown) = match (&arguments.what, &arguments.read) {
        (Some(What::Php(php)), _) => (traced(php)?, &php.shown),
        (None, Some(file)) => (read(file)?, &arguments.shown),
        (None, None) => {
            return Err(
                UsageError("say what to profile: `narrows profile php`, or --read FILE".to_owned()).into()
            );
        }
    };
    show(&found, shown)?;
    Ok(Exit::Clear)
}

/// A profile from a file: our own, or that of another program.
pub(crate) fn read(file: &Path) -> anyhow::Result<Profile> {
    let bytes = host::read_local(file)?;
    let name = file
        .file_name()
        .map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned());
    profile::read(&name, &bytes)
        .map_err(anyhow::Error::msg)
        .with_context(|| format!("read {}", file.display()))
}

fn traced(arguments: &Php) -> anyhow::Result<Profile> {
    // Before any other thread is started: threads inherit that the signal of stops is held back.
    let tracer = Tracer::new();
    let stop = Arc::new(AtomicBool::new(false));
    let interrupted = Arc::clone(&stop);
    ::prove::interrupt::on_interrupt(move |_| interrupted.store(true, Ordering::Relaxed))?;
    let host = LiveHost::new();
    let (pids, all, name) = workers(&host, arguments)?;
    let machine = host.value("/proc/sys/kernel/arch").unwrap_or_else(|_| std::env::consts::ARCH.to_owned());
    let result = tracer.run(&pids, arguments.window, &stop);
    let found = result.map_err(|error| match error {
        HostError::Permission { .. } => anyhow::anyhow!(
            "the workers may not be traced: run as root, with CAP_SYS_PTRACE, and see kernel.yama.ptrace_scope"
        ),
        error => error.into(),
    })?;
    let source = format!("narrows profile of {name}, {} of {all} workers", found.processes);
    Ok(profile::of_traced(source, found, Architecture::named(&machine)))
}

/// The workers to trace, how many there are, and whose they are.
fn workers(host: &dyn Host, arguments: &Php) -> anyhow::Result<(Vec<u32>, usize, String)> {
    let facts = stack::php_fpm::read(host).map_err(|unread| anyhow::anyhow!("{}", unread.why))?;
    let pools: Vec<_> = facts.masters.iter().flat_map(|master| &master.pools).collect();
    let names: Vec<_> = pools.iter().map(|pool| pool.name.as_str()).collect();
    let wanted = |name: &str| arguments.pool.as_deref().is_none_or(|wanted| wanted == name);
    if let Some(name) = arguments.pool.as_deref().filter(|name| !names.contains(name)) {
        let why = format!("no pool of PHP-FPM is named {name}; there are: {}", names.join(", "));
        return Err(UsageError(why).into());
    }
    let chosen = pools.iter().filter(|pool| wanted(&pool.name));
    let all: Vec<u32> = chosen.flat_map(|pool| &pool.workers).map(|worker| worker.pid).collect();
    anyhow::ensure!(
        !all.is_empty(),
        "no worker of PHP-FPM runs here: start it, or ask it for a page where pm = ondemand"
    );
    let name = arguments.pool.as_ref().map_or_else(|| "PHP-FPM".to_owned(), |name| format!("pool {name}"));
    Ok((all.iter().take(arguments.workers.into()).copied().collect(), all.len(), name))
}

fn show(found: &Profile, shown: &Shown) -> anyhow::Result<()> {
    let json = || serde_json::to_string_pretty(found).map(|text| text + "\n");
    match &shown.output {
        Some(path) => {
            host::write_local(path, json()?.as_bytes())?;
            output::print(&render::profile::table(found))?;
            output::print(&format!("\n{}: narrows check --profile {0}\n", path.display()))
        }
        None if shown.format == ProfileFormat::Json => output::print(&json()?),
        None => output::print(&render::profile::table(found)),
    }
}
