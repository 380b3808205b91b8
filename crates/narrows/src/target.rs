//! Where the evidence comes from: this host, a tree or a bundle.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::arguments::databases::Databases;
use anyhow::Context;
use host::{Host, LiveHost, Tree};
use stack::collect::{Plan, collect};
use stack::{Evidence, bundle, reading};

/// Reads a target, or this host over a window.
pub(crate) fn read(
    target: Option<&Path>,
    window: Duration,
    databases: &Databases,
) -> anyhow::Result<Evidence> {
    match target {
        None => live(Plan::over(window), databases),
        Some(path) if path.is_dir() => {
            let tree = Tree::open(path)?;
            Ok(reading::read_tree(&tree)?)
        }
        Some(path) => {
            let bytes = host::read_local(path)?;
            bundle::read(&bytes).with_context(|| format!("{} is no bundle that can be read", path.display()))
        }
    }
}

/// Reads this host, with a progress line where a person watches.
pub(crate) fn live(plan: Plan, databases: &Databases) -> anyhow::Result<Evidence> {
    let host: Arc<dyn Host> = Arc::new(host(databases)?);
    let mut progress = Progress::new(plan.window);
    let evidence = collect(&host, plan, &mut |share| progress.show(share));
    progress.clear();
    Ok(evidence)
}

/// This host, with a way into its databases.
pub(crate) fn host(databases: &Databases) -> anyhow::Result<LiveHost> {
    Ok(LiveHost::new().with_logins(databases.logins()?))
}

/// One line on the terminal that says how far the reading is.
struct Progress {
    window: Duration,
    shown: bool,
}

impl Progress {
    fn new(window: Duration) -> Self {
        Self { window, shown: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, share: f64) {
        if self.shown {
            const WIDTH: usize = 30;
            let filled = (0..WIDTH).filter(|place| (*place as f64) < share * WIDTH as f64).count();
            let bar = format!("{}{}", "━".repeat(filled), "─".repeat(WIDTH - filled));
            let seconds = self.window.as_secs_f64();
            let mut stderr = std::io::stderr();
            write!(stderr, "\r\x1b[2Kreading {bar} {:.0} of {seconds:.0} s", share * seconds).ok();
            stderr.flush().ok();
        }
    }

    fn clear(&mut self) {
        if self.shown {
            write!(std::io::stderr(), "\r\x1b[2K").ok();
        }
    }
}
