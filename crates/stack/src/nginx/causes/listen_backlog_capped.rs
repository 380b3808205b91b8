//! A backlog in a `listen` line that the kernel cuts.

use model::{Derived, Missing, Outcome, Severity};

use crate::nginx::findings::{Advice, Finding, Found, Subject, judge};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.listen-backlog-capped",
    title: "The kernel cuts the backlog of a listen line",
    explains: &[],
    refutes: &[],
    document: include_str!("listen_backlog_capped.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Say the backlog that takes effect",
    moves: "Send-Q of `ss -ltn` equals the number in the configuration",
    risk: "none: the queue stays as long as it is",
};
const KEY: &str = "net.core.somaxconn";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let cap = subject.evidence.settings.number(KEY).and_then(|cap| u64::try_from(cap).ok());
    let mut findings = Vec::new();
    for context in subject.configuration().blocks(&["server"]) {
        let Some(block) = context.block() else { continue };
        for listen in block.children().iter().filter(|one| one.name == "listen") {
            let Some(backlog) = listen.parameter("backlog").and_then(|text| text.parse::<u64>().ok()) else {
                continue;
            };
            let cap = cap.ok_or_else(|| Missing::new(KEY, "read the host again, with /proc mounted"))?;
            if backlog <= cap {
                continue;
            }
            let why = format!("({KEY} cuts it to {cap})");
            let target = Derived::new(
                cap,
                "net.core.somaxconn, which is what takes effect; raise both where a queue overflows",
            )
            .input(KEY, cap, "/proc/sys/net/core/somaxconn")
            .input("backlog", backlog, &listen.place());
            findings.push(Finding::at(Severity::Hygiene, listen, why).parameter(
                &context,
                listen,
                ("listen", "backlog"),
                target,
            ));
        }
    }
    Ok((findings, "no listen line asks for more than the kernel gives".to_owned()))
}
