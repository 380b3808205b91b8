//! Answers that Nginx gives in the place of an upstream, and what its error log says of them.

use model::observation::number_text;
use model::{Missing, Observation};

use crate::nginx::ErrorKind;
use crate::nginx::logs::{self, Share};
use crate::{Evidence, Presence};

/// Fewer are no symptom: a worker that is exchanged or a visitor's odd request makes one.
const LEAST: u64 = 3;
/// Of all requests.
const LEAST_SHARE: f64 = 0.001;
/// Kinds of errors that a summary names.
const MOST_NAMED: usize = 3;

/// Whether an answer is given to more than a few requests, and the errors behind it: how many, of which kind, towards whom.
pub(super) fn answered(evidence: &Evidence, status: u16, kinds: &[ErrorKind]) -> Result<Presence, Missing> {
    let share = logs::status_share(evidence, status);
    let errors = errors(evidence, kinds);
    let logged: u64 = errors.iter().flatten().map(|error| error.count).sum();
    let named = named(errors.as_deref().unwrap_or_default());
    let presence = match (share, &errors) {
        (Err(missing), Err(_)) => return Err(missing),
        (Err(_), Ok(_)) => {
            Presence::new(logged >= LEAST, format!("{named} (no access log could be counted)"))
        }
        (Ok(share), _) => by_share(share, status, &named),
    };
    let seen = errors.unwrap_or_default().into_iter().take(MOST_NAMED).map(|error| {
        let field = if error.upstream.is_empty() {
            error.meaning.to_owned()
        } else {
            format!("{} {}", error.upstream, error.meaning)
        };
        Observation::new(error.path, field, error.count)
    });
    Ok(seen.fold(presence, Presence::seen))
}

fn by_share(share: Share, status: u16, named: &str) -> Presence {
    if share.of == 0 {
        return Presence::new(false, "no request in the access logs of the last minutes");
    }
    let present = share.count >= LEAST && share.ratio() >= LEAST_SHARE;
    let percent = share.ratio() * 100.0;
    let mut summary = format!(
        "{} % of {} requests were answered {status}",
        number_text(percent),
        number_text(share.of as f64)
    );
    if present && !named.is_empty() {
        summary = format!("{summary}; error log: {named}");
    }
    let seen = Observation::new("access logs of Nginx", format!("answers {status}"), percent).unit("%");
    Presence::new(present, summary).seen(seen)
}

struct Error {
    path: String,
    upstream: String,
    meaning: &'static str,
    count: u64,
}

fn errors(evidence: &Evidence, kinds: &[ErrorKind]) -> Result<Vec<Error>, Missing> {
    let mut errors = Vec::new();
    for log in logs::error_logs(evidence)? {
        let of_kinds = log.kinds.iter().filter(|one| kinds.contains(&one.kind));
        errors.extend(of_kinds.map(|one| Error {
            path: log.path.clone(),
            upstream: one.upstream.clone().unwrap_or_default(),
            meaning: meaning(one.kind),
            count: one.count,
        }));
    }
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    Ok(errors)
}

fn named(errors: &[Error]) -> String {
    let one = |error: &Error| {
        let upstream = error.upstream.trim_end_matches(':');
        let towards = if upstream.is_empty() { String::new() } else { format!(" of {upstream}") };
        format!("{} × {}{towards}", number_text(error.count as f64), error.meaning)
    };
    let mut named: Vec<_> = errors.iter().take(MOST_NAMED).map(one).collect();
    let rest = errors.len().saturating_sub(MOST_NAMED);
    if rest > 0 {
        named.push(format!("{rest} more kinds"));
    }
    named.join(", ")
}

/// A kind of error in a few words, as they stand before `of UPSTREAM`.
fn meaning(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::QueueFull => "full listen queue (11)",
        ErrorKind::Refused => "connection refused (111)",
        ErrorKind::NoSocket => "missing socket (2)",
        ErrorKind::NotAllowed => "permission denied on the socket (13)",
        ErrorKind::NoPort => "no local port left for connections (99)",
        ErrorKind::ConnectTimedOut => "connect timeout (110)",
        ErrorKind::AnswerTimedOut => "answer timeout (110)",
        ErrorKind::ClosedEarly => "early close by the worker (104)",
        ErrorKind::NoLiveUpstream => "no live server",
        ErrorKind::HeaderTooBig => "too big header",
        _ => "other error",
    }
}
