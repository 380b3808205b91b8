//! Which `listen` line a listening socket comes from.

use model::{Change, Derived};

use super::caches::edits::Edits;
use super::configuration::{Configuration, Context, Directive};
use crate::{Evidence, services};

/// Lets a listen queue of Nginx hold so many connections: an edit of its `listen` line. `local` is the address as the kernel
/// gives it. `None` where no Nginx that was read listens there, or where its line says so already: Nginx calls listen(2)
/// again on a reload only where the number changed (nginx 1.22, `ngx_init_cycle`), so that an edit would be in vain.
pub(crate) fn longer_backlog(
    evidence: &Evidence,
    local: &str,
    wanted: u64,
    target: &Derived,
) -> Option<Change> {
    let facts = services::facts(&evidence.services.nginx).ok()?;
    let running = facts.instances.iter().filter(|instance| instance.master.is_some());
    let own =
        running.map(|instance| &instance.configuration).filter(|configuration| configuration.root.is_empty());
    let (configuration, (context, listen)) = own.filter_map(|one| Some((one, line(one, local)?))).next()?;
    let current = listen.parameter("backlog");
    if current == Some(wanted.to_string().as_str()) {
        return None;
    }
    let mut edits = Edits::of(configuration);
    edits.parameter(&context, listen, ("backlog", &wanted.to_string()));
    let reason =
        target.clone().input("backlog of the line", current.unwrap_or("511, by default"), &listen.place());
    let risk = "a longer queue serves late what it no longer refuses: keep it below the patience of clients";
    let mut change = edits.changes(&reason, risk).into_iter().next()?;
    change.current = current.map(str::to_owned);
    change.target.value = wanted.to_string();
    let reload = "nginx reloads, after `nginx -t`; it calls listen() again because the number changes";
    Some(change.restarts(reload).coupled_with(&format!("net.core.somaxconn ≥ {wanted}")))
}

/// The line that sets the options of a socket: the one of those for its address that has any, else the default server's,
/// else the first.
fn line<'a>(configuration: &'a Configuration, local: &str) -> Option<(Context<'a>, &'a Directive)> {
    let mut lines = Vec::new();
    for server in configuration.blocks(&["server"]) {
        let Some(block) = server.block() else { continue };
        let own = block.children().iter().filter(|one| one.name == "listen");
        let meant = own.filter(|one| one.first().is_some_and(|address| socket(address) == local));
        lines.extend(meant.map(|listen| (server.clone(), listen)));
    }
    let sets = |listen: &Directive| {
        listen
            .arguments
            .iter()
            .skip(1)
            .any(|option| option.contains('=') || option == "bind" || option == "reuseport")
    };
    let is_default = |listen: &Directive| listen.has("default_server");
    let at = lines
        .iter()
        .position(|(_, one)| sets(one))
        .or_else(|| lines.iter().position(|(_, one)| is_default(one)));
    let at = at.unwrap_or(0);
    (at < lines.len()).then(|| lines.swap_remove(at))
}

/// The address of a `listen` line as the kernel gives it.
fn socket(listen: &str) -> String {
    let any = |port: &str| format!("0.0.0.0:{port}");
    if let Some(path) = listen.strip_prefix("unix:") {
        return path.to_owned();
    }
    if !listen.is_empty() && listen.bytes().all(|byte| byte.is_ascii_digit()) {
        return any(listen);
    }
    if let Some(port) = listen.strip_prefix("*:") {
        return any(port);
    }
    let has_port = match listen.strip_prefix('[') {
        Some(rest) => rest.contains("]:"),
        None => listen.contains(':'),
    };
    if has_port { listen.to_owned() } else { format!("{listen}:80") }
}

#[cfg(test)]
mod tests {
    use super::super::testing::configuration;
    use super::*;

    #[test]
    fn addresses_are_those_of_the_kernel() {
        let sockets = ["80", "*:81", "[::]:80", "127.0.0.1", "unix:/run/a.sock", "[::1]"].map(socket);
        assert_eq!(
            sockets,
            ["0.0.0.0:80", "0.0.0.0:81", "[::]:80", "127.0.0.1:80", "/run/a.sock", "[::1]:80"]
        );
    }

    #[test]
    fn of_several_servers_of_an_address_the_line_with_options_is_meant() {
        let text = "http { server { listen 80; } server { listen 80 default_server; } server { listen 80 backlog=64; listen 81; } }";
        let configuration = configuration(text);
        let value = |local: &str| line(&configuration, local).map(|(_, listen)| listen.value());
        assert_eq!(value("0.0.0.0:80").as_deref(), Some("80 backlog=64"));
        assert_eq!(value("0.0.0.0:81").as_deref(), Some("81"));
        assert_eq!(value("0.0.0.0:82"), None);
    }
}
