use super::*;
use SettingsDialect::{Ini, OptionFile, Systemd};

/// Section, key and value; the section "" stands for none, and no value removes the key.
type Edit<'a> = (&'a str, &'a str, Option<&'a str>);

fn read(dialect: SettingsDialect, text: impl Into<Vec<u8>>) -> SettingsDocument {
    SettingsDocument::new("/etc/x.ini", text, dialect)
}

fn edit(document: &mut SettingsDocument, (section, key, value): Edit<'_>) -> Result<(), EditError> {
    let section = Some(section).filter(|section| !section.is_empty());
    match value {
        Some(value) => document.set(section, key, value),
        None => document.remove(section, key),
    }
}

#[track_caller]
fn edited(dialect: SettingsDialect, before: &str, change: Edit<'_>) -> String {
    let mut document = read(dialect, before);
    edit(&mut document, change).expect("the edit is possible");
    let after = document.as_bytes().to_vec();
    edit(&mut document, change).expect("the edit is possible twice");
    assert_eq!(document.as_bytes(), after, "the second edit changes nothing");
    assert_eq!(document, read(dialect, after.clone()), "the edited document is what its bytes read as");
    String::from_utf8(after).expect("UTF-8 in, UTF-8 out")
}

#[track_caller]
fn refused(dialect: SettingsDialect, before: &str, change: Edit<'_>) -> String {
    let mut document = read(dialect, before);
    let error = edit(&mut document, change).expect_err("the edit is impossible");
    assert_eq!(document.as_bytes(), before.as_bytes());
    error.to_string()
}

