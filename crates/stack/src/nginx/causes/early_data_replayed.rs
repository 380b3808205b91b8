//! Requests in early data of TLS 1.3, which anybody who saw them can send again.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::caches::edits::Edits;
use crate::nginx::caches::seen::{and_more, instances, line, none_found, title};
use crate::nginx::caches::{Conditions, passing};
use crate::nginx::{Context, Directive, Instance};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.early-data-replayed",
    title: "Requests in early data can be sent again by others",
    explains: &[],
    refutes: &[],
    document: include_str!("early_data_replayed.md"),
    test,
};

struct Found<'a> {
    instance: &'a Instance,
    context: Context<'a>,
    on: &'a Directive,
    /// Whether some of the requests are answered 425.
    guarded: bool,
    /// A variable that is used before anything sets it.
    unset: Option<&'a Directive>,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let instances = instances(evidence)?;
    let all = instances.iter().flat_map(|instance| {
        let conditions = Conditions::read(&instance.configuration);
        passing(&instance.configuration)
            .into_iter()
            .filter_map(move |(_, context)| found(&conditions, instance, context))
    });
    let found: Vec<_> = all.collect();
    let Some(worst) = found.iter().min_by_key(|one| one.guarded) else {
        return none_found(instances, "no application is given requests of early data");
    };
    let titles: Vec<_> = found.iter().map(|one| title(&one.context)).collect();
    let (severity, what) = match worst.guarded {
        false => (
            Severity::Latent,
            "requests of early data reach the application, POST among them, as often as somebody sends them",
        ),
        true => (
            Severity::Hygiene,
            "some requests of early data are answered 425; a GET that changes something is let through and can be sent again",
        ),
    };
    let unset = found.iter().find_map(|one| one.unset);
    let text = format!("{}: {what}", and_more(&titles));
    let text = match unset {
        Some(unset) => format!(
            "{text}; line {} uses a variable that nothing sets before, and logs a warning for each request",
            unset.line
        ),
        None => text,
    };
    let seen: Vec<Observation> = found.iter().map(|one| line(one.on)).chain(unset.map(line)).collect();
    let mut remedy = Remedy::new(
        "Take no early data",
        "$ssl_early_data is never 1; a returning visitor waits one round trip more",
    );
    let mut done: Vec<*const Instance> = vec![];
    for one in &found {
        let instance: *const Instance = one.instance;
        if done.contains(&instance) {
            continue;
        }
        done.push(instance);
        let mut edits = Edits::of(&one.instance.configuration);
        for same in found.iter().filter(|same| std::ptr::eq(same.instance, one.instance)) {
            edits.set(&same.context.home(same.on), Some(same.on), "ssl_early_data", "off");
        }
        let reason =
            Derived::new("off", "off, unless every request that is let through may be carried out twice");
        let risk = "one round trip more for visitors who come back, where Nginx itself ends TLS";
        remedy = edits.changes(&reason, risk).into_iter().fold(remedy, Remedy::change);
    }
    Ok(Outcome::confirmed(severity, text).seen_all(seen).remedy(remedy))
}

fn found<'a>(conditions: &Conditions, instance: &'a Instance, context: Context<'a>) -> Option<Found<'a>> {
    let on = context.get("ssl_early_data").filter(|on| on.first() == Some("on"))?;
    let server = context.around("server")?;
    let levels = [server.children(), context.block().map(Directive::children).unwrap_or_default()];
    let ifs: Vec<&Directive> =
        levels.iter().flat_map(|level| level.iter()).filter(|one| one.name == "if").collect();
    let refuses = |one: &&&Directive| {
        one.children().iter().any(|inside| inside.name == "return" && inside.first() == Some("425"))
    };
    let guarded =
        ifs.iter().filter(refuses).any(|one| conditions.behind(&one.value()).contains("$ssl_early_data"));
    Some(Found { instance, on, guarded, unset: unset(&levels, &ifs), context })
}

/// A `set` within `if` that puts a variable into its own value, where no `set` outside of all conditions comes before.
fn unset<'a>(levels: &[&'a [Directive]], ifs: &[&'a Directive]) -> Option<&'a Directive> {
    let sets = |name: &str| {
        levels.iter().flat_map(|level| level.iter()).any(|one| one.name == "set" && one.first() == Some(name))
    };
    let inside = ifs.iter().flat_map(|one| one.children()).filter(|one| one.name == "set");
    inside.into_iter().find(|one| {
        let name = one.first().unwrap_or_default();
        let bare = name.trim_start_matches('$');
        let value = one.arguments.get(1).map(String::as_str).unwrap_or_default();
        (value.contains(name) || value.contains(&format!("${{{bare}}}"))) && !sets(name)
    })
}
