//! `narrows queries digest`.

mod live;

use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use querylog::fingerprint::Options as FingerprintOptions;
use querylog::report::{self, Outliers};
use querylog::saved::{self, Samples};
use querylog::{Basic, Event, Filter, Follow, Moment, Settings, Start, Within, source};

use crate::arguments::queries::digest::{Digest, DigestFormat, Select};
use crate::exit::{Exit, UsageError};
use crate::output;

/// Digests logs, and prints or saves what came out.
pub(crate) fn run(arguments: &Digest) -> anyhow::Result<Exit> {
    if arguments.live.live {
        let digest = live::digest(arguments, &settings(arguments).fingerprint)?;
        return put(arguments, &digest);
    }
    if arguments.files.is_empty() {
        let why = "name a slow log (its place: SHOW VARIABLES LIKE 'slow_query_log_file'), - for standard input, or --live";
        return Err(UsageError(why.to_owned()).into());
    }
    let settings = settings(arguments);
    let selection = Selection::of(&arguments.select)?;
    if arguments.follow {
        return follow(arguments, &settings, &selection);
    }
    put(arguments, &source::digest(&arguments.files, &settings, &selection)?)
}

/// Saves and prints a digest as it was asked for.
fn put(arguments: &Digest, digest: &querylog::Digest) -> anyhow::Result<Exit> {
    if let Some(path) = &arguments.save {
        let samples = if arguments.show_literals { Samples::Whole } else { Samples::Redacted };
        host::write_local(path, &saved::save(digest, samples)?)?;
    }
    let says_nothing_else = arguments.save.is_some() && arguments.output.is_none();
    if says_nothing_else && arguments.format == DigestFormat::Human {
        output::note(&format!("{} queries of {} classes saved\n", digest.events, digest.classes().len()));
    } else {
        print(arguments, digest)?;
    }
    let failed = digest.files.iter().filter_map(|file| Some((&file.name, file.error.as_ref()?)));
    let mut exit = Exit::Clear;
    for (name, error) in failed {
        output::note(&format!("{name} was read in part only: {error}\n"));
        exit = Exit::Unreadable;
    }
    Ok(exit)
}

fn settings(arguments: &Digest) -> Settings {
    let defaults = Settings::default();
    Settings {
        threads: arguments.threads.map_or(defaults.threads, usize::from),
        format: arguments.kind.map(Into::into),
        fingerprint: FingerprintOptions {
            rules: arguments.compat.into(),
            preserve_embedded_numbers: arguments.preserve_embedded_numbers,
            match_md5: false,
        },
        worst_by: arguments.order_by.attribute,
        ..defaults
    }
}

/// Reads a log as it is written, and prints the digest of what came, until interrupted.
fn follow(arguments: &Digest, settings: &Settings, selection: &Selection) -> anyhow::Result<Exit> {
    let [log] = arguments.files.as_slice() else {
        return Err(UsageError("--follow follows one log".to_owned()).into());
    };
    if arguments.save.is_some() || arguments.output.is_some() || log.as_os_str() == source::STANDARD_INPUT {
        let why = "--follow prints to standard output, and follows a file";
        return Err(UsageError(why.to_owned()).into());
    }
    let mut followed = Follow::open(log, Start::End, settings, selection)?;
    let mut printed = Ok(());
    followed.run(arguments.every, &mut |digest| {
        printed = output::print(&(text(arguments, &digest) + "\n"));
        if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    printed.map(|()| Exit::Clear)
}

fn print(arguments: &Digest, digest: &querylog::Digest) -> anyhow::Result<()> {
    let text = text(arguments, digest);
    match &arguments.output {
        Some(path) => {
            let plain = anstream::adapter::strip_str(&text).to_string();
            Ok(host::write_local(path, plain.as_bytes())?)
        }
        None => output::print(&text),
    }
}

fn text(arguments: &Digest, digest: &querylog::Digest) -> String {
    let is_pt = arguments.format == DigestFormat::Pt;
    let options = report::Options {
        order_by: arguments.order_by,
        limit: arguments.limit,
        outliers: is_pt.then(Outliers::default),
        show_literals: arguments.show_literals,
    };
    match arguments.format {
        DigestFormat::Human => report::human::render(digest, &options),
        DigestFormat::Json => report::json::render(digest, &options),
        DigestFormat::Markdown => report::markdown::render(digest, &options),
        DigestFormat::Pt => report::toolkit::render(digest, &options),
    }
}

/// Which events count.
struct Selection {
    basic: Basic,
    within: Within,
    filter: Option<Filter>,
}

impl Selection {
    fn of(arguments: &Select) -> anyhow::Result<Self> {
        let now_us = Timestamp::now().as_microsecond();
        let zone = TimeZone::system();
        let offset_s =
            |at: i64| Timestamp::from_second(at).map_or(0, |at| zone.to_offset(at).seconds().into());
        let moment = |text: &Option<String>| {
            text.as_ref().map(|text| Moment::parse(text, now_us, offset_s)).transpose().map_err(UsageError)
        };
        let filter = arguments.condition.as_deref().map(Filter::compile).transpose();
        Ok(Self {
            basic: Basic {
                dbs: arguments.db.clone(),
                users: arguments.user.clone(),
                hosts: arguments.host.clone(),
                ..Basic::default()
            },
            within: Within { since: moment(&arguments.since)?, until: moment(&arguments.until)? },
            filter: filter.map_err(|error| UsageError(format!("--where: {error}")))?,
        })
    }
}

impl querylog::Select for Selection {
    fn keep(&self, event: &Event<'_>) -> bool {
        self.basic.keep(event)
            && self.within.keep(event)
            && self.filter.as_ref().is_none_or(|filter| filter.is_true(event))
    }
}
