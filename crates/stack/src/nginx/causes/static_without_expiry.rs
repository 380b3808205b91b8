//! Files that browsers ask for again on each page.

use model::{Derived, Missing, Outcome, Severity};

use crate::nginx::configuration::Context;
use crate::nginx::findings::{Advice, Finding, Found, Subject, judge, passes, serves_files};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.static-without-expiry",
    title: "Static files are sent without a time for which they are fresh",
    explains: &[],
    refutes: &[],
    document: include_str!("static_without_expiry.md"),
    test,
};

const ADVICE: Advice = Advice {
    title: "Say for how long styles, scripts and images are fresh",
    moves: "requests for static files per page of a returning visitor fall to 0",
    risk: "a file that changes under the same name is seen late: give files a new name, or a version in the URL, when they change",
};
/// Endings by which a location is known to be one of static files.
const ENDINGS: [&str; 8] = ["css", "js", "png", "jpg", "jpeg", "woff", "svg", "gif"];

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    judge(evidence, &ADVICE, find)
}

/// Whether an answer of the block says for how long it is fresh.
fn says(context: &Context) -> bool {
    let header = context.all("add_header").into_iter().chain(context.all("more_set_headers"));
    let by_header =
        header.into_iter().any(|one| one.value().to_ascii_lowercase().starts_with("cache-control"));
    by_header || context.get("expires").is_some_and(|own| !own.has("off"))
}

fn is_of_static_files(context: &Context) -> bool {
    let Some(location) = context.block().filter(|block| block.name == "location") else { return false };
    let is_pattern = matches!(location.first(), Some("~" | "~*"));
    let pattern = location.arguments.last().map(String::as_str).unwrap_or_default();
    let named = ENDINGS.iter().filter(|ending| pattern.contains(*ending)).count();
    is_pattern
        && named >= 2
        && passes(context).is_none()
        && context.own("deny").is_none()
        && context.own("return").is_none()
}

fn find<'a>(subject: &Subject<'a>) -> Result<Found<'a>, Missing> {
    let mut findings = Vec::new();
    let contexts = subject.configuration().contexts();
    for (at, server) in contexts.iter().enumerate() {
        let Some(block) = server.block().filter(|block| block.name == "server") else { continue };
        // What a block holds comes right after it.
        let within =
            |context: &&Context| context.around("server").is_some_and(|one| std::ptr::eq(one, block));
        let inside: Vec<_> = contexts.iter().skip(at).take_while(within).collect();
        let serves =
            inside.iter().any(|context| context.own("root").is_some() || context.own("alias").is_some());
        if !serves || says(server) {
            continue;
        }
        let own: Vec<_> = inside.iter().filter(|context| is_of_static_files(context)).collect();
        for context in own.iter().filter(|context| !says(context)) {
            let Some(location) = context.block() else { continue };
            let target = Derived::new("30d", "30 days: longer than most visitors stay away");
            let why = "(browsers ask for each file again)";
            findings.push(Finding::at(Severity::Hygiene, location, why).set(context, "expires", target));
        }
        let somewhere = inside.iter().any(|context| serves_files(context) && says(context));
        if own.is_empty() && !somewhere {
            let why = "(no location of static files says for how long they are fresh)";
            findings.push(Finding::without(Severity::Hygiene, server, "expires", why).by_hand(
                server,
                "location",
                format!("the server of {}", block.place()),
                static_files(),
            ));
        }
    }
    Ok((findings, "static files say for how long they are fresh, or none are served".to_owned()))
}

fn static_files() -> Derived {
    let value = "location ~* \\.(?:css|js|png|jpe?g|gif|svg|webp|avif|ico|woff2?)$ { expires 30d; }, with the try_files of the site";
    Derived::new(value, "files that pages name; 30 days are longer than most visitors stay away")
}
