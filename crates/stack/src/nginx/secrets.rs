//! Takes secrets out of directives: a report is sent to other people.

use super::configuration::Directive;

/// What stands where a secret stood.
const REMOVED: &str = "removed";
/// Parts of names, in lower case, that make a value a secret.
const SECRET_PARTS: [&str; 13] = [
    "pass",
    "secret",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "_key",
    "-key",
    "salt",
    "auth",
    "credential",
    "cookie",
    "nonce",
];
/// Directives that are named by such a part and hold none: sizes, switches and names of files.
const HARMLESS: [&str; 3] = ["proxy_", "fastcgi_", "ssl_"];
/// Directives of which every argument may be a secret.
const SECRET_DIRECTIVES: [&str; 6] =
    ["secure_link_secret", "secure_link_md5", "auth_jwt_key", "js_var", "userid_mark", "session_log_zone"];
/// Directives whose first argument names what the others are the value of.
const NAMED_VALUES: [&str; 12] = [
    "set",
    "env",
    "fastcgi_param",
    "uwsgi_param",
    "scgi_param",
    "proxy_set_header",
    "grpc_set_header",
    "add_header",
    "add_trailer",
    "more_set_headers",
    "more_set_input_headers",
    "perl_set",
];
/// Blocks that give a variable values by those of another.
const TABLES: [&str; 3] = ["map", "geo", "split_clients"];

/// A directive without secrets.
pub(super) fn without(mut directive: Directive) -> Directive {
    directive.arguments.iter_mut().for_each(|argument| *argument = without_user(argument));
    let name = directive.name.as_str();
    let first_is_secret = directive.first().is_some_and(is_secret_name);
    if SECRET_DIRECTIVES.contains(&name) {
        hide(&mut directive.arguments, 0);
    } else if NAMED_VALUES.contains(&name) && first_is_secret {
        hide(&mut directive.arguments, 1);
        hide_assignment(&mut directive);
    } else if name == "env" {
        hide_assignment(&mut directive);
    } else if name == "if" && first_is_secret && !matches_cookies(&directive) {
        hide(&mut directive.arguments, 2);
    } else if TABLES.contains(&name) && directive.arguments.iter().any(|argument| is_secret_name(argument)) {
        hide_table(&mut directive);
    }
    directive
}

/// Whether a condition is a pattern over all cookies: what it names are cookies, which decide what may be cached.
fn matches_cookies(condition: &Directive) -> bool {
    let is_pattern = condition.arguments.get(1).is_some_and(|operator| operator.contains('~'));
    is_pattern && condition.first() == Some("($http_cookie")
}

fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    !HARMLESS.iter().any(|start| name.starts_with(start))
        && SECRET_PARTS.iter().any(|part| name.contains(part))
}

/// Hides arguments from one on; a lone variable is no secret.
fn hide(arguments: &mut [String], from: usize) {
    let is_variable = |argument: &str| {
        argument.strip_prefix('$').is_some_and(|name| {
            let name = name.trim_end_matches(')');
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
    };
    let is_word = |argument: &str| matches!(argument, "always" | "if_not_empty" | "" | "0" | "1");
    let hidden = arguments.iter_mut().skip(from).filter(|one| !is_variable(one) && !is_word(one));
    hidden.for_each(|argument| REMOVED.clone_into(argument));
}

/// Hides the value of `NAME=value` and of `Name: value`.
fn hide_assignment(directive: &mut Directive) {
    let Some(first) = directive.arguments.first_mut() else { return };
    if let Some(at) = first.find(['=', ':']) {
        first.truncate(at + 1);
        first.push_str(REMOVED);
    }
}

/// The names of a table's entries are values that something secret has, and their arguments may be.
fn hide_table(table: &mut Directive) {
    let by_cookies = table.arguments.iter().any(|argument| argument == "$http_cookie");
    let Some(entries) = &mut table.block else { return };
    for entry in entries {
        let is_known =
            matches!(entry.name.as_str(), "default" | "hostnames" | "volatile" | "" | "~." | "~.+" | "~*.");
        let is_known = is_known || (by_cookies && entry.name.starts_with('~'));
        if !is_known {
            REMOVED.clone_into(&mut entry.name);
        }
        hide(&mut entry.arguments, 0);
    }
}

/// An address without the user and the password in it.
fn without_user(argument: &str) -> String {
    let Some((scheme, rest)) = argument.split_once("://") else { return argument.to_owned() };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match authority.rsplit_once('@') {
        Some((user, _)) => format!("{scheme}://{REMOVED}{}", rest.get(user.len()..).unwrap_or_default()),
        None => argument.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> String {
        let mut words = line.split(' ').map(str::to_owned);
        let name = words.next().unwrap();
        let read = without(Directive { name, arguments: words.collect(), ..Directive::default() });
        format!("{} {}", read.name, read.value())
    }

    #[test]
    fn secrets_are_taken_out_and_settings_stay() {
        for (line, wanted) in [
            ("proxy_set_header Authorization Basic\tabc", "proxy_set_header Authorization removed"),
            ("fastcgi_param DB_PASSWORD hunter2", "fastcgi_param DB_PASSWORD removed"),
            ("proxy_pass http://user:hunter2@10.0.0.1/a", "proxy_pass http://removed@10.0.0.1/a"),
            ("secure_link_md5 $uri\thunter2", "secure_link_md5 removed"),
            ("if ($http_x_token = hunter2)", "if ($http_x_token = removed"),
            ("env STRIPE=hunter2", "env STRIPE=removed"),
            ("more_set_headers X-Api-Key:hunter2", "more_set_headers X-Api-Key:removed"),
            ("set $auth_ok $upstream_auth", "set $auth_ok $upstream_auth"),
            ("fastcgi_cache_key $scheme$host$uri", "fastcgi_cache_key $scheme$host$uri"),
            ("ssl_session_cache shared:SSL:10m", "ssl_session_cache shared:SSL:10m"),
            ("fastcgi_pass_header Set-Cookie", "fastcgi_pass_header Set-Cookie"),
            ("fastcgi_param HTTPS on", "fastcgi_param HTTPS on"),
            ("if ($http_cookie ~* wordpress_logged_in)", "if ($http_cookie ~* wordpress_logged_in)"),
            ("if ($cookie_beta = hunter2)", "if ($cookie_beta = removed"),
        ] {
            assert_eq!(shown(line), wanted);
        }
    }

    #[test]
    fn the_entries_of_a_table_by_a_secret_are_hidden() {
        let entry = |name: &str, value: &str| Directive {
            name: name.to_owned(),
            arguments: vec![value.to_owned()],
            ..Directive::default()
        };
        let block = Some(vec![entry("default", "0"), entry("Bearer hunter2", "1")]);
        let arguments = vec!["$http_authorization".to_owned(), "$ok".to_owned()];
        let map = without(Directive { name: "map".to_owned(), arguments, block, ..Directive::default() });
        let names: Vec<_> = map.children().iter().map(|one| (one.name.as_str(), one.value())).collect();
        assert_eq!(names, [("default", "0".to_owned()), (REMOVED, "1".to_owned())]);
    }
}
