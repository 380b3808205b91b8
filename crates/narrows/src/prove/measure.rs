//! One block: a load or a command, and what the host did meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use prove::command::{CommandSpec, Run, Running};
use prove::load::LoadSpec;
use prove::trial::{Block, Probe};

use super::figures;
use super::probe::HostProbe;
use super::traffic::{self, ProgressLine};
use crate::arguments::prove::{Prove, for_a_program};

/// What a block needs besides its work: connections that close, a reading that ends, an undo that waits for the disk.
const BESIDES: Duration = Duration::from_secs(3);

/// What is measured.
pub(crate) enum Work {
    /// Requests at a rate.
    Load(LoadSpec),
    /// A command, again and again.
    Command(CommandSpec),
}

/// Says stop to whatever is being measured.
#[derive(Clone, Default)]
pub(crate) struct Brake {
    command: Arc<Running>,
    load: Arc<AtomicBool>,
}

impl Brake {
    /// Ends the command that runs, and offers no more load.
    pub(crate) fn pull(&self) {
        self.load.store(true, Ordering::Relaxed);
        self.command.stop();
    }
}

/// Measures block after block.
pub(crate) struct Measurer {
    work: Work,
    brake: Brake,
    line: ProgressLine,
    longest: Duration,
    /// How the first run that failed did.
    pub(crate) failure: Option<String>,
}

impl Measurer {
    /// What the command line asks for.
    pub(crate) fn new(arguments: &Prove) -> anyhow::Result<Self> {
        let work = match (&arguments.load, &arguments.run) {
            (Some(url), _) => Work::Load(traffic::spec(&arguments.traffic, url)?),
            (None, line) => Work::Command(CommandSpec {
                line: line.clone().context("neither a load nor a command")?,
                warm_up: arguments.traffic.warm_up,
                duration: arguments.traffic.duration,
            }),
        };
        let line = ProgressLine::new(for_a_program(arguments));
        Ok(Self { work, brake: Brake::default(), line, longest: Duration::ZERO, failure: None })
    }

    /// Whether it is a load.
    pub(crate) fn of_load(&self) -> bool {
        matches!(self.work, Work::Load(_))
    }

    /// To stop it from another thread.
    pub(crate) fn brake(&self) -> Brake {
        self.brake.clone()
    }

    /// How long a block takes at most: known of a load, and of a command twice the longest so far.
    pub(crate) fn bound(&self) -> Duration {
        BESIDES
            + match &self.work {
                Work::Load(spec) => spec.warm_up + spec.duration + spec.timeout,
                Work::Command(_) => self.longest * 2,
            }
    }

    /// Measures a block.
    pub(crate) fn block(&mut self, title: &str, probe: &mut HostProbe) -> anyhow::Result<Block> {
        self.line.titled(title);
        let start = Instant::now();
        let block = match &self.work {
            Work::Load(spec) => load(spec, &self.brake, &self.line, probe)?,
            Work::Command(_) => {
                let runs = self.runs(&mut || probe.begin(None))?;
                figures::block_of_command(&runs, probe.end())
            }
        };
        self.longest = self.longest.max(start.elapsed());
        self.line.clear();
        Ok(block)
    }

    /// Runs the command of one block; `begin` is called when its warm-up is over.
    pub(crate) fn runs(&mut self, begin: &mut dyn FnMut()) -> anyhow::Result<Vec<Run>> {
        let Work::Command(spec) = &self.work else { return Ok(vec![]) };
        let line = &self.line;
        let mut watch = |seconds: f64, runs: usize| line.say(&format!("{seconds:.0} s, {runs} runs"));
        let runs = prove::command::run(spec, &self.brake.command, begin, &mut watch)?;
        line.clear();
        let failed = runs.iter().find_map(|run| run.failure.clone());
        self.failure = self.failure.take().or(failed);
        Ok(runs)
    }
}

fn load(spec: &LoadSpec, brake: &Brake, line: &ProgressLine, probe: &mut HostProbe) -> anyhow::Result<Block> {
    let warm_up = spec.warm_up.as_secs_f64();
    let mut begun = false;
    let result = prove::load::run_until(spec, &brake.load, &mut |progress| {
        if !begun && progress.elapsed_s >= warm_up {
            begun = true;
            probe.begin(Some(spec.duration));
        }
        line.show(progress);
    })?;
    Ok(figures::block_of_load(&result, probe.end()))
}
