//! Pools with more workers than the database takes connections.

use model::{Change, ChangeKind, Derived, Edit, Missing, Observation, Outcome, Remedy, Severity};

use crate::php_fpm::database::{self, DatabaseLimit, Uses};
use crate::php_fpm::view::{View, pools};
use crate::php_fpm::{Setting, edits, verdicts};
use crate::remedies::together;
use crate::{Cause, Evidence, services};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.pool-larger-than-database",
    title: "PHP-FPM may have more workers than the database takes connections",
    explains: &[],
    refutes: &[],
    document: include_str!("pool_larger_than_database.md"),
    test,
};

/// This share of the connections may be the pools'; the rest is for jobs, monitoring and administrators.
const SHARE: f64 = 0.8;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let running: Vec<_> = pools(evidence)?.into_iter().filter(View::runs).collect();
    if running.is_empty() {
        return verdicts::nobody(evidence);
    }
    let (mut known, mut remote) = (vec![], vec![]);
    let mut maybe = vec![];
    for view in running {
        match database::uses(&view) {
            Uses::Local => known.push(view),
            Uses::Remote(host) => remote.push(host),
            Uses::NotKnown => maybe.push(view),
        }
    }
    if let (true, Some(host)) = (known.is_empty() && maybe.is_empty(), remote.first()) {
        return Err(Missing::new(
            format!("max_connections of the database at {host}"),
            "ask it: SHOW VARIABLES LIKE 'max_connections'; and compare with the workers of all its hosts",
        ));
    }
    let limit = services::facts(&evidence.services.php_fpm)?.database.as_ref();
    let Some(limit) = limit.filter(|_| database::runs(evidence)) else {
        return Err(Missing::new(
            "which database the pools use: none runs on this host",
            "ask it: SHOW VARIABLES LIKE 'max_connections'; and compare with the workers of all its hosts",
        ));
    };
    Ok(judge(limit, &known, &maybe))
}

fn judge(limit: &DatabaseLimit, known: &[View<'_>], maybe: &[View<'_>]) -> Outcome {
    let workers = |views: &[View<'_>]| views.iter().map(|view| u64::from(view.most())).sum::<u64>();
    let (sure, all) = (workers(known), workers(known) + workers(maybe));
    let views: Vec<_> = known.iter().chain(maybe).copied().collect();
    let each = views.iter().map(|view| format!("{} {}", view.name(), view.most()));
    let each = each.collect::<Vec<_>>().join(" + ");
    let most = limit.max_connections;
    let line = format!("{each} = {all} workers, {most} connections{}", default_of(limit));
    let outcome = if sure > most {
        Outcome::confirmed(Severity::Latent, line).remedy(more(limit, sure)).remedy(fewer(known, most, sure))
    } else if all > most {
        Outcome::consistent(Severity::Latent, line).lacks(Missing::new(
            "which database each pool uses",
            "DB_HOST of a WordPress whose document root Nginx passes to the pool says so; or look at SHOW PROCESSLIST",
        ))
    } else {
        Outcome::ruled_out(line)
    };
    let place = limit.setting.as_ref().map_or_else(|| "the server's default".to_owned(), Setting::place);
    let workers = views.iter().filter_map(|view| {
        let setting = view.pool.settings.get("pm.max_children")?;
        Some(Observation::new(
            setting.place(),
            format!("[{}] pm.max_children", view.pool.name),
            setting.value.clone(),
        ))
    });
    outcome.seen(Observation::new(place, "max_connections", most)).seen_all(workers)
}

fn default_of(limit: &DatabaseLimit) -> &'static str {
    if limit.setting.is_some() { "" } else { " by default" }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of connections")]
fn rounded(number: f64) -> u64 {
    number.max(1.0) as u64
}

#[expect(clippy::cast_precision_loss, reason = "counts of connections")]
fn share(part: u64, of: u64) -> f64 {
    part as f64 / (of as f64).max(1.0)
}

/// A larger `max_connections`, in the file where it stands or would stand.
#[expect(clippy::cast_precision_loss, reason = "counts of connections")]
fn more(limit: &DatabaseLimit, workers: u64) -> Remedy {
    let wanted = rounded((workers as f64 / SHARE).ceil());
    let target = Derived::new(wanted, "⌈workers / 0.8⌉, so that a fifth is left for others").input(
        "workers",
        workers,
        "Σ pm.max_children of the pools that use it",
    );
    let edit = Edit::OptionFile {
        group: limit.group.clone(),
        option: "max_connections".to_owned(),
        value: Some(wanted.to_string()),
    };
    let edits = if limit.file.is_empty() { vec![] } else { vec![edit] };
    let what = ChangeKind::File {
        path: limit.file.clone(),
        edit: format!("[{}] max_connections = {wanted}", limit.group),
        edits,
    };
    let change = Change::new(what, Some(limit.max_connections.to_string()), target)
        .owned_by(limit.setting.as_ref().map(Setting::place))
        .persists_by("the option file")
        .restarts("restart the database; SET GLOBAL max_connections changes it until then")
        .risks("each connection takes its own buffers, and as many queries at once may be slower than fewer");
    Remedy::new(
        format!("Let the database take {wanted} connections"),
        "no page fails with \"Too many connections\"",
    )
    .change(change)
}

/// Smaller pools, each by the same factor.
fn fewer(views: &[View<'_>], most: u64, workers: u64) -> Remedy {
    let factor = (SHARE * share(most, workers)).min(1.0);
    let remedies = views.iter().map(|view| {
        let size = rounded((f64::from(view.most()) * factor).floor());
        let target = Derived::new(size, "⌊pm.max_children × 0.8 × max_connections / workers⌋")
            .input("pm.max_children", view.most(), "the pool's file")
            .input("max_connections", most, "the database's option files")
            .input("workers", workers, "Σ pm.max_children of the pools that use it");
        let change = edits::change(view.pool, &edits::of_size(view.pool, size), target)
            .coupled_with("listen.backlog, which counts in workers")
            .restarts("reload PHP-FPM")
            .risks(&format!("{}; beyond so many requests wait instead", edits::reload_risk(view.master)));
        Remedy::new(
            format!("Let {} have {size} workers at most", view.name()),
            "no page fails with \"Too many connections\"",
        )
        .change(change)
    });
    together(remedies).unwrap_or_else(|| Remedy::new("fewer workers", "no page fails"))
}
