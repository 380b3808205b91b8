//! Where Nginx passes requests to a pool.

use model::Missing;

use crate::nginx::{self, Context, Directive, Instance};
use crate::php_fpm::view::View;
use crate::{Evidence, services};

/// A `fastcgi_pass` that leads to a pool.
#[derive(Debug, Clone)]
pub(crate) struct Pass<'a> {
    pub(crate) instance: &'a Instance,
    /// The block that holds it.
    pub(crate) context: Context<'a>,
    pub(crate) directive: &'a Directive,
    /// The block `upstream` that it names, with the pool's `server` in it.
    pub(crate) upstream: Option<Upstream<'a>>,
}

/// A block `upstream` with a pool among its servers.
#[derive(Debug, Clone)]
pub(crate) struct Upstream<'a> {
    pub(crate) context: Context<'a>,
    /// The line that names the pool.
    pub(crate) server: &'a Directive,
}

impl<'a> Upstream<'a> {
    /// `keepalive N`, and where it stands.
    pub(crate) fn keepalive(&self) -> Option<(u64, &'a Directive)> {
        let directive = self.context.own("keepalive")?;
        Some((directive.first()?.parse().ok()?, directive))
    }

    /// The name that `fastcgi_pass` gives.
    pub(crate) fn name(&self) -> &'a str {
        self.context.block().and_then(Directive::first).unwrap_or_default()
    }
}

impl Pass<'_> {
    /// Whether connections are kept after a request (`fastcgi_keep_conn on`).
    pub(crate) fn keeps_connections(&self) -> bool {
        self.context.get("fastcgi_keep_conn").and_then(Directive::first) == Some("on")
    }
}

/// Every Nginx of the host.
///
/// # Errors
/// Why it was not read; one of a container cannot be, for example.
pub(crate) fn nginx(evidence: &Evidence) -> Result<&nginx::Facts, Missing> {
    let facts = services::facts(&evidence.services.nginx)?;
    match facts.unread.first().filter(|_| facts.instances.is_empty()) {
        Some(unread) => Err(unread.missing("the configuration of Nginx")),
        None => Ok(facts),
    }
}

/// Every place where an Nginx passes requests to a pool; none where Nginx was not read.
pub(crate) fn of<'a>(view: &View<'a>) -> Vec<Pass<'a>> {
    let Ok(nginx) = services::facts(&view.evidence.services.nginx) else { return vec![] };
    nginx.instances.iter().flat_map(|instance| of_instance(view, instance)).collect()
}

fn of_instance<'a>(view: &View<'a>, instance: &'a Instance) -> Vec<Pass<'a>> {
    let contexts = instance.configuration.contexts();
    let upstreams: Vec<_> = contexts.iter().filter_map(|context| upstream(view, context)).collect();
    let pass = |context: &Context<'a>| {
        let directive = context.own("fastcgi_pass")?;
        let named = directive.first()?;
        let upstream = upstreams.iter().find(|upstream| upstream.name() == named).cloned();
        let leads_there = upstream.is_some() || view.listens_at(&address(named));
        leads_there.then(|| Pass { instance, context: context.clone(), directive, upstream })
    };
    contexts.iter().filter_map(pass).collect()
}

fn upstream<'a>(view: &View<'a>, context: &Context<'a>) -> Option<Upstream<'a>> {
    let block = context.block().filter(|block| block.name == "upstream")?;
    let leads_there = |server: &&'a Directive| {
        server.name == "server" && server.first().is_some_and(|first| view.listens_at(&address(first)))
    };
    let server = block.children().iter().find(leads_there)?;
    Some(Upstream { context: context.clone(), server })
}

/// The address of an upstream as listeners are named: without `unix:`, and numbers for `localhost`.
fn address(text: &str) -> String {
    match (text.strip_prefix("unix:"), text.strip_prefix("localhost:")) {
        (Some(path), _) => path.trim_end_matches(':').to_owned(),
        (_, Some(port)) => format!("127.0.0.1:{port}"),
        _ => text.to_owned(),
    }
}

/// The blocks around as an edit of one file is told them: those that stand in that file, the server by its name.
pub(crate) fn place(context: &Context<'_>, file: &str) -> Vec<String> {
    let inside = context.nesting().iter().filter(|block| block.file == file);
    inside.map(|block| element(block)).collect()
}

fn element(block: &Directive) -> String {
    let own = |name: &str| block.children().iter().find(|one| one.name == name && one.block.is_none());
    let head = format!("{} {}", block.name, quoted(block)).trim_end().to_owned();
    match block.name.as_str() {
        "server" => {
            let tell =
                ["server_name", "listen"].map(|name| own(name).map(|one| format!("{name} {};", quoted(one))));
            let tell: Vec<_> = tell.into_iter().flatten().collect();
            if tell.is_empty() { head } else { format!("{head} {{ {} }}", tell.join(" ")) }
        }
        "http" | "events" => block.name.clone(),
        _ => head,
    }
}

fn quoted(directive: &Directive) -> String {
    let needs =
        |argument: &str| argument.is_empty() || argument.contains([' ', '\t', ';', '{', '}', '"', '\'']);
    let quote = |argument: &String| match needs(argument) {
        true => format!("\"{}\"", argument.replace('\\', "\\\\").replace('"', "\\\"")),
        false => argument.clone(),
    };
    directive.arguments.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// The blocks around a directive as an edit of its file is told them, where it stands in a block around a context, or in
/// the context itself.
pub(crate) fn place_of(context: &Context<'_>, directive: &Directive) -> Option<Vec<String>> {
    let holds = |block: &&Directive| block.children().iter().any(|child| std::ptr::eq(child, directive));
    let at = context.nesting().iter().rposition(holds);
    let around = match at {
        Some(at) => context.nesting().get(..=at)?,
        None => &[],
    };
    Some(around.iter().filter(|block| block.file == directive.file).map(|block| element(block)).collect())
}

/// Whether an upstream of Nginx's log (`fastcgi://unix:/run/php.sock:`) is an address.
pub(crate) fn names(upstream: &str, listen: &str) -> bool {
    let rest = upstream.split_once("://").map_or(upstream, |(_, rest)| rest);
    let rest = rest.strip_prefix("unix:").unwrap_or(rest);
    rest.trim_end_matches([':', '/']) == listen
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn an_upstream_of_the_log_is_an_address() {
        assert!(names("fastcgi://unix:/run/php/a.sock:", "/run/php/a.sock"));
        assert!(names("fastcgi://127.0.0.1:9000", "127.0.0.1:9000"));
        assert!(!names("fastcgi://unix:/run/php/ab.sock:", "/run/php/a.sock"));
    }
}
