use super::*;

/// Section, keyword and arguments; none takes the line out.
type Edit<'a> = (&'a str, &'a str, Option<&'a str>);

fn read(text: impl Into<Vec<u8>>) -> HaproxyDocument {
    HaproxyDocument::new("/etc/haproxy/haproxy.cfg", text)
}

fn edit(document: &mut HaproxyDocument, (section, keyword, arguments): Edit<'_>) -> Result<(), EditError> {
    match arguments {
        Some(arguments) => document.set(section, keyword, arguments),
        None => document.remove(section, keyword),
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

#[test]
fn the_arguments_of_a_keyword_are_replaced_and_its_indentation_and_comment_stay() {
    table(&[
        ("global\n\tmaxconn 100 # c\n", ("global", "maxconn", Some("5000")), "global\n\tmaxconn 5000 # c\n"),
        (
            "defaults\n  timeout connect 5s\n  timeout  client  5s\r\nfrontend a\n timeout client 1s\n",
            ("defaults", "timeout client", Some("30s")),
            "defaults\n  timeout connect 5s\n  timeout  client  30s\r\nfrontend a\n timeout client 1s\n",
        ),
        ("global\nmaxconn 100#x\n", ("global", "maxconn", Some("100")), "global\nmaxconn 100#x\n"),
        (
            "backend b\n server w 1:80 check\n",
            ("backend b", "server w", Some("1:80 check maxconn 9")),
            "backend b\n server w 1:80 check maxconn 9\n",
        ),
        ("listen l\n no option x # c\n", ("listen l", "option x", Some("")), "listen l\n option x # c\n"),
        ("listen l\n option x\n", ("listen l", "no option x", Some("")), "listen l\n no option x\n"),
        (
            "listen l\n option httpchk GET / # c\n",
            ("listen l", "option httpchk", Some("")),
            "listen l\n option httpchk # c\n",
        ),
        (
            "listen l\n option httpchk # c\n",
            ("listen l", "option httpchk", Some("GET /\\ x")),
            "listen l\n option httpchk GET /\\ x # c\n",
        ),
        ("listen l\n a 'b c' \"d#\"\n", ("listen l", "a", Some("b\\ c d\\#")), "listen l\n a 'b c' \"d#\"\n"),
        (
            "global\n a 1\n.if x\n b 2\n.endif\n",
            ("global", "a", Some("2")),
            "global\n a 2\n.if x\n b 2\n.endif\n",
        ),
        ("global\n\nglobal\n a 1\n", ("global", "a", Some("2")), "global\n\nglobal\n a 2\n"),
        (
            "  frontend w from d\nmode tcp",
            ("frontend w", "mode", Some("http")),
            "  frontend w from d\nmode http",
        ),
    ]);
}

#[test]
fn a_new_keyword_goes_to_the_end_of_its_section_indented_alike() {
    table(&[
        (
            "global\n\tdaemon\n\n# the rest\ndefaults\n  mode http\n",
            ("global", "maxconn", Some("9")),
            "global\n\tdaemon\n\tmaxconn 9\n\n# the rest\ndefaults\n  mode http\n",
        ),
        ("global\n#maxconn 1\n", ("global", "maxconn", Some("9")), "global\n#maxconn 1\n    maxconn 9\n"),
        (
            "defaults\n mode http",
            ("defaults", "timeout client", Some("5s")),
            "defaults\n mode http\n timeout client 5s\n",
        ),
        (
            "global\r\n a 1\r\n.if x\r\n   b 2\r\n.endif\r\n\r\n",
            ("global", "c", Some("3")),
            "global\r\n a 1\r\n.if x\r\n   b 2\r\n.endif\r\n c 3\r\n\r\n",
        ),
        (
            "global\n a 1\n.if x\nfrontend f\n.endif\n",
            ("global", "c", Some("3")),
            "global\n a 1\n c 3\n.if x\nfrontend f\n.endif\n",
        ),
    ]);
}

#[test]
fn a_removed_keyword_takes_its_line_along() {
    table(&[
        ("global\n a 1 # c\n b 2\n", ("global", "a", None), "global\n b 2\n"),
        ("global\n a 1\nlisten l\n a 2\n", ("listen l", "a", None), "global\n a 1\nlisten l\n"),
        ("listen l\n no option x\n", ("listen l", "option x", None), "listen l\n no option x\n"),
        ("listen l\n no option x\n", ("listen l", "no option x", None), "listen l\n"),
        ("global\n # a 1\n", ("global", "a", None), "global\n # a 1\n"),
    ]);
}

#[test]
fn what_is_not_one_line_of_one_section_is_refused_with_the_places() {
    let binds = "frontend w\n bind :80\n bind :443 ssl\n";
    let error = refused(binds, ("frontend w", "bind", Some(":81")));
    assert!(
        error.contains("bind stands at /etc/haproxy/haproxy.cfg:2, /etc/haproxy/haproxy.cfg:3"),
        "{error}"
    );
    table(&[(
        binds,
        ("frontend w", "bind :443", Some("ssl alpn h2")),
        "frontend w\n bind :80\n bind :443 ssl alpn h2\n",
    )]);
    let error = refused("defaults\n a 1\ndefaults\n a 1\n", ("defaults", "a", Some("2")));
    assert!(error.contains("haproxy.cfg:1, /etc/haproxy/haproxy.cfg:3; give the sections names"), "{error}");
    let error = refused("defaults d\n a 1\n", ("defaults", "a", Some("2")));
    assert!(error.contains("there is no section \"defaults\""), "{error}");
    for change in [
        ("global", "c", Some("2")),
        ("global", "a", Some("2 # 3")),
        ("global", "a", Some("2\n d 1")),
        ("global", "a", Some("'2")),
        ("global", "frontend", Some("2")),
        ("global", "#x", Some("2")),
        ("listen l", "a", Some("2")),
    ] {
        refused("global\n a 1\n.if x\n c 1\nlisten l\n a 1\n.endif\n", change);
    }
}

#[test]
fn what_haproxy_refuses_is_a_problem_and_keeps_edits_away() {
    for (text, line) in [
        ("global\n a \"1\n", 2),
        ("a 1\nglobal\n", 1),
        ("global\n.endif\n", 2),
        ("global\n.if x\n", 2),
        ("global\n a\0\n", 2),
    ] {
        assert_eq!(
            read(text).problems().iter().map(|problem| problem.line).collect::<Vec<_>>(),
            [line],
            "{text}"
        );
        assert!(refused(text, ("global", "a", Some("2"))).contains(&format!("past line {line}")));
    }
}

#[test]
fn a_keyword_reads_back_only_from_its_own_section_and_sign() {
    let document = read("global\n maxconn 5\nlisten l :80\n no option x\n # mode tcp\n daemon # d\n");
    let get = |section, keyword| document.get(section, keyword).expect("the section stands once");
    assert_eq!(get("global", "maxconn"), Some(&b"5"[..]));
    assert_eq!(get("listen l", "maxconn"), None);
    assert_eq!(get("listen l", "option x"), None);
    assert_eq!(get("listen l", "no option x"), Some(&b""[..]));
    assert_eq!(get("listen l", "mode"), None);
    assert_eq!(get("listen l", "daemon"), Some(&b""[..]));
}
