//! Digests a log and prints counts: what `cargo xtask bench digest` measures.
//!
//! `digest_log FILE [THREADS]`

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "an example reads what it is told and prints"
)]

use querylog::{All, Ingest, Settings};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(path) = arguments.next() else {
        return Err(std::io::Error::other("give a log, and perhaps a number of threads"));
    };
    let mut settings = Settings::default();
    if let Some(threads) = arguments.next().and_then(|threads| threads.parse().ok()) {
        settings.threads = threads;
    }
    if let Some(chunk) = arguments.next().and_then(|chunk| chunk.parse().ok()) {
        settings.chunk_bytes = chunk;
    }
    let mut ingest = Ingest::new(&settings, &All);
    ingest.log(&path, &mut std::fs::File::open(&path)?);
    let digest = ingest.finish();
    let total = digest.total();
    println!("events {} classes {}", digest.events, digest.classes().len());
    for (attribute, metric) in total.metrics() {
        println!("{attribute} {} {}", metric.count(), metric.exact_sum());
    }
    for (problem, extent) in digest.problems.iter() {
        println!("{problem:?} {} {}", extent.times, extent.bytes);
    }
    Ok(())
}
