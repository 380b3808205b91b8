//! The command line of `narrows prove`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::change::{ResultFormat, State};
use super::duration;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    narrows prove --load https://shop.example/ --rate 50      latency at 50 requests/s, whatever the server does\n  \
    narrows prove --load https://shop.example/ --knee         the rate that the stack carries, foretold and measured\n  \
    narrows prove --load https://shop.example/ --rate 50 --plan plan.json    with and without the plan, in turn\n  \
    narrows prove --run 'php bin/console cache:warmup' --plan plan.json\n\n\
    Exit status: 0 measured; a plan on trial is worth keeping, 1 it is not and was taken back, 2 usage,\n\
    3 could not measure, 4 refused, 5 something could not be put back")]
pub(crate) struct Prove {
    /// Offer load to this address; with --log it is the site that the log's requests are sent to
    #[arg(long, value_name = "URL", required_unless_present = "run", conflicts_with = "run", value_hint = ValueHint::Url)]
    pub(crate) load: Option<String>,
    /// Measure this command instead, run by /bin/sh
    #[arg(long, value_name = "COMMAND")]
    pub(crate) run: Option<String>,
    /// Step the rate up until the stack no longer carries it
    #[arg(long, requires = "load", conflicts_with = "plan")]
    pub(crate) knee: bool,
    /// Measure with and without this saved plan in turn, then keep it or take it back
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) plan: Option<PathBuf>,
    /// Pairs of blocks, one with and one without the plan; two pairs without any change come first. Of fewer than 3
    /// nobody can tell an effect from noise
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(3..=100))]
    pub(crate) pairs: u32,
    /// The figure that the plan must move: p50, p99, failed, goodput, seconds, cpu, memory, or a counter
    /// such as TcpExt.ListenOverflows/s
    /// [default: what the plan promises, else p99 or seconds]
    #[arg(long, value_name = "METRIC")]
    pub(crate) metric: Option<String>,
    /// Take the plan back in the end, whatever it did
    #[arg(long, requires = "plan")]
    pub(crate) revert: bool,
    /// Also restart services that do not take a change up by a reload, around each block
    #[arg(long, requires = "plan")]
    pub(crate) restart: bool,
    #[command(flatten)]
    pub(crate) state: State,
    // The headings of these hold for all that follows them.
    #[command(flatten)]
    pub(crate) traffic: Traffic,
    #[command(flatten)]
    pub(crate) steps: Steps,
}

/// What is sent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load")]
pub(crate) struct Traffic {
    /// Requests per second
    #[arg(long, value_name = "N", default_value_t = 10.0, value_parser = rate)]
    pub(crate) rate: f64,
    /// How long to measure: each block, each step
    #[arg(long = "for", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(crate) duration: Duration,
    /// Load that comes first and is not counted
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    pub(crate) warm_up: Duration,
    /// When an answer is too late, counted from when its request was due
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// The most connections at once
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    pub(crate) connections: u32,
    /// HTTP/2 instead of HTTP/1.1
    #[arg(long)]
    pub(crate) http2: bool,
    /// A connection for each request
    #[arg(long, conflicts_with = "http2")]
    pub(crate) no_keepalive: bool,
    /// Let requests come at random distances, as visitors do, instead of equal ones
    #[arg(long)]
    pub(crate) poisson: bool,
    /// The method
    #[arg(long, value_name = "METHOD", default_value = "GET")]
    pub(crate) method: String,
    /// A header field; may be repeated
    #[arg(long, short = 'H', value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// Send the requests of this access log (combined format of Nginx and Apache), in its order, GET and HEAD only
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) log: Option<PathBuf>,
    /// Take any certificate
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Moves what is random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
}

/// How the knee is looked for.
#[derive(Debug, Args)]
#[command(next_help_heading = "Knee")]
pub(crate) struct Steps {
    /// The highest rate to try
    #[arg(long, value_name = "N", default_value_t = 100_000.0, value_parser = rate)]
    pub(crate) most: f64,
    /// A step fails when more than this share of its requests has no good answer
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0)]
    pub(crate) failed_limit: f64,
    /// A step fails when its 99th percentile is above this [default: twice that of the first step, at least 1s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) p99_limit: Option<Duration>,
}

/// A rate as `50` or `50/s`.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    match number.parse::<f64>() {
        Ok(rate) if rate.is_finite() && (0.01..=10_000_000.0).contains(&rate) => Ok(rate),
        _ => Err("it must be a number of requests per second, between 0.01 and 10000000".to_owned()),
    }
}

/// Whether the result is printed for a program.
pub(crate) fn for_a_program(prove: &Prove) -> bool {
    prove.state.format == ResultFormat::Json
}
