//! HTTP spoken to a socket on which FastCGI is expected.

use std::collections::BTreeSet;

use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

use crate::nginx::caches::passing;
use crate::nginx::caches::seen::{instances, line, none_found, title};
use crate::nginx::{Configuration, Context, Directive, ErrorKind};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "nginx.http-to-fastcgi",
    title: "HTTP is spoken to a socket of FastCGI",
    explains: &[],
    refutes: &[],
    document: include_str!("http_to_fastcgi.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let instances = instances(evidence)?;
    let pools: BTreeSet<String> = evidence
        .services
        .php_fpm
        .facts()
        .into_iter()
        .flat_map(|facts| &facts.masters)
        .flat_map(|master| &master.pools)
        .map(|pool| pool.listen.clone())
        .collect();
    for instance in instances {
        let configuration = &instance.configuration;
        let all = passing(configuration);
        let target = |family: &str, context: &Context<'_>| {
            context.own(&format!("{family}_pass")).and_then(Directive::first).map(str::to_owned)
        };
        let spoken = all.iter().filter(|(family, _)| *family == "fastcgi");
        let spoken = spoken.filter_map(|(family, context)| target(family, context));
        let fastcgi: BTreeSet<String> = spoken.flat_map(|target| addresses(configuration, &target)).collect();
        for (family, context) in all.iter().filter(|(family, _)| *family == "proxy") {
            let Some(pass) = context.own("proxy_pass") else { continue };
            let addresses =
                target(family, context).map(|target| addresses(configuration, &target)).unwrap_or_default();
            let Some(socket) = addresses.iter().find(|one| fastcgi.contains(*one) || pools.contains(*one))
            else {
                continue;
            };
            let closed: u64 = instance
                .error_logs
                .iter()
                .flat_map(|log| &log.kinds)
                .filter(|kind| {
                    kind.kind == ErrorKind::ClosedEarly
                        && kind.upstream.as_deref().is_some_and(|one| one.starts_with("http"))
                })
                .map(|kind| kind.count)
                .sum();
            let text = format!(
                "{}: proxy_pass to {socket}, which speaks FastCGI: every request ends with 502",
                title(context)
            );
            let outcome = match closed {
                0 => Outcome::confirmed(Severity::Latent, text),
                _ => Outcome::confirmed(
                    Severity::Breaking,
                    format!("{text}; {closed} connections were closed early"),
                ),
            };
            let server = configuration
                .blocks(&["upstream"])
                .into_iter()
                .filter_map(|one| one.block())
                .flat_map(Directive::children)
                .find(|one| one.name == "server" && one.first().map(address).as_ref() == Some(socket));
            return Ok(outcome.seen(line(pass)).seen_all(server.map(line)).remedy(remedy(pass)));
        }
    }
    none_found(instances, "no block speaks HTTP to a socket of FastCGI")
}

/// What a target leads to: the servers of an upstream, or itself.
fn addresses(configuration: &Configuration, target: &str) -> Vec<String> {
    let host = target.trim_start_matches("http://").trim_start_matches("https://");
    let name = if host.starts_with("unix:") { host } else { host.split('/').next().unwrap_or_default() };
    let upstreams = configuration.blocks(&["upstream"]);
    let upstream = upstreams.iter().filter_map(Context::block).find(|one| one.first() == Some(name));
    match upstream {
        Some(block) => block
            .children()
            .iter()
            .filter(|one| one.name == "server")
            .filter_map(|one| one.first())
            .map(address)
            .collect(),
        None => vec![address(name)],
    }
}

/// As listeners are named: a path, or an address with its port.
fn address(text: &str) -> String {
    let path = text.strip_prefix("unix:").map(|path| path.split(':').next().unwrap_or(path));
    path.unwrap_or(text).replace("localhost", "127.0.0.1")
}

fn remedy(pass: &Directive) -> Remedy {
    let target = pass.value().trim_start_matches("http://").to_owned();
    let reason = Derived::new(
        format!("fastcgi_pass {target}; include fastcgi_params; fastcgi_param SCRIPT_FILENAME …;"),
        "PHP-FPM speaks FastCGI only; headers become parameters (fastcgi_param HTTP_EARLY_DATA $ssl_early_data)",
    );
    let change = Change::new(ChangeKind::Elsewhere { place: pass.place() }, Some(pass.value()), reason)
        .restarts("nginx reloads, after `nginx -t`");
    Remedy::new("Speak FastCGI to it", "no answer 502 from this block").change(change)
}
