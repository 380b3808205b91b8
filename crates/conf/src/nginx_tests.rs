use super::*;

/// What is done to a directive.
#[derive(Clone, Copy, Debug)]
enum To<'a> {
    Arguments(&'a str),
    Parameter(&'a str, &'a str),
    Removed,
}
use To::{Arguments, Parameter, Removed};

/// Path, directive with its first argument after a `|`, and what is done to it.
type Edit<'a> = (&'a [&'a str], &'a str, To<'a>);

fn read(text: impl Into<Vec<u8>>) -> NginxDocument {
    NginxDocument::new("/etc/nginx/x.conf", text)
}

fn edit(document: &mut NginxDocument, (path, directive, to): Edit<'_>) -> Result<(), EditError> {
    let (name, first) =
        directive.split_once('|').map_or((directive, None), |(name, first)| (name, Some(first)));
    match to {
        Arguments(arguments) => document.set_arguments(path, name, first, arguments),
        Parameter(parameter, value) => document.set_parameter(path, name, first, parameter, value),
        Removed => document.remove(path, name, first),
    }
}

#[track_caller]
fn table(rows: &[(&str, Edit<'_>, &str)]) {
    for (before, change, after) in rows {
        let mut document = read(*before);
        edit(&mut document, *change).unwrap_or_else(|error| panic!("{change:?} of\n{before}{error}"));
        assert_eq!(String::from_utf8_lossy(document.as_bytes()), *after, "{change:?} of\n{before}");
        edit(&mut document, *change).expect("the edit is possible twice");
        assert_eq!(document.as_bytes(), after.as_bytes(), "the second edit changes nothing");
        assert_eq!(document, read(*after));
    }
}

#[track_caller]
fn refused(before: &str, change: Edit<'_>) -> String {
    let mut document = read(before);
    let error = edit(&mut document, change).expect_err("the edit is impossible");
    assert_eq!(document.as_bytes(), before.as_bytes());
    error.to_string()
}

/// Writes the directives as nested brackets of values.
fn outline(text: &str) -> String {
    let document = read(text);
    assert_eq!(document.problems(), [], "{text}");
    let shown = |one: &NginxDirective| {
        let words: Vec<_> =
            one.words.iter().map(|word| String::from_utf8_lossy(&word.value).into_owned()).collect();
        let above = one.parent.map_or(String::new(), |parent| format!("{parent}:"));
        format!("{above}{}{}", words.join("|"), if one.block.is_some() { "{}" } else { "" })
    };
    document.directives().iter().map(shown).collect::<Vec<_>>().join(" ")
}

#[test]
fn words_read_as_nginx_reads_them() {
    for (text, expected) in [
        ("a b#c d; # e;\n", "a|b#c|d"),
        ("a x\"y 'p q' \"r\\\"s\" t\\;u;", "a|x\"y|p q|r\"s|t\\;u"),
        ("set $a ${b}c{ d 1; }", "set|$a|${b}c{} 0:d|1"),
        ("if ($a = \"b\") { return 200 'x;{'; }", "if|($a|=|b|){} 0:return|200|x;{"),
        ("log_format m '$a '\n  '\"$b\"';", "log_format|m|$a |\"$b\""),
        ("location ~ \\.php$ {\r\n}\r\n", "location|~|\\.php${}"),
        ("a b};c d;", "a|b} c|d"),
        ("http { server { listen 80; } server { } } x;", "http{} 0:server{} 1:listen|80 0:server{} x"),
        ("a 'x\\ty' \"$\" '';", "a|x\ty|$|"),
    ] {
        assert_eq!(outline(text), expected, "{text}");
    }
}

#[test]
fn braces_strings_and_comments_of_lua_are_raw() {
    for lua in [
        "local s = \"}\" ngx.say('{') -- }\n",
        "if a then t = { b = {} } end",
        "--[[ } ]] x = [==[ } ]] ]==] y = a[1]",
        "x = \"\\\"}\" y = '\\'}'",
        "listen = 80;",
    ] {
        let text = format!("server {{ set_by_lua_block $x {{ {lua} }} listen 1; }} y;");
        assert_eq!(outline(&text), "server{} 0:set_by_lua_block|$x{} 0:listen|1 y", "{lua}");
    }
}

#[test]
fn what_nginx_refuses_is_a_problem_and_keeps_edits_away() {
    for (text, line) in [
        ("a b", 1),
        ("\n}\n", 2),
        ("a {\n b 1;\n", 1),
        ("a {\n b 1 }\n", 2),
        ("a;\n;", 2),
        ("a\n 'b;", 2),
        ("a 'b'c;", 1),
        ("x_by_lua_block {\n { }", 1),
    ] {
        let document = read(text);
        assert_eq!(
            document.problems().iter().map(|problem| problem.line).collect::<Vec<_>>(),
            [line],
            "{text}"
        );
        let error = refused(text, (&[], "pid", Arguments("x")));
        assert!(error.contains(&format!("not read past line {line}")), "{error}");
    }
}

#[test]
fn arguments_are_replaced_where_they_stand() {
    table(&[
        ("worker_processes   auto;", (&[], "worker_processes", Arguments("4")), "worker_processes   4;"),
        (
            "events {\n\tworker_connections 768;\n\t# multi_accept on;\n}\n",
            (&["events"], "worker_connections", Arguments("4096")),
            "events {\n\tworker_connections 4096;\n\t# multi_accept on;\n}\n",
        ),
        ("a { x 'p q'; }\r\n", (&["a"], "x", Arguments("\"p q\"")), "a { x 'p q'; }\r\n"),
        ("a { x; }", (&["a"], "x", Arguments("y")), "a { x y; }"),
        ("a { x 1\n  2 ; }", (&["a"], "x", Arguments("3")), "a { x 3 ; }"),
        ("x 1; # x 2;\na { x 3; }\n", (&[], "x", Arguments("4")), "x 4; # x 2;\na { x 3; }\n"),
        (
            "s {\n listen 80;\n listen [::]:80;\n}\n",
            (&["s"], "listen|[::]:80", Arguments("[::]:80 backlog=9")),
            "s {\n listen 80;\n listen [::]:80 backlog=9;\n}\n",
        ),
        (
            "a { b_by_lua_block { x 1; } x 1; }",
            (&["a"], "x", Arguments("2")),
            "a { b_by_lua_block { x 1; } x 2; }",
        ),
    ]);
}

#[test]
fn a_new_directive_stands_among_its_neighbours_and_is_indented_alike() {
    table(&[
        (
            "pid x;\nhttp {\n}\n",
            (&[], "worker_rlimit_nofile", Arguments("9")),
            "pid x;\nworker_rlimit_nofile 9;\nhttp {\n}\n",
        ),
        ("", (&[], "a", Arguments("1")), "a 1;\n"),
        ("# x", (&[], "a", Arguments("1")), "# x\na 1;\n"),
        (
            "http {\n  sendfile on; # fast\n  include x;\n  server { }\n}\n",
            (&["http"], "tcp_nopush", Arguments("on")),
            "http {\n  sendfile on; # fast\n  tcp_nopush on;\n  include x;\n  server { }\n}\n",
        ),
        (
            "http {\n\tgzip on;\n\n\t# gzip_vary on;\n\ta 1;\n\tserver {\n\t\t# gzip_vary on;\n\t}\n}\n",
            (&["http"], "gzip_vary", Arguments("on")),
            "http {\n\tgzip on;\n\n\t# gzip_vary on;\n\tgzip_vary on;\n\ta 1;\n\tserver {\n\t\t# gzip_vary on;\n\t}\n}\n",
        ),
        (
            "s {\n  b 1;\n  #location / {\n  #  a 2;\n  #}\n}\n",
            (&["s"], "a", Arguments("1")),
            "s {\n  b 1;\n  a 1;\n  #location / {\n  #  a 2;\n  #}\n}\n",
        ),
        ("events {\n}\n", (&["events"], "a", Arguments("1")), "events {\n    a 1;\n}\n"),
        (
            "x {\r\n\tevents { # e\r\n\t}\r\n}",
            (&["x", "events"], "a", Arguments("1")),
            "x {\r\n\tevents { # e\r\n\t\ta 1;\r\n\t}\r\n}",
        ),
        ("events { }", (&["events"], "a", Arguments("1")), "events { a 1; }"),
        ("events {}", (&["events"], "a", Arguments("1")), "events { a 1; }"),
        ("events { b 1; }", (&["events"], "a", Arguments("")), "events { b 1; a; }"),
        (
            "s {\n  location / {\n    x 1;\n  }\n}\n",
            (&["s"], "a", Arguments("1")),
            "s {\n  location / {\n    x 1;\n  }\n  a 1;\n}\n",
        ),
        (
            "s {\n  listen 80;\n  root /;\n}\n",
            (&["s"], "listen|443", Arguments("443 ssl")),
            "s {\n  listen 80;\n  listen 443 ssl;\n  root /;\n}\n",
        ),
        ("a 1;\nb 2; # end", (&[], "c", Arguments("3")), "a 1;\nb 2; # end\nc 3;"),
    ]);
}

#[test]
fn one_parameter_is_set_and_the_others_stay() {
    table(&[
        (
            "s { listen 80 default_server backlog=511; }",
            (&["s"], "listen", Parameter("backlog", "4096")),
            "s { listen 80 default_server backlog=4096; }",
        ),
        (
            "s {\n listen 80 default_server ;\n listen [::]:80;\n}",
            (&["s"], "listen|80", Parameter("backlog", "4096")),
            "s {\n listen 80 default_server backlog=4096 ;\n listen [::]:80;\n}",
        ),
        ("s { a \"b=1\" c; }", (&["s"], "a", Parameter("b", "x;y")), "s { a \"b=x;y\" c; }"),
        ("s { a \"b=1\" c; }", (&["s"], "a", Parameter("b", "1")), "s { a \"b=1\" c; }"),
    ]);
    let error = refused("s { a 1; }", (&["s"], "listen", Parameter("b", "1")));
    assert!(error.contains("there is no listen"), "{error}");
}

#[test]
fn a_removed_directive_takes_its_line_along_when_it_is_alone_on_it() {
    table(&[
        ("a {\n  x 1; # why\n  y 2;\n}\n", (&["a"], "x", Removed), "a {\n  y 2;\n}\n"),
        ("a {\n  x 1\n    2;\n}\n", (&["a"], "x", Removed), "a {\n}\n"),
        ("a { x 1; y 2; }", (&["a"], "x", Removed), "a { y 2; }"),
        ("x 1; y 2;\n", (&[], "x", Removed), "y 2;\n"),
        ("a { y 2; }", (&["a"], "x", Removed), "a { y 2; }"),
        ("# x 1;\n", (&[], "x", Removed), "# x 1;\n"),
        ("y 1;\nx 1;", (&[], "x", Removed), "y 1;\n"),
    ]);
}

const TWO_SERVERS: &str = "\
http {
    server {
        listen 80;
        server_name a.example www.a.example;
        location / { root /a; }
        location ~ \\.php$ { root /p; }
    }
    server {
        listen 80;
        server_name b.example;
    }
}
";

#[test]
fn one_of_several_blocks_is_named_by_its_arguments_or_by_what_it_holds() {
    for (path, directive, line) in [
        (&["http", "server { server_name b.example; }"][..], "listen", 9),
        (&["http", "server{server_name www.a.example}"], "listen", 3),
        (&["http", "server", "location /"], "root", 5),
        (&["http", "server", "location ~ \\.php$"], "root", 6),
        (&["http", "server { location / }", "location ~ \\.php$"], "root", 6),
    ] {
        let document = read(TWO_SERVERS);
        let found = document.get(path, directive, None).expect("one block fits");
        assert_eq!(found.map(|found| found.line), Some(line), "{path:?}");
    }
}

#[test]
fn what_fits_several_places_or_none_is_refused_with_the_places() {
    let several = refused(TWO_SERVERS, (&["http", "server"], "listen", Parameter("backlog", "1")));
    assert!(
        several.contains("server stands at /etc/nginx/x.conf:2, /etc/nginx/x.conf:8; name one"),
        "{several}"
    );
    let none = refused(TWO_SERVERS, (&["http", "server { listen 81; }"], "listen", Removed));
    assert!(none.contains("there is no block"), "{none}");
    let twice = refused("a 1;\na 2;\n", (&[], "a", Removed));
    assert!(
        twice.contains("x.conf:1, /etc/nginx/x.conf:2; name one of them by its first argument"),
        "{twice}"
    );
    for change in [
        (&[][..], "a b", Arguments("1")),
        (&[], "a", Arguments("1; b 2")),
        (&[], "a", Arguments("1 # c")),
        (&[], "a", Arguments("'1")),
        (&[], "a", Arguments("1 { b 2; }")),
        (&[], "x|2", Arguments("3")),
        (&[], "server", Arguments("3")),
        (&["server"], "y_by_lua_block", Arguments("1")),
    ] {
        refused("x 1;\nserver { y_by_lua_block { } }\n", change);
    }
    refused("x 1 # one\n 2;\n", (&[], "x", Arguments("3")));
    refused("y_by_lua_block { }\n", (&["y_by_lua_block"], "x", Arguments("3")));
}