#[track_caller]
fn table(dialect: SettingsDialect, rows: &[(&str, Edit<'_>, &str)]) {
    for (before, change, after) in rows {
        assert_eq!(edited(dialect, before, *change), *after, "{change:?} of\n{before}");
    }
}

#[test]
fn an_ini_setting_is_changed_where_it_stands_and_nowhere_else() {
    table(
        Ini,
        &[
            ("[www]\npm = static ; why\n", ("www", "pm", Some("dynamic")), "[www]\npm = dynamic ; why\n"),
            ("a=1\r\nb = 2\r\n", ("", "a", Some("3")), "a=3\r\nb = 2\r\n"),
            ("a = 1", ("", "a", Some("22")), "a = 22"),
            ("a = \"128M\"\n", ("", "a", Some("128M")), "a = \"128M\"\n"),
            ("a = \"128M\"\n", ("", "a", Some("256M")), "a = 256M\n"),
            ("a =\n", ("", "a", Some("1")), "a =1\n"),
            ("a = 1\n", ("", "a", Some("")), "a = \"\"\n"),
            ("a = 1\nA = 2\n", ("", "A", Some("3")), "a = 1\nA = 3\n"),
            ("[WWW]\na = 1\n", ("www", "a", Some("2")), "[WWW]\na = 2\n"),
            (
                "[x]\na = 1\n[y]\na = 1\n[x]\nb = 1\n",
                ("x", "a", Some("2")),
                "[x]\na = 2\n[y]\na = 1\n[x]\nb = 1\n",
            ),
            (
                "extension=a\nextension=b\nzend_extension=c\n",
                ("", "extension", Some("d")),
                "extension=a\nextension=d\nzend_extension=c\n",
            ),
            (
                "php_admin_value[memory_limit] = 32M\nphp_value[memory_limit] = 1\n",
                ("", "php_admin_value[memory_limit]", Some("64M")),
                "php_admin_value[memory_limit] = 64M\nphp_value[memory_limit] = 1\n",
            ),
            ("env[\"X\"] = 1\n", ("", "env[X]", Some("2")), "env[\"X\"] = 2\n"),
            ("a = \"1\n2\" ; c\nb = 1\n", ("", "a", Some("3")), "a = 3 ; c\nb = 1\n"),
            ("; a = 1\n a\t= 1\n", ("", "a", Some("3")), "; a = 1\n a\t= 3\n"),
        ],
    );
}

#[test]
fn an_ini_value_is_quoted_when_php_would_read_it_otherwise() {
    for (value, written) in [
        ("a;b", "\"a;b\""),
        ("a=b", "\"a=b\""),
        ("say \"x\"", "\"say \\\"x\\\"\""),
        ("C:\\dir\\", "\"C:\\\\dir\\\\\""),
        ("it's", "\"it's\""),
        ("/a(b)", "\"/a(b)\""),
        (" x ", "\" x \""),
        ("\"already; quoted\"", "\"already; quoted\""),
        ("'so; is this'", "'so; is this'"),
        ("E_ALL & ~E_DEPRECATED & ~E_STRICT", "E_ALL & ~E_DEPRECATED & ~E_STRICT"),
        ("/var/log/$pool.log", "/var/log/$pool.log"),
        ("${HOME}/x", "\"${HOME}/x\""),
        ("a, b c", "a, b c"),
        ("a # b", "a # b"),
        ("-1", "-1"),
    ] {
        let after = edited(Ini, "k = 0\n", ("", "k", Some(value)));
        assert_eq!(after, format!("k = {written}\n"));
    }
}

#[test]
fn a_new_ini_setting_goes_below_its_commented_default_or_to_the_end_of_its_section() {
    table(
        Ini,
        &[
            (
                "[www]\npm = dynamic\n; processes\n;pm.max_children = 5\n\nuser=x\n",
                ("www", "pm.max_children", Some("9")),
                "[www]\npm = dynamic\n; processes\n;pm.max_children = 5\npm.max_children = 9\n\nuser=x\n",
            ),
            ("[a]\n;k = 1\n[b]\nx=1\n", ("b", "k", Some("2")), "[a]\n;k = 1\n[b]\nx=1\nk=2\n"),
            ("[a]\n;k=1\n", ("a", "k", Some("2")), "[a]\n;k=1\nk=2\n"),
            ("[a]\n; k =\n", ("a", "k", Some("2")), "[a]\n; k =\nk = 2\n"),
            (
                "[a]\nx = 1\n\n\n; about b\n[b]\ny = 1\n",
                ("a", "k", Some("2")),
                "[a]\nx = 1\nk = 2\n\n\n; about b\n[b]\ny = 1\n",
            ),
            ("[a]\nx = 1\n; end\n\n", ("a", "k", Some("2")), "[a]\nx = 1\n; end\nk = 2\n\n"),
            ("x=1\n", ("new", "k", Some("2")), "x=1\n\n[new]\nk=2\n"),
            ("x = 1\r\n\r\n", ("new", "k", Some("2")), "x = 1\r\n\r\n[new]\r\nk = 2\r\n"),
            ("", ("new", "k", Some("2")), "[new]\nk = 2\n"),
            ("", ("", "k", Some("2")), "k = 2\n"),
            ("[a]\nx = 1", ("a", "k", Some("2")), "[a]\nx = 1\nk = 2\n"),
            ("[a]\nx = 1\n", ("", "k", Some("2")), "k = 2\n[a]\nx = 1\n"),
            ("[a]\nx = 1\n", ("a", "env[Y]", Some("p;q")), "[a]\nx = 1\nenv[Y] = \"p;q\"\n"),
        ],
    );
}

#[test]
fn a_removed_ini_setting_takes_its_lines_along() {
    table(
        Ini,
        &[
            ("a = 1 ; c\nb = 2\na = 3\n", ("", "a", None), "b = 2\n"),
            ("[x]\na = 1\n[y]\na = 1\n", ("y", "a", None), "[x]\na = 1\n[y]\n"),
            ("a = \"1\n2\"\nb = 2\n", ("", "a", None), "b = 2\n"),
            (";a = 1\n", ("", "a", None), ";a = 1\n"),
            ("b = 1\na = 1", ("", "a", None), "b = 1\n"),
        ],
    );
    let error = refused(Ini, "extension=a\nextension=b\n", ("", "extension", None));
    assert!(error.contains("/etc/x.ini:1, /etc/x.ini:2"), "{error}");
}

#[test]
fn a_hash_is_no_comment_in_ini_and_is_reported() {
    let document = read(Ini, "# plain words\n#a = 1\nb = 2\nnovalue\n");
    let seen: Vec<_> = document.problems().iter().map(|problem| (problem.line, problem.stops)).collect();
    assert_eq!(seen, [(1, false), (2, false), (4, false)]);
    assert_eq!(document.get(None, "a"), None);
    assert_eq!(document.get(None, "b"), Some(&b"2"[..]));
    let error = refused(Ini, "b = 1\n# Enable JIT (PHP 8+)\nc = 1\n", ("", "b", Some("2")));
    assert!(error.contains("changing b in /etc/x.ini: the file is not read past line 2"), "{error}");
}

/// Each text was given to `parse_ini_string` of PHP 8.2, which returned `false`.
#[test]
fn what_php_cannot_parse_stops_the_reading() {
    for text in [
        "a = b=c\n",
        "a = /x(y)\n",
        "[a;b]\n",
        "a = ${HOME;\n",
        "a = \"x\n",
        "a = !\n",
        "a = foo !bar\n",
        "null = 1\n",
        "a = \"C:\\dir\\\" ; c\n",
        "a[b]c = 1\n",
        "a[b]\n",
        "a[b = 1\n",
        "[y\n",
        "a = \"\\\\\"x\"\nb = 2\n",
        "= 1\n",
    ] {
        let document = read(Ini, text);
        assert!(document.problems().iter().any(|problem| problem.stops && problem.line == 1), "{text}");
        assert_eq!(document.settings(), []);
    }
}

/// Each value is what `parse_ini_string` of PHP 8.2 was seen to return, but for constants and expressions.
#[test]
fn ini_values_read_as_php_reads_them() {
    for (text, value) in [
        ("k = ''\n", ""),
        ("k = b c d  ; e\n", "b c d"),
        ("k = \"q\\\\\" ; c\n", "q\\"),
        ("k = \"C:\\dir\\\"\n", "C:\\dir\\"),
        ("k = \"x\ny\"\n", "x\ny"),
        ("k = 'x;y' ; z\n", "x;y"),
        ("k = x\\;y\n", "x\\"),
        ("k = {x}[y]?\n", "{x}[y]?"),
        ("k = x # y\n", "x # y"),
        ("k = $pool.x\n", "$pool.x"),
        ("k = \"x\\'y\\tz\"\n", "x\\'y\\tz"),
        ("k = 'C:\\x\\'\n", "C:\\x\\"),
        ("k =\n", ""),
    ] {
        assert_eq!(read(Ini, text).get(None, "k"), Some(value.as_bytes()), "{text}");
    }
}

#[test]
fn what_one_line_cannot_hold_is_refused_and_nothing_changes() {
    for change in [
        ("", "a=b", Some("1")),
        ("", "#a", Some("1")),
        ("", "a", Some("1\0")),
        ("", "null", Some("1")),
        ("", "[a", Some("1")),
        ("a]\n[b", "k", Some("1")),
        ("", "", Some("1")),
    ] {
        refused(Ini, "x = 1\n", change);
    }
    for change in
        [("g", "a", Some("x\0")), ("g]", "a", Some("x")), ("g", "!a", Some("x")), ("g", "a=", Some("x"))]
    {
        refused(OptionFile, "[g]\nx = 1\n", change);
    }
    for change in
        [("S", "A", Some("x\\")), ("S", "A", Some(" x")), ("S", "A", Some("x\ny=1")), ("S]", "#A", Some("x"))]
    {
        refused(Systemd, "[S]\nX=1\n", change);
    }
}

#[test]
fn an_option_is_changed_in_its_group_whichever_dash_it_is_written_with() {
    table(
        OptionFile,
        &[
            (
                "[mysqld]\nmax-connections = 100 # enough\n[mariadbd]\nmax_connections=1\n",
                ("mysqld", "max_connections", Some("500")),
                "[mysqld]\nmax-connections = 500 # enough\n[mariadbd]\nmax_connections=1\n",
            ),
            ("[g]\nx = 'a#b' # c\n", ("g", "x", Some("d#e")), "[g]\nx = \"d#e\" # c\n"),
            ("[g]\nx = 'a#b' # c\n", ("g", "x", Some("a#b")), "[g]\nx = 'a#b' # c\n"),
            (
                "[g]\nskip-networking # no\n",
                ("g", "skip_networking", Some("")),
                "[g]\nskip-networking # no\n",
            ),
            (
                "[g]\nskip-networking # no\n",
                ("g", "skip_networking", Some("0")),
                "[g]\nskip-networking = 0 # no\n",
            ),
            ("[g]\nx = 1\n", ("g", "skip-name-resolve", Some("")), "[g]\nx = 1\nskip-name-resolve\n"),
            (
                "[g]\n#skip-name-resolve\nx = 1\n",
                ("g", "skip-name-resolve", Some("")),
                "[g]\n#skip-name-resolve\nskip-name-resolve\nx = 1\n",
            ),
            (
                "[g]\n#a_b        = 1\nx = 1\n",
                ("g", "a-b", Some("2")),
                "[g]\n#a_b        = 1\na-b        = 2\nx = 1\n",
            ),
            ("[g]\nx = 1\nx = 2\n", ("g", "x", Some("3")), "[g]\nx = 1\nx = 3\n"),
            ("[g]\nloose-x = 1\n", ("g", "x", Some("3")), "[g]\nloose-x = 1\nx = 3\n"),
            (
                "!includedir /etc/a\n[g]\n\n!include /b\n",
                ("g", "x", Some("3")),
                "!includedir /etc/a\n[g]\n\n!include /b\nx = 3\n",
            ),
            ("[g]\nx=1\n", ("h", "y", Some("C:\\tmp")), "[g]\nx=1\n\n[h]\ny=\"C:\\\\tmp\"\n"),
            ("[g]\nx = 1\ny\n[h]\nx = 1\n", ("g", "x", None), "[g]\ny\n[h]\nx = 1\n"),
            ("[g]\nx = 1\n", ("G", "x", Some("2")), "[g]\nx = 1\n\n[G]\nx = 2\n"),
        ],
    );
}

#[test]
fn options_read_as_the_server_reads_them() {
    let text = "[g ]\n  a = 'x # y' # z\nb=\"q\\\"\\sr\"\nc = d#e\nf # = g\nh = ' i '\n; j = 1\nk = C:\\q\n";
    let document = read(OptionFile, text);
    let seen: Vec<_> =
        document.settings().iter().map(|one| (&*one.key, &*one.value, one.has_equals)).collect();
    let expected: [(&[u8], &[u8], bool); 6] = [
        (b"a", b"x # y", true),
        (b"b", b"q\" r", true),
        (b"c", b"d", true),
        (b"f", b"", false),
        (b"h", b" i ", true),
        (b"k", b"C:\\q", true),
    ];
    assert_eq!(seen, expected);
    assert!(refused(OptionFile, "x = 1\n[g]\n", ("g", "x", Some("1"))).contains("before the first group"));
    assert!(refused(OptionFile, "[g\n", ("g", "x", Some("1"))).contains("no `]`"));
}

#[test]
fn a_unit_setting_is_changed_at_its_last_line_in_the_section() {
    table(
        Systemd,
        &[
            (
                "[Service]\nLimitNOFILE=1\n",
                ("Service", "LimitNOFILE", Some("65536")),
                "[Service]\nLimitNOFILE=65536\n",
            ),
            (
                "[Service]\nA = 1  \n[Unit]\nA=2\n",
                ("Service", "A", Some("3")),
                "[Service]\nA = 3  \n[Unit]\nA=2\n",
            ),
            ("[S]\nE=1\nE=2\n[T]\n[S]\nX=1\n", ("S", "E", Some("3")), "[S]\nE=1\nE=3\n[T]\n[S]\nX=1\n"),
            ("[S]\nExecStart=\n", ("S", "ExecStart", Some("/x")), "[S]\nExecStart=\nExecStart=/x\n"),
            ("[S]\nE=a \\\n  b\nX=1\n", ("S", "E", Some("c")), "[S]\nE=c\nX=1\n"),
            ("[S]\nE=a\\\n  b\nX=1\n", ("S", "E", Some("a b")), "[S]\nE=a\\\n  b\nX=1\n"),
            ("[S]\r\nE=a \\\r\n# c\r\n  b\r\nX=1", ("S", "E", Some("d")), "[S]\r\nE=d\r\n# c\r\nX=1"),
            ("[S]\nE=a \\\n; c\n  b\nX=1\n", ("S", "E", None), "[S]\n; c\nX=1\n"),
            ("[S]\nE=a \\\nF=1\n", ("S", "F", Some("2")), "[S]\nE=a \\\nF=1\nF=2\n"),
            ("[S]\n#E=1\nX=1\n\n[T]\n", ("S", "E", Some("2")), "[S]\n#E=1\nE=2\nX=1\n\n[T]\n"),
            ("[S]\nX=1\n\n# of T\n[T]\n", ("S", "E", Some("2")), "[S]\nX=1\nE=2\n\n# of T\n[T]\n"),
            ("", ("Service", "LimitNOFILE", Some("9")), "[Service]\nLimitNOFILE=9\n"),
            (
                "[Match]\nOriginalName=*\n",
                ("Link", "RxBufferSize", Some("4096")),
                "[Match]\nOriginalName=*\n\n[Link]\nRxBufferSize=4096\n",
            ),
            ("[S]\nA=1\nA=2\nB=1\n", ("S", "A", None), "[S]\nB=1\n"),
            ("[S]\nA=1\n", ("S", "A", Some("")), "[S]\nA=\n"),
        ],
    );
}

#[test]
fn unit_lines_without_effect_are_reported_and_a_broken_header_stops() {
    let document = read(Systemd, &b"A=1\n[S]\nwords\nB=\xff\nC=1\n"[..]);
    let seen: Vec<_> = document.problems().iter().map(|problem| (problem.line, problem.stops)).collect();
    assert_eq!(seen, [(1, false), (3, false), (4, false)]);
    assert_eq!(document.settings().len(), 1);
    assert!(refused(Systemd, "[S\nA=1\n", ("S", "A", Some("1"))).contains("past line 1"));
}
