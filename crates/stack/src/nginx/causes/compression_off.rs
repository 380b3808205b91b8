//! Text that is sent uncompressed, or compressed at too high a price.

use model::{Derived, Missing, Outcome, Severity};

use crate::nginx::configuration::{Context, Directive};
use crate::nginx::findings::{Advice, Finding, Found, Subject, judge};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.compression-off",
    title: "Nginx sends text uncompressed, or compresses it too hard",
    explains: &[],
    refutes: &[],
    document: include_str!("compression_off.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Compress text, at a level that pays",
    moves: "body_bytes_sent of styles, scripts and JSON falls to a third or less",
    risk: "CPU time per answer; a page that shows a secret beside what a visitor typed can be guessed through its length (BREACH)",
};
/// Text that a PHP site sends besides `text/html`, which is always compressed.
const TYPES: &str = "text/css text/plain text/xml application/javascript text/javascript application/json application/xml application/rss+xml image/svg+xml";
/// Levels above take more CPU time and save next to nothing (zlib).
const HIGHEST_LEVEL: u32 = 6;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

fn is_on(context: &Context, name: &str) -> bool {
    context.get(name).and_then(Directive::first).is_some_and(|value| value != "off")
}

/// Whether something else compresses here: ready files, or another method.
fn otherwise(context: &Context) -> bool {
    ["brotli", "brotli_static", "zstd", "zstd_static"].iter().any(|name| is_on(context, name))
}

fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let Some(http) = subject.http() else { return Ok((vec![], "it serves no HTTP".to_owned())) };
    let mut findings = Vec::new();
    let whole = |context: &Context| {
        context.block().is_some_and(|block| block.name != "location" && block.name != "if")
    };
    for (context, off) in
        subject.setting("gzip").into_iter().filter(|(context, own)| own.has("off") && whole(context))
    {
        if !otherwise(&context) {
            let finding = Finding::at(
                Severity::Hygiene,
                off,
                "(styles, scripts and pages go out at three times their size)",
            );
            findings.push(finding.set(
                &context,
                "gzip",
                Derived::new("on", "text shrinks to a third or less"),
            ));
        }
    }
    let servers = subject.configuration().blocks(&["server"]);
    let some_on = servers.iter().any(|server| is_on(server, "gzip"));
    if http.own("gzip").is_none() && !some_on && !otherwise(&http) {
        let finding = Finding::without(Severity::Hygiene, &http, "gzip", "(the default is off)");
        findings.push(finding.set(&http, "gzip", Derived::new("on", "text shrinks to a third or less")));
    }
    let any_types = !subject.setting("gzip_types").is_empty();
    if let Some(gzip) = http.own("gzip").filter(|own| own.has("on") && !any_types && !otherwise(&http)) {
        let finding =
            Finding::at(Severity::Hygiene, gzip, "(without gzip_types: text/html alone is compressed)");
        findings.push(finding.set(
            &http,
            "gzip_types",
            Derived::new(TYPES, "text that browsers ask for; text/html is always among them"),
        ));
    }
    for (context, own) in subject.setting("gzip_comp_level") {
        let level = own.first().and_then(|text| text.parse::<u32>().ok()).unwrap_or(1);
        if level > HIGHEST_LEVEL {
            let finding = Finding::at(
                Severity::Hygiene,
                own,
                "(above 6 it takes much more CPU time and saves next to nothing)",
            );
            let target = Derived::new(5, "5: close to the smallest, at about half the time of 9").input(
                "now",
                level,
                &own.place(),
            );
            findings.push(finding.set(&context, "gzip_comp_level", target));
        }
    }
    Ok((findings, "text is compressed".to_owned()))
}
