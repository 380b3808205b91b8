//! Kept connections that Nginx is told to have and PHP-FPM is not told to keep.

use model::{
    Change, ChangeKind, Derived, DirectiveEdit, Edit, Missing, Observation, Outcome, Remedy, Severity,
};

use crate::nginx::Directive;
use crate::php_fpm::passes::{self, Pass, Upstream};
use crate::php_fpm::verdicts::of_running_pools;
use crate::php_fpm::view::View;
use crate::remedies::together;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.keepalive-without-keep-conn",
    title: "Nginx would keep connections to PHP-FPM, but asks for each to be closed",
    explains: &[],
    refutes: &[],
    document: include_str!("keepalive_without_keep_conn.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    passes::nginx(evidence)?;
    of_running_pools(evidence, |view| Ok(judge(view)))
}

fn judge(view: &View<'_>) -> Outcome {
    let passes = passes::of(view);
    let keeps = |pass: &&Pass<'_>| pass.upstream.as_ref().and_then(Upstream::keepalive).is_some();
    let inert: Vec<_> = passes.iter().filter(keeps).filter(|pass| !pass.keeps_connections()).collect();
    let active = passes.iter().filter(keeps).any(Pass::keeps_connections);
    if active || inert.is_empty() {
        let why = if active { "fastcgi_keep_conn is on" } else { "no upstream of it has keepalive" };
        return Outcome::ruled_out(format!("{}: {why}", view.name()));
    }
    let mut upstreams: Vec<(&Upstream<'_>, u64, &Directive)> = vec![];
    for upstream in inert.iter().filter_map(|pass| pass.upstream.as_ref()) {
        let Some((kept, directive)) = upstream.keepalive() else { continue };
        if !upstreams.iter().any(|(_, _, other)| other.place() == directive.place()) {
            upstreams.push((upstream, kept, directive));
        }
    }
    let each = upstreams.iter().map(|(upstream, kept, directive)| {
        format!("upstream {} keepalive {kept} ({})", upstream.name(), directive.place())
    });
    let each = each.collect::<Vec<_>>().join(", ");
    let line = format!("{}: {each} without fastcgi_keep_conn on: each request connects anew", view.name());
    let seen =
        upstreams.iter().map(|(_, kept, directive)| Observation::new(directive.place(), "keepalive", *kept));
    let places = inert
        .iter()
        .map(|pass| Observation::new(pass.directive.place(), "fastcgi_keep_conn", "off (not set)"));
    let outcome = Outcome::confirmed(Severity::Folklore, line).seen_all(seen).seen_all(places);
    let remedies = upstreams.iter().map(|(upstream, kept, directive)| without(upstream, *kept, directive));
    together(remedies).into_iter().fold(outcome, Outcome::remedy)
}

fn without(upstream: &Upstream<'_>, kept: u64, directive: &Directive) -> Remedy {
    let edit = Edit::Nginx {
        block: passes::place(&upstream.context, &directive.file),
        directive: "keepalive".to_owned(),
        first_argument: None,
        to: DirectiveEdit::Removed,
    };
    let what = ChangeKind::File {
        path: directive.file.clone(),
        edit: format!("take keepalive out of upstream {}", upstream.name()),
        edits: vec![edit],
    };
    let target = Derived::new(
        "no keepalive",
        "inert without fastcgi_keep_conn on; with it each kept connection holds a worker",
    )
    .input("keepalive", kept, &directive.place());
    let change = Change::new(what, Some(format!("keepalive {kept}")), target)
        .owned_by(Some(directive.place()))
        .persists_by("the file itself")
        .restarts("reload nginx");
    Remedy::new(
        format!("Take keepalive out of upstream {}", upstream.name()),
        "nothing: the file says what is so",
    )
    .change(change)
}
