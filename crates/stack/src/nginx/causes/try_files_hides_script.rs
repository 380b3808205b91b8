//! A block for addresses that are no files, which looks for files or does not say which script answers.

use model::{Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::nginx::caches::edits::Edits;
use crate::nginx::caches::passing;
use crate::nginx::caches::seen::{and_more, instances, line, none_found, title};
use crate::nginx::{Context, Directive, ErrorKind, Instance};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.try-files-hides-script",
    title: "Requests for PHP find no script",
    explains: &[],
    refutes: &[],
    document: include_str!("try_files_hides_script.md"),
    test,
};

const SCRIPT: &str = "SCRIPT_FILENAME";

/// A block that passes requests to PHP, for addresses that are no files of PHP.
struct Found<'a> {
    instance: &'a Instance,
    context: Context<'a>,
    /// `try_files` that ends in an error.
    looks: Option<&'a Directive>,
    /// The parameter that names no file of PHP, or nothing where there is none.
    names: Option<Option<&'a Directive>>,
}

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let instances = instances(evidence)?;
    let mut blocks = 0_usize;
    let mut found: Vec<Found> = vec![];
    for instance in instances {
        for (family, context) in passing(&instance.configuration) {
            if family == "fastcgi" {
                blocks += 1;
                found.extend(fault(instance, context));
            }
        }
    }
    let Some(first) = found.iter().max_by_key(|one| one.looks.is_some()) else {
        let text = if blocks == 0 {
            "no block passes requests to FastCGI"
        } else {
            "each block names the script that answers"
        };
        return none_found(instances, text);
    };
    let titles: Vec<_> = found.iter().map(|one| title(&one.context)).collect();
    let what = match (first.looks, first.names) {
        (Some(looks), _) => format!(
            "`try_files {}` looks for a file, and there is none: every request gets an error",
            looks.value()
        ),
        (None, Some(Some(_))) => {
            "SCRIPT_FILENAME follows an address that is no file: PHP finds no script".to_owned()
        }
        (None, _) => "no SCRIPT_FILENAME: PHP is told no script".to_owned(),
    };
    let unknown: u64 = found
        .iter()
        .flat_map(|one| &one.instance.error_logs)
        .flat_map(|log| &log.kinds)
        .filter(|kind| kind.kind == ErrorKind::ScriptUnknown)
        .map(|kind| kind.count)
        .sum();
    let asked: u64 = found.iter().map(asked_for).sum();
    let text = format!("{}: {what}", and_more(&titles));
    let outcome = match (unknown, asked) {
        (0, 0) => Outcome::confirmed(Severity::Latent, text).lacks(Missing::new(
            "requests for this block",
            "watch the access log: each one is answered with an error",
        )),
        _ => Outcome::confirmed(Severity::Breaking, format!("{text}; {}", lost(unknown, asked))),
    };
    let counts =
        [("Primary script unknown", "error log", unknown), ("requests for the block", "access log", asked)];
    let counts = counts.into_iter().filter(|(.., count)| *count > 0);
    Ok(outcome
        .seen_all(counts.map(|(field, source, count)| Observation::new(source, field, count)))
        .seen_all(found.iter().flat_map(lines))
        .remedy(remedy(&found)))
}

fn lost(unknown: u64, asked: u64) -> String {
    match unknown {
        0 => format!("{asked} requests of the log were for it"),
        _ => format!("PHP was told {unknown} times of a script that is not there"),
    }
}

/// Requests of the log whose path the block's own pattern begins with.
fn asked_for(found: &Found) -> u64 {
    let Some(prefix) = found.context.around("location").and_then(literal) else { return 0 };
    let used = found.instance.access_logs.iter().flat_map(|log| &log.top);
    used.filter(|used| used.path.starts_with(&prefix)).map(|used| used.requests).sum()
}

