use proptest::prelude::*;

use super::*;

const FILE: &str = r#"# as the package installs it
datadir="/var/lib/proxysql" // here
admin_variables=
{
	admin_credentials="admin:admin"
	mysql_ifaces="0.0.0.0:6032" ";/tmp/a.sock"
}
mysql_servers =
(
	{ address="10.0.0.5" , port=3306 , hostgroup=10, max_connections=400 /* each */ },
	{ address = "10.0.0.6"; hostgroup : 20; }
)
flags = [ 1, 0x1F, 2L ];
"#;

#[test]
fn groups_lists_and_strings_are_read_with_their_lines() {
    let document = LibconfigDocument::new(FILE.as_bytes());
    assert_eq!(document.problem, None);
    let admin = document.get("admin_variables").unwrap();
    assert_eq!(admin.get("mysql_ifaces").unwrap().text(), Some("0.0.0.0:6032;/tmp/a.sock"));
    let servers = document.get("mysql_servers").unwrap().values();
    assert_eq!(servers[0].get("max_connections").unwrap().text(), Some("400"));
    assert_eq!(servers[1].get("hostgroup").unwrap().text(), Some("20"));
    assert_eq!(servers[1].settings()[0].line, 11);
    assert_eq!(document.get("flags").unwrap().values().len(), 3);
}

#[test]
fn a_fault_ends_the_reading_and_what_stands_before_it_is_kept() {
    for (text, line, what) in [
        ("a = 1\nb 2\n", 2, "`=` is expected after b"),
        ("a = 1\nb = {", 2, "ends inside a group"),
        ("a = 1\nb = ( 1,", 2, "ends inside a list"),
        ("a = 1\nb = \"x", 2, "ends inside a string"),
        ("a = 1\n/* b", 2, "ends inside a comment"),
        ("a = 1\nb = ;", 2, "a value is expected"),
        ("a = 1\n= 3", 2, "the name of a setting is expected"),
    ] {
        let document = LibconfigDocument::new(text.as_bytes());
        assert_eq!(document.get("a").unwrap().text(), Some("1"), "{text}");
        let (at, problem) = document.problem.unwrap();
        assert!(at == line && problem.contains(what), "{text}: {at} {problem}");
    }
    let deep = format!("a = {}", "(".repeat(100_000));
    assert!(LibconfigDocument::new(deep.as_bytes()).problem.is_some());
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        LibconfigDocument::new(&bytes);
    }

    #[test]
    fn any_text_of_the_grammar_is_read(text in r#"([a-c] ?[=:] ?([0-9]|"x"|\{|\}|\(|\)|\[|\]|,|;|#|//|/\*|\*/|\n)){0,60}"#) {
        LibconfigDocument::new(text.as_bytes());
    }
}
