//! Files that are opened anew for each request.

use model::observation::number_text;
use model::{Derived, Missing, Outcome, Severity};

use crate::nginx::findings::{Advice, Finding, Found, Subject, judge, number, serves_files};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.file-cache-off",
    title: "Nginx opens each file anew for each request",
    explains: &[],
    refutes: &[],
    document: include_str!("file_cache_off.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Let Nginx keep what it knows of files for some seconds",
    moves: "open(2), fstat(2) and close(2) of the workers per request fall",
    risk: "a file that is exchanged is noticed after open_file_cache_valid; deploy by new names, or keep that short",
};
/// Below so many requests per second opening a file for each costs nothing that could be measured on a local file system.
const LEAST_PER_S: f64 = 50.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let contexts = subject.configuration().contexts();
    let serving = contexts.iter().any(serves_files);
    let Some(http) = subject.http().filter(|_| serving) else {
        return Ok((vec![], "it serves no files".to_owned()));
    };
    let off: Vec<_> =
        subject.setting("open_file_cache").into_iter().filter(|(_, own)| own.has("off")).collect();
    if off.is_empty() && !subject.setting("open_file_cache").is_empty() {
        return Ok((vec![], "open_file_cache is on".to_owned()));
    }
    let rate = subject.requests_per_s();
    if let Some(per_s) = rate.as_ref().ok().map(number).filter(|per_s| *per_s < LEAST_PER_S) {
        return Ok((
            vec![],
            format!("no open_file_cache at {} requests/s: it would save nothing there", number_text(per_s)),
        ));
    }
    let target = || {
        Derived::new(
            "max=10000 inactive=60s",
            "10,000 files, about 2.5 MB in each worker; forgotten after a minute",
        )
    };
    let why = "(each request opens, looks at and closes its file)";
    let mut findings: Vec<_> = off
        .into_iter()
        .map(|(context, own)| {
            Finding::at(Severity::Hygiene, own, why).set(&context, "open_file_cache", target())
        })
        .collect();
    if findings.is_empty() {
        findings.push(Finding::without(Severity::Hygiene, &http, "open_file_cache", why).set(
            &http,
            "open_file_cache",
            target(),
        ));
    }
    let measured = |finding: Finding<'a>| match &rate {
        Ok(seen) => finding.seen(seen.clone()),
        Err(missing) => finding.lacks(missing.clone()),
    };
    Ok((findings.into_iter().map(measured).collect(), String::new()))
}
