//! From the command line to a load, and how it shows while it is offered. Shared by everything that offers load.

use std::io::{IsTerminal, Write};

use anyhow::Context;
use prove::load::{Arrivals, LoadSpec, Process, Progress, Protocol, Request};
use prove::replay::Skipped;

use crate::arguments::prove::Traffic;
use crate::exit::UsageError;

/// What the command line asks for. Says on standard error what of a log is left out.
pub(crate) fn spec(traffic: &Traffic, url: &str) -> anyhow::Result<LoadSpec> {
    let (spec, skipped) = spec_and_skipped(traffic, url)?;
    let counts = skipped.map(|skipped| skipped.counts()).unwrap_or_default();
    if !counts.is_empty() {
        let counts: Vec<_> = counts.iter().map(|(count, why)| format!("{count} {why}")).collect();
        let line = format!("left out of the log: {}", counts.join(", "));
        writeln!(anstream::stderr(), "{line}").ok();
    }
    Ok(spec)
}

/// What the command line asks for, and what of a log is left out.
pub(crate) fn spec_and_skipped(traffic: &Traffic, url: &str) -> anyhow::Result<(LoadSpec, Option<Skipped>)> {
    let headers = traffic.header.iter().map(|field| header(field)).collect::<Result<Vec<_>, _>>()?;
    let (requests, skipped) = match &traffic.log {
        Some(log) => {
            let replay = prove::replay::read(log, site(url)?, &headers)?;
            (replay.requests, Some(replay.skipped))
        }
        None => {
            let (method, url) = (traffic.method.clone(), url.to_owned());
            (vec![Request { method, url, headers, body: Vec::new() }], None)
        }
    };
    let spec = LoadSpec {
        requests,
        protocol: if traffic.http2 { Protocol::Http2 } else { Protocol::Http1 },
        keep_alive: !traffic.no_keepalive,
        arrivals: Arrivals {
            per_s: traffic.rate,
            process: if traffic.poisson { Process::Poisson } else { Process::Constant },
            seed: traffic.seed,
        },
        warm_up: traffic.warm_up,
        duration: traffic.duration,
        timeout: traffic.timeout,
        most_connections: usize::try_from(traffic.connections).context("the number of connections")?,
        verify_certificates: !traffic.insecure,
    };
    prove::load::validate(&spec).map_err(|error| UsageError(error.to_string()))?;
    Ok((spec, skipped))
}

/// With a log, the address is that of a site: the log has the paths.
fn site(url: &str) -> Result<&str, UsageError> {
    let site = url.strip_suffix('/').unwrap_or(url);
    match site.split_once("://") {
        Some((_, host)) if !host.is_empty() && !host.contains(['/', '?', '#']) => Ok(site),
        _ => Err(UsageError("with --log, --load names a site only, such as https://shop.example".to_owned())),
    }
}

/// An address as it is shown: without a query, which may hold secrets.
pub(crate) fn shown(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

/// `Name: value`. What is after the colon may be a secret, and is not repeated.
fn header(field: &str) -> Result<(String, String), UsageError> {
    let (name, value) = field.split_once(':').ok_or_else(|| {
        UsageError("a header field given with -H has no colon; write it as 'Name: value'".to_owned())
    })?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// One line on the terminal that says how a load comes along; nothing where no person looks at it.
#[derive(Debug)]
pub(crate) struct ProgressLine {
    is_shown: bool,
    /// What is measured, such as `block 3 of 8, with the plan`.
    title: String,
}

impl ProgressLine {
    /// Shows where standard error is a terminal, unless the result is for a program.
    pub(crate) fn new(for_a_program: bool) -> Self {
        Self { is_shown: !for_a_program && std::io::stderr().is_terminal(), title: String::new() }
    }

    /// Says what is measured from now on.
    pub(crate) fn titled(&mut self, title: &str) {
        title.clone_into(&mut self.title);
    }

    /// Redraws.
    pub(crate) fn show(&self, progress: &Progress) {
        self.draw(&text(&self.title, progress));
    }

    /// Says how something else than a load comes along.
    pub(crate) fn say(&self, text: &str) {
        self.draw(&format!("{}: {text}", self.title));
    }

    /// Leaves the terminal as it was.
    pub(crate) fn clear(&self) {
        self.draw("");
    }

    fn draw(&self, text: &str) {
        if self.is_shown {
            // EL, erase to the end of the line (ECMA-48, 8.3.41).
            let mut stderr = anstream::stderr().lock();
            write!(stderr, "\r{text}\x1b[K").and_then(|()| stderr.flush()).ok();
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.clear();
    }
}

fn text(title: &str, progress: &Progress) -> String {
    let Progress { elapsed_s, offered, good, failed, outstanding } = progress;
    let space = if title.is_empty() { "" } else { ": " };
    format!(
        "{title}{space}{elapsed_s:.0} s, {offered} due, {good} good, {failed} failed, {outstanding} outstanding"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_field_is_split_at_its_first_colon_and_its_value_is_not_repeated() {
        assert_eq!(header("Host: a:80").unwrap(), ("Host".to_owned(), "a:80".to_owned()));
        assert!(!header("Bearer secret").unwrap_err().to_string().contains("secret"));
    }

    #[test]
    fn with_a_log_the_address_is_that_of_a_site() {
        assert_eq!(site("https://shop.example/").unwrap(), "https://shop.example");
        for wrong in ["https://shop.example/cart", "shop.example", "https:///", "https://x/?token=secret"] {
            assert!(!site(wrong).unwrap_err().to_string().contains("secret"), "{wrong}");
        }
    }

    #[test]
    fn the_progress_fits_on_a_line() {
        let progress = Progress {
            elapsed_s: 3599.6,
            offered: 99_999_999,
            good: 99_999_999,
            failed: 9,
            outstanding: 1024,
        };
        let text = text("block 16 of 16, without", &progress);
        assert!(text.len() < 100, "{text}");
        assert!(text.starts_with("block 16 of 16, without: 3600 s, "));
    }
}
