//! What acts now and is gone after a restart of ProxySQL.

use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::proxysql::view::View;
use crate::proxysql::{Configuration, edits, verdicts};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "proxysql.not-saved",
    title: "What ProxySQL does now is not what it does after a restart",
    explains: &[],
    refutes: &[],
    document: include_str!("not_saved.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    verdicts::of_each(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let (runtime, disk) = (&view.asked.runtime, &view.asked.disk);
    let servers = edits::differing(runtime, disk);
    let variables = variables(runtime, disk);
    let rules = runtime.multiplex_rules != disk.multiplex_rules;
    let mut found = [servers.clone(), variables.clone()].concat();
    if rules {
        found.push("query rules".to_owned());
    }
    if found.is_empty() {
        return Ok(Outcome::ruled_out(format!("{}: run time and disk are the same", view.name())));
    }
    let line = format!("{}, now and after a restart: {}", view.name(), found.join("; "));
    let commands = [
        ("SAVE MYSQL SERVERS FROM RUNTIME; SAVE MYSQL SERVERS TO DISK", !servers.is_empty()),
        ("SAVE MYSQL VARIABLES FROM RUNTIME; SAVE MYSQL VARIABLES TO DISK", !variables.is_empty()),
        ("SAVE MYSQL QUERY RULES FROM RUNTIME; SAVE MYSQL QUERY RULES TO DISK", rules),
    ];
    let commands = commands.iter().filter(|(_, differs)| *differs).map(|(command, _)| *command);
    let commands = commands.collect::<Vec<_>>().join("; ");
    let place = format!("the administration of ProxySQL at {}", view.proxy.address);
    let change = Change::new(ChangeKind::Elsewhere { place }, None, Derived::new(commands, "as found"))
        .risks("somebody may have tried this on purpose: LOAD … FROM DISK goes back to what the disk has");
    let seen = found.iter().map(|what| view.seen("main.runtime_… and disk.…", "differs", what));
    Ok(Outcome::confirmed(Severity::Latent, line).seen_all(seen).remedy(
        Remedy::new("Save what acts now, or go back to what is saved", "both are the same").change(change),
    ))
}

/// Variables that are not the same in both, in words.
fn variables(one: &Configuration, other: &Configuration) -> Vec<String> {
    let differs = |(name, value): (&String, &String)| {
        let saved = other.variables.get(name)?;
        (saved != value).then(|| format!("{name} {value} and {saved}"))
    };
    one.variables.iter().filter_map(differs).collect()
}
