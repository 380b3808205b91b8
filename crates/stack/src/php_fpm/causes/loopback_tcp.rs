//! A pool that Nginx reaches over TCP though both are on one host.

use model::observation::number_text;
use model::{
    Change, ChangeKind, Derived, DirectiveEdit, Edit, Missing, Observation, Outcome, Remedy, Severity,
};

use crate::nginx::Directive;
use crate::php_fpm::edits;
use crate::php_fpm::passes::{self, Pass};
use crate::php_fpm::verdicts::of_running_pools;
use crate::php_fpm::view::{View, pools};
use crate::remedies::together;
use crate::sockets::ports;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "php-fpm.loopback-tcp",
    title: "Nginx reaches a PHP-FPM pool of the same host over TCP",
    explains: &[],
    refutes: &[],
    document: include_str!("loopback_tcp.md"),
    test,
};

/// From this share of the local ports towards the pool on, they run out before the pool does.
const PORTS_SHARE: f64 = 0.5;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    of_running_pools(evidence, judge)
}

fn judge(view: &View<'_>) -> Result<Outcome, Missing> {
    let (name, listen) = (view.name(), &view.pool.listen);
    if view.pool.on_unix_socket() {
        return Ok(Outcome::ruled_out(format!("{name} listens on a Unix socket")));
    }
    passes::nginx(view.evidence)?;
    let passes = passes::of(view);
    if passes.is_empty() {
        return Ok(Outcome::ruled_out(format!(
            "{name} listens at {listen}, and no Nginx of this host passes to it"
        )));
    }
    let port = listen.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    let taken = ports::taken(view.evidence).unwrap_or_default();
    let taken = taken
        .iter()
        .find(|taken| Some(taken.destination.port) == port && taken.destination.remote.starts_with("127."));
    let share = taken.map_or(0.0, |taken| taken.blocked / f64::from(taken.usable.max(1)));
    let places = match passes.len() {
        1 => "1 place of Nginx reaches".to_owned(),
        several => format!("{several} places of Nginx reach"),
    };
    let mut line = format!("{name}: {places} {listen} over TCP, about 0.2 ms more for each request");
    let severity = match share >= PORTS_SHARE {
        true => {
            line.push_str(&format!(
                "; {} % of the local ports towards it are taken",
                number_text((share * 100.0).round())
            ));
            Severity::Latent
        }
        false => Severity::Hygiene,
    };
    let mut seen = vec![];
    seen.extend(
        view.pool
            .settings
            .get("listen")
            .map(|own| Observation::new(own.place(), "listen", own.value.clone())),
    );
    seen.extend(
        passes
            .iter()
            .map(|pass| Observation::new(pass.directive.place(), "fastcgi_pass", pass.directive.value())),
    );
    seen.extend(taken.map(|taken| {
        Observation::new("inet_diag", format!("local ports taken towards {listen}"), taken.blocked)
    }));
    Ok(Outcome::confirmed(severity, line).seen_all(seen).remedy(over_a_socket(view, &passes)))
}

/// A path for the pool's socket: in the folder of another pool's, else in Debian's.
fn socket(view: &View<'_>) -> String {
    let all = pools(view.evidence).unwrap_or_default();
    let paths = all.iter().filter(|other| other.pool.on_unix_socket());
    let folder =
        paths.filter_map(|other| other.pool.listen.rsplit_once('/')).map(|(folder, _)| folder).next();
    let debian = view.master.file.starts_with("/etc/php/");
    let folder = folder.unwrap_or(if debian { "/run/php" } else { "/run/php-fpm" });
    let version = view.master.version.as_deref().filter(|_| debian);
    let name: String =
        view.pool.name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    match version {
        Some(version) => format!("{folder}/php{version}-fpm-{name}.sock"),
        None => format!("{folder}/{name}.sock"),
    }
}

/// The pool's `listen` and every place of Nginx, together: either alone breaks the site.
fn over_a_socket(view: &View<'_>, passes: &[Pass<'_>]) -> Remedy {
    let path = socket(view);
    let user = passes.first().and_then(|pass| pass.instance.configuration.main("user"));
    let user = user.and_then(Directive::first).unwrap_or("www-data");
    let group = passes.first().and_then(|pass| pass.instance.configuration.main("user")?.arguments.get(1));
    let group = group.map_or(user, String::as_str);
    let settings = [
        ("listen", path.clone()),
        ("listen.owner", user.to_owned()),
        ("listen.group", group.to_owned()),
        ("listen.mode", "0660".to_owned()),
    ];
    let target = Derived::new(&path, "a path in the folder of PHP-FPM's sockets, named after the pool")
        .input("pool", &view.pool.name, &view.pool.file)
        .input("user of Nginx", user, "nginx `user`");
    let change = edits::change(view.pool, &settings, target)
        .coupled_with("fastcgi_pass of Nginx in every place: either alone is 502 for all")
        .restarts("restart PHP-FPM, then reload nginx")
        .risks("a restart ends requests in progress; whoever else connects to the port (a monitor, another host) must be told");
    let title = format!("Let Nginx reach {} by {path}", view.name());
    let moves = format!(
        "no connection to {} any more; p50 of a page that does nothing falls by a third",
        view.pool.listen
    );
    let pool = Remedy::new(title, moves.clone()).change(change);
    let mut places: Vec<&Directive> = vec![];
    for pass in passes {
        let directive = pass.upstream.as_ref().map_or(pass.directive, |upstream| upstream.server);
        if !places.iter().any(|other| other.place() == directive.place()) {
            places.push(directive);
        }
    }
    let nginx = places.into_iter().filter_map(|directive| place(passes, directive, &path, &moves));
    together(std::iter::once(pool).chain(nginx))
        .unwrap_or_else(|| Remedy::new("Use a Unix socket", moves.clone()))
}

fn place(passes: &[Pass<'_>], directive: &Directive, path: &str, moves: &str) -> Option<Remedy> {
    let contexts = passes.iter().flat_map(|pass| {
        std::iter::once(&pass.context).chain(pass.upstream.as_ref().map(|upstream| &upstream.context))
    });
    let block = contexts.into_iter().find_map(|context| {
        let own = context.block()?.children().iter().any(|child| std::ptr::eq(child, directive));
        own.then(|| passes::place(context, &directive.file))
    })?;
    let mut arguments = vec![format!("unix:{path}")];
    arguments.extend(directive.arguments.iter().skip(1).cloned());
    let edit = Edit::Nginx {
        block,
        directive: directive.name.clone(),
        first_argument: None,
        to: DirectiveEdit::Arguments { arguments: arguments.join(" ") },
    };
    let what = ChangeKind::File {
        path: directive.file.clone(),
        edit: format!("{} unix:{path}", directive.name),
        edits: vec![edit],
    };
    let target = Derived::new(format!("unix:{path}"), "the path of the pool's socket");
    let change = Change::new(what, Some(directive.value()), target)
        .owned_by(Some(directive.place()))
        .persists_by("the file itself")
        .restarts("reload nginx")
        .risks("502 until PHP-FPM listens there: restart it first");
    Some(Remedy::new("nginx", moves).change(change))
}
