//! Headers that a block loses because it adds some of its own.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::caches::edits::Edits;
use crate::nginx::caches::seen::{and_more, instances, line, none_found, title};
use crate::nginx::{Context, Directive, Instance};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.headers-lost",
    title: "A block with a header of its own loses those around it",
    explains: &[],
    refutes: &[],
    document: include_str!("headers_lost.md"),
    test,
};

/// A block and the headers that it loses.
struct Found<'a> {
    instance: &'a Instance,
    context: Context<'a>,
    lost: Vec<&'a Directive>,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let instances = instances(evidence)?;
    let mut found: Vec<Found> = vec![];
    let mut headers = 0_usize;
    for instance in instances {
        for context in instance.configuration.contexts() {
            let own = own(&context);
            headers += own.len();
            let Some(outer) = own.first().and_then(|_| around(&context)) else { continue };
            let repeated = |lost: &&Directive| own.iter().any(|one| one.arguments == lost.arguments);
            // Another value for the same header replaces it, but for a header that adds up.
            let replaced = |lost: &&Directive| !adds_up(lost) && own.iter().any(|one| same_name(one, lost));
            let lost: Vec<_> = outer.into_iter().filter(|one| !repeated(one) && !replaced(one)).collect();
            if !lost.is_empty() {
                found.push(Found { instance, context, lost });
            }
        }
    }
    if found.is_empty() {
        let text = if headers == 0 {
            "no block adds a header"
        } else {
            "every block that adds headers has all of them"
        };
        return none_found(instances, text);
    }
    let mut names: Vec<&str> =
        found.iter().flat_map(|one| &one.lost).filter_map(|lost| lost.first()).collect();
    names.dedup();
    let titles: Vec<_> = found.iter().map(|one| title(&one.context)).collect();
    let text = format!("{}: adds a header, and so loses {}", and_more(&titles), shown(&names));
    let outcome = Outcome::confirmed(Severity::Hygiene, text);
    Ok(outcome.seen_all(found.iter().flat_map(lines)).remedy(remedy(&found)))
}

fn shown(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    let mut text = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

fn adds_up(directive: &Directive) -> bool {
    directive
        .first()
        .is_some_and(|name| name.eq_ignore_ascii_case("link") || name.eq_ignore_ascii_case("set-cookie"))
}

fn same_name(left: &Directive, right: &Directive) -> bool {
    left.first().zip(right.first()).is_some_and(|(left, right)| left.eq_ignore_ascii_case(right))
}

fn own<'a>(context: &Context<'a>) -> Vec<&'a Directive> {
    let children = context.block().map(Directive::children).unwrap_or_default();
    children.iter().filter(|one| one.name == "add_header").collect()
}

/// The headers that a block would have without its own.
fn around<'a>(context: &Context<'a>) -> Option<Vec<&'a Directive>> {
    let mut outer = context.clone();
    while let Some(inner) = outer.block() {
        outer = outer.outside(inner)?;
        let headers = own(&outer);
        if !headers.is_empty() {
            return Some(headers);
        }
    }
    None
}

fn lines(found: &Found) -> Vec<Observation> {
    found.lost.iter().copied().chain(own(&found.context)).map(line).collect()
}

fn remedy(found: &[Found]) -> Remedy {
    let reason = Derived::new(
        "",
        "add_header is inherited only by blocks that have none: each is repeated where it got lost",
    );
    let remedy =
        Remedy::new("Repeat the headers where they got lost", "curl -I shows the headers on every page");
    let mut done: Vec<*const Instance> = vec![];
    found.iter().fold(remedy, |remedy, one| {
        let instance: *const Instance = one.instance;
        if done.contains(&instance) {
            return remedy;
        }
        done.push(instance);
        let mut edits = Edits::of(&one.instance.configuration);
        for same in found.iter().filter(|same| std::ptr::eq(same.instance, one.instance)) {
            for lost in &same.lost {
                let words: Vec<_> = lost.arguments.iter().map(|word| conf::nginx_word(word)).collect();
                edits.one_more(&same.context, "add_header", &words.join(" "));
            }
        }
        let risk = "a header that was left out on purpose comes back";
        edits.changes(&reason, risk).into_iter().fold(remedy, Remedy::change)
    })
}
