//! Files that are copied through the worker, and packets that leave half full or late.

use model::{Derived, Missing, Outcome, Severity};

use crate::nginx::configuration::{Context, Directive};
use crate::nginx::findings::{Advice, Finding, Found, Subject, judge};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.sendfile-off",
    title: "Nginx copies files through the worker",
    explains: &[],
    refutes: &[],
    document: include_str!("sendfile_off.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Let the kernel send files, in full packets and at once",
    moves: "system time of workers per byte of files falls; the header leaves with the first bytes of the file",
    risk: "on a shared folder of VirtualBox sendfile(2) may send old contents",
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

fn is(directive: Option<&Directive>, value: &str) -> bool {
    directive.and_then(Directive::first) == Some(value)
}

fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let mut findings = Vec::new();
    let Some(http) = subject.http() else { return Ok((vec![], "it serves no HTTP".to_owned())) };
    // Large files are read past the page cache on purpose where one of these is set.
    let own_way = |context: &Context| {
        ["aio", "directio"].iter().any(|name| context.get(name).is_some_and(|one| !one.has("off")))
    };
    for (context, off) in subject.setting("sendfile").into_iter().filter(|(_, own)| own.has("off")) {
        if !own_way(&context) {
            let finding = Finding::at(
                Severity::Hygiene,
                off,
                "(each file is read into the worker and written out again)",
            );
            findings.push(finding.set(
                &context,
                "sendfile",
                on("files go from the page cache to the socket (sendfile(2))"),
            ));
        }
    }
    if http.own("sendfile").is_none() && !own_way(&http) {
        let finding = Finding::without(Severity::Hygiene, &http, "sendfile", "(the default is off)");
        findings.push(finding.set(
            &http,
            "sendfile",
            on("files go from the page cache to the socket (sendfile(2))"),
        ));
    }
    for (context, off) in subject.setting("tcp_nopush").into_iter().filter(|(_, own)| own.has("off")) {
        let finding = Finding::at(
            Severity::Hygiene,
            off,
            "(the header leaves in a packet of its own, before the file)",
        );
        findings.push(finding.set(&context, "tcp_nopush", on("full packets: TCP_CORK while a file is sent")));
    }
    for (context, off) in subject.setting("tcp_nodelay").into_iter().filter(|(_, own)| own.has("off")) {
        let finding = Finding::at(
            Severity::Hygiene,
            off,
            "(the last packet of an answer waits for an acknowledgement, up to 40 ms)",
        );
        findings.push(finding.set(
            &context,
            "tcp_nodelay",
            on("TCP_NODELAY on kept connections, as is the default"),
        ));
    }
    let nopush = if is(http.own("tcp_nopush"), "on") { "on" } else { "off" };
    Ok((findings, format!("sendfile is on; tcp_nopush {nopush}, tcp_nodelay on")))
}

fn on(formula: &str) -> Derived {
    Derived::new("on", formula)
}