/// What every address of a location begins with; `None` where that says nothing.
fn literal(block: &Directive) -> Option<String> {
    let pattern = block.arguments.last()?;
    let text = match block.arguments.first()?.as_str() {
        "~" | "~*" => {
            let rest = pattern.strip_prefix('^')?;
            let end = rest.find(|letter: char| "\\.[]()*+?{}|$^".contains(letter)).unwrap_or(rest.len());
            rest.get(..end)?.to_owned()
        }
        _ => pattern.clone(),
    };
    (text.len() > 1).then_some(text)
}

/// Whether a location is for files of PHP: its pattern says so, or it holds nothing but one file.
fn is_for_scripts(block: &Directive) -> bool {
    block.arguments.last().is_some_and(|pattern| pattern.contains("php"))
}

fn fault<'a>(instance: &'a Instance, context: Context<'a>) -> Option<Found<'a>> {
    let location = context.around("location")?;
    if is_for_scripts(location) {
        return None;
    }
    // `try_files` is not inherited, and acts where the request is passed on.
    let looks =
        context.own("try_files").filter(|own| own.arguments.last().is_some_and(|last| last.starts_with('=')));
    let mut script = context.all("fastcgi_param").into_iter().filter(|one| one.first() == Some(SCRIPT));
    let names = match script.next_back() {
        None => Some(None),
        Some(one) => {
            let path = one.arguments.get(1).map(String::as_str).unwrap_or_default();
            // With an index file the address of a folder becomes one of a script.
            let by_index = location.arguments.last().is_some_and(|path| path.ends_with('/'))
                && context.get("fastcgi_index").is_some()
                && !location.has("~")
                && !location.has("~*");
            let follows = path.contains("$fastcgi_script_name")
                || path.contains("$uri")
                || path.contains("$request_uri");
            (follows && !by_index && !path.ends_with(".php")).then_some(Some(one))
        }
    };
    // A block that only tries files and answers with the script by itself is told by the redirect, not here.
    (looks.is_some() || names.is_some()).then_some(Found { instance, context, looks, names })
}

fn lines(found: &Found) -> Vec<Observation> {
    let pass = found.context.own("fastcgi_pass");
    [found.looks, found.names.flatten(), pass].into_iter().flatten().map(line).collect()
}

/// The script that answers for addresses that are no files, as the server names it elsewhere.
fn front(found: &Found) -> String {
    let server = found.context.around("server").map(Directive::children).unwrap_or_default();
    let tries = server
        .iter()
        .flat_map(|one| std::iter::once(one).chain(one.children()))
        .filter(|one| one.name == "try_files");
    let last = tries.filter_map(|one| one.arguments.last()).find(|last| last.contains(".php"));
    last.map_or_else(|| "/index.php".to_owned(), |last| last.split('?').next().unwrap_or_default().to_owned())
}

fn remedy(found: &[Found]) -> Remedy {
    let reason = Derived::new(
        "",
        "an address that is no file is answered by the one script of the application, whatever it is",
    );
    let risk = "where the script is another one than the application's own, name that one";
    let remedy = Remedy::new("Name the script that answers", "requests for the block are answered by PHP");
    let mut done: Vec<*const Instance> = vec![];
    found.iter().fold(remedy, |remedy, one| {
        let instance: *const Instance = one.instance;
        if done.contains(&instance) {
            return remedy;
        }
        done.push(instance);
        let mut edits = Edits::of(&one.instance.configuration);
        for same in found.iter().filter(|same| std::ptr::eq(same.instance, one.instance)) {
            if let Some(looks) = same.looks {
                edits.remove(&same.context, looks);
            }
            if same.names.is_some() {
                // Parameters of one block replace those around it: it goes where the others are.
                let others = same.context.all("fastcgi_param");
                let inherited = others.first().map(|first| same.context.home(first));
                let place = inherited.unwrap_or_else(|| same.context.clone());
                edits.one_more(&place, "fastcgi_param", &format!("{SCRIPT} $document_root{}", front(same)));
            }
        }
        edits.changes(&reason, risk).into_iter().fold(remedy, Remedy::change)
    })
}
