//! The page of `stub_status`: where a configuration has it, and what it says.

use host::{Host, Question, text};
use model::Unread;

use super::configuration::{Configuration, Context, Directive};
use super::facts::StubStatus;

const HOW: &str =
    "add to a server on 127.0.0.1: location = /nginx_status { stub_status; allow 127.0.0.1; deny all; }";

/// Asks for the page, where a location has it and the server listens where this host can reach it.
///
/// # Errors
/// Why it was not read.
pub(super) fn ask(host: &dyn Host, configuration: &Configuration) -> Result<StubStatus, Unread> {
    let questions = questions(configuration);
    let reachable = |address: &str| is_loopback(address) || listens(host, address);
    let mut why = Unread::new("no location of Nginx has stub_status", HOW);
    for question in questions {
        let Question::StubStatus { address, path, .. } = &question else { continue };
        if !reachable(address) {
            continue;
        }
        match host.ask(&question) {
            Ok(page) => match parse(&page) {
                Some(status) => return Ok(status),
                None => why = Unread::new(format!("{address}{path} is no page of stub_status"), HOW),
            },
            Err(error) => {
                why = Unread::new(
                    error.to_string(),
                    "let the location of stub_status answer 127.0.0.1 (`allow 127.0.0.1;`)",
                );
            }
        }
    }
    Err(why)
}

/// A specific address is asked only where this host listens on it: it is then no other machine's.
fn listens(host: &dyn Host, address: &str) -> bool {
    host.listeners().is_ok_and(|all| all.iter().any(|listener| listener.local == address))
}

fn is_loopback(address: &str) -> bool {
    address.starts_with('/') || address.starts_with("127.") || address.starts_with("[::1]:")
}

/// How each location with the page can be asked, in order.
fn questions(configuration: &Configuration) -> Vec<Question> {
    let mut all = Vec::new();
    for context in configuration.blocks(&["location", "server"]) {
        if context.own("stub_status").is_none() {
            continue;
        }
        let (Some(server), Some(path)) = (context.around("server"), path(&context)) else { continue };
        let name = server.children().iter().find(|one| one.name == "server_name").and_then(plain_name);
        for address in addresses(server) {
            let (server, path) = (name.clone().unwrap_or_default(), path.clone());
            all.push(Question::StubStatus { address, server, path });
        }
    }
    all
}

/// The path of a location that is no pattern; of a server its root.
fn path(context: &Context) -> Option<String> {
    let block = context.block()?;
    if block.name == "server" {
        return Some("/".to_owned());
    }
    let arguments: Vec<_> = block.arguments.iter().map(String::as_str).collect();
    let ([path] | ["=" | "^~", path]) = arguments[..] else { return None };
    path.starts_with('/').then(|| path.to_owned())
}

fn plain_name(names: &Directive) -> Option<String> {
    let plain =
        |name: &&String| !name.is_empty() && !name.contains(['*', '~', '$', '_']) && !name.starts_with('.');
    names.arguments.iter().find(plain).cloned()
}

/// The addresses at which plain HTTP is spoken, as this host reaches them.
fn addresses(server: &Directive) -> Vec<String> {
    let listens: Vec<_> = server.children().iter().filter(|one| one.name == "listen").collect();
    if listens.is_empty() {
        return vec!["127.0.0.1:80".to_owned()];
    }
    let plain = |one: &&Directive| !["ssl", "quic", "proxy_protocol"].iter().any(|word| one.has(word));
    listens.into_iter().filter(plain).filter_map(|one| reached(one.first()?)).collect()
}

/// Where this host reaches what an argument of `listen` means.
fn reached(listen: &str) -> Option<String> {
    if let Some(path) = listen.strip_prefix("unix:") {
        return Some(path.to_owned());
    }
    if listen.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!("127.0.0.1:{listen}"));
    }
    let (address, port) = match listen.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (format!("[{address}]"), port.strip_prefix(':').unwrap_or("80")),
        None => {
            let (address, port) = listen.split_once(':').unwrap_or((listen, "80"));
            (address.to_owned(), port)
        }
    };
    port.parse::<u16>().ok()?;
    match address.as_str() {
        "*" | "0.0.0.0" | "localhost" => Some(format!("127.0.0.1:{port}")),
        "[::]" => Some(format!("[::1]:{port}")),
        _ => Some(format!("{address}:{port}")),
    }
}

/// What the page says.
pub(super) fn parse(page: &[u8]) -> Option<StubStatus> {
    let page = text::string(page);
    let mut status = StubStatus::default();
    let mut lines = page.lines();
    let number = |word: Option<&str>| word?.parse::<u64>().ok();
    status.active = number(lines.next()?.strip_prefix("Active connections:")?.split_whitespace().next())?;
    lines.next()?;
    let mut counters = lines.next()?.split_whitespace();
    (status.accepts, status.handled, status.requests) =
        (number(counters.next())?, number(counters.next())?, number(counters.next())?);
    let states: Vec<_> = lines.next()?.split_whitespace().collect();
    let after = |name: &str| {
        let at = states.iter().position(|word| *word == name)?;
        number(states.get(at + 1).copied())
    };
    status.reading = after("Reading:")?;
    status.writing = after("Writing:")?;
    status.waiting = after("Waiting:")?;
    Some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_read_and_anything_else_is_not() {
        let page = b"Active connections: 291 \nserver accepts handled requests\n 16630948 16630940 31070465 \nReading: 6 Writing: 179 Waiting: 106 \n";
        let status = parse(page).unwrap();
        assert_eq!(
            (status.active, status.accepts, status.handled, status.requests),
            (291, 16_630_948, 16_630_940, 31_070_465)
        );
        assert_eq!((status.reading, status.writing, status.waiting), (6, 179, 106));
        for torn in [&b"<html>"[..], b"Active connections: x", b"Active connections: 1 \n\n 1 2\n", b""] {
            assert_eq!(parse(torn), None);
        }
    }

    #[test]
    fn an_address_is_one_that_this_host_reaches() {
        for (listen, wanted) in [
            ("80", Some("127.0.0.1:80")),
            ("*:8080", Some("127.0.0.1:8080")),
            ("127.0.0.1:81", Some("127.0.0.1:81")),
            ("[::]:80", Some("[::1]:80")),
            ("[fe80::1]:82", Some("[fe80::1]:82")),
            ("unix:/run/n.sock", Some("/run/n.sock")),
            ("10.0.0.1", Some("10.0.0.1:80")),
            ("localhost:8000", Some("127.0.0.1:8000")),
            ("a:b", None),
        ] {
            assert_eq!(reached(listen).as_deref(), wanted, "{listen}");
        }
    }
}
