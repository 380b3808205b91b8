use model::{DirectiveEdit, Presence};
use proptest::prelude::*;

use super::*;

fn edit(before: &str, edit: &Edit) -> Result<String, ChangeError> {
    edited("/etc/x", before.as_bytes(), edit).map(|bytes| String::from_utf8(bytes).unwrap())
}

fn sysctl(key: &str, value: Option<&str>, line: Option<u32>) -> Edit {
    Edit::Sysctl { key: key.to_owned(), value: value.map(str::to_owned), line }
}

fn words(name: &str, words: &[&str]) -> Edit {
    let add_words = words.iter().map(|&word| word.to_owned()).collect();
    Edit::ShellVariable { name: name.to_owned(), add_words }
}

#[test]
fn a_sysctl_assignment_is_changed_on_the_line_that_is_meant_else_on_the_last() {
    let file = "# a\nvm.swappiness = 10 \r\nnet/core/somaxconn=1\nvm.swappiness=20";
    let last = edit(file, &sysctl("vm.swappiness", Some("5"), None)).unwrap();
    assert_eq!(last, file.replace("=20", "=5"));
    let second = edit(file, &sysctl("vm.swappiness", Some("5"), Some(2))).unwrap();
    assert_eq!(second, file.replace("= 10 ", "= 5 "));
    let other = edit(file, &sysctl("net.core.somaxconn", Some("4096"), Some(3))).unwrap();
    assert_eq!(other, file.replace("n=1", "n=4096"));
}

#[test]
fn a_sysctl_assignment_is_taken_out_with_its_line_and_nothing_else() {
    let file = "# a\nvm.swappiness = 10\r\nnet/core/somaxconn=1\nvm.swappiness=20";
    assert_eq!(edit(file, &sysctl("vm.swappiness", None, None)).unwrap(), "# a\nnet/core/somaxconn=1\n");
    let first = edit(file, &sysctl("vm.swappiness", None, Some(2))).unwrap();
    assert_eq!(first, "# a\nnet/core/somaxconn=1\nvm.swappiness=20");
    assert_eq!(edit(file, &sysctl("vm.dirty_bytes", None, None)).unwrap(), file);
}

#[test]
fn a_sysctl_line_that_holds_another_key_or_a_value_of_two_lines_is_refused() {
    let file = "vm.swappiness = 10\n";
    let error = edit(file, &sysctl("vm.dirty_bytes", Some("1"), Some(1))).unwrap_err();
    assert!(
        error.to_string().contains("edit vm.dirty_bytes in /etc/x: line 1 does not assign it"),
        "{error}"
    );
    for value in ["1\nkernel.panic = 1", "1\rkernel.panic=1", " 1"] {
        for line in [None, Some(1)] {
            assert!(edit(file, &sysctl("vm.swappiness", Some(value), line)).is_err(), "{value:?} {line:?}");
        }
    }
    let error =
        edit("vm.swappiness=1\rvm.laptop_mode=0\n", &sysctl("vm.swappiness", None, None)).unwrap_err();
    assert!(error.to_string().contains("line 1 holds more than it"), "{error}");
}

#[test]
fn an_option_of_the_one_mount_that_is_named_is_set_and_taken_out() {
    let file = "# m\nfs:/a  /srv/a  nfs  rw,actimeo=3  0 0\n/dev/sdb /srv/b/ ext4 defaults\n";
    let fstab = |mount_point: &str, option: &str, to| Edit::Fstab {
        mount_point: mount_point.to_owned(),
        option: option.to_owned(),
        to,
    };
    let set = |value: Option<&str>| Presence::Set { value: value.map(str::to_owned) };
    let longer = edit(file, &fstab("/srv/a", "actimeo", set(Some("600")))).unwrap();
    assert_eq!(longer, file.replace("actimeo=3", "actimeo=600"));
    let noatime = edit(file, &fstab("/srv/b", "noatime", set(None))).unwrap();
    assert_eq!(noatime, file.replace("defaults", "defaults,noatime"));
    let without = edit(file, &fstab("/srv/a/", "actimeo", Presence::Removed)).unwrap();
    assert_eq!(without, file.replace("rw,actimeo=3", "rw"));
    let error = edit(file, &fstab("/", "noatime", set(None))).unwrap_err();
    assert!(error.to_string().contains("no line of the file mounts there"), "{error}");
    let twice = format!("{file}/dev/sdc /srv/b ext4 defaults\n");
    let error = edit(&twice, &fstab("/srv/b", "noatime", set(None))).unwrap_err();
    assert!(error.to_string().contains("the lines [3, 4] all mount there"), "{error}");
}

#[test]
fn a_whole_line_comes_at_the_end_once_and_goes_wherever_it_stands() {
    let line = |present| Edit::Line { line: "tcp_bbr".to_owned(), present };
    assert_eq!(edit("# m\nloop", &line(true)).unwrap(), "# m\nloop\ntcp_bbr\n");
    assert_eq!(edit(" tcp_bbr \nloop\n", &line(true)).unwrap(), " tcp_bbr \nloop\n");
    assert_eq!(edit("#tcp_bbr\n tcp_bbr\r\nloop\ntcp_bbr", &line(false)).unwrap(), "#tcp_bbr\nloop\n");
    assert!(edit("", &Edit::Line { line: "a\nb".to_owned(), present: true }).is_err());
}

#[test]
fn words_are_added_to_a_shell_variable_inside_its_quotes() {
    let ban = words("ARGS", &["--banirq=24", "--banirq=25"]);
    for (before, after) in [
        ("ARGS=\"\"\n", "ARGS=\"--banirq=24 --banirq=25\"\n"),
        ("ARGS=", "ARGS=\"--banirq=24 --banirq=25\""),
        ("ARGS=--debug # why\n", "ARGS=\"--debug --banirq=24 --banirq=25\" # why\n"),
        ("export ARGS='--x $y'  \n", "export ARGS='--x $y --banirq=24 --banirq=25'  \n"),
        ("ARGS=\"$A --banirq=25\"\nB=1\n", "ARGS=\"$A --banirq=25 --banirq=24\"\nB=1\n"),
        ("ARGS=a\nARGS=\"b\"\r\n", "ARGS=a\nARGS=\"b --banirq=24 --banirq=25\"\r\n"),
        ("#ARGS=\nMY_ARGS=x\n", "#ARGS=\nMY_ARGS=x\nARGS=\"--banirq=24 --banirq=25\"\n"),
        ("ARGS='--banirq=24 --banirq=25'", "ARGS='--banirq=24 --banirq=25'"),
    ] {
        assert_eq!(edit(before, &ban).unwrap(), after, "{before:?}");
    }
}

#[test]
fn a_shell_variable_that_is_more_than_a_plain_assignment_is_left_to_a_person() {
    for before in [
        "ARGS=\"a\nb\"\n",
        "ARGS=a\"b\"\n",
        "ARGS=\"a\"b\n",
        "ARGS=$(x)\n",
        "ARGS=a daemon\n",
        "ARGS=\"a\"#b\n",
        "ARGS=\"a\\\"b\"\n",
        "test -f y && ARGS=z\n",
        "ARGS+=\" x\"\n",
        "A=1; ARGS=2\n",
    ] {
        let error = edit(before, &words("ARGS", &["x"])).unwrap_err();
        assert!(error.to_string().contains("edit ARGS in /etc/x: line "), "{before:?}: {error}");
    }
    for word in ["", "a b", "$x", "`x`", "a\"b", "a'b", "a\\b", "a\n", "a;b"] {
        assert!(edit("", &words("ARGS", &[word])).is_err(), "{word:?}");
    }
    assert!(edit("", &words("A-B", &["x"])).is_err());
}

#[test]
fn settings_are_edited_in_their_section_and_new_files_get_one() {
    let (section, value) = ("www".to_owned(), Some("50".to_owned()));
    let key = "pm.max_children".to_owned();
    let pool = Edit::Ini { section: Some(section), key, value: value.clone() };
    let file = "; a\n[www]\npm.max_children = 5 ; b\n";
    assert_eq!(edit(file, &pool).unwrap(), file.replace("= 5", "= 50"));
    let option = Edit::OptionFile {
        group: "mysqld".to_owned(),
        option: "max_connections".to_owned(),
        value: value.clone(),
    };
    assert_eq!(edit("[mysqld]\nmax-connections=5\n", &option).unwrap(), "[mysqld]\nmax-connections=50\n");
    let unit = |value| Edit::Systemd { section: "Service".to_owned(), key: "LimitNOFILE".to_owned(), value };
    assert_eq!(edit("[Service]\nLimitNOFILE=1\nNice=1\n", &unit(None)).unwrap(), "[Service]\nNice=1\n");
    for (edits, head) in [([unit(value)], "# Written"), ([pool], "; Written"), ([option], "# Written")] {
        let file = new_file("/etc/x", &edits).unwrap().unwrap();
        let text = String::from_utf8(file.contents.0).unwrap();
        assert!(text.starts_with(head) && text.contains("50\n"), "{text}");
        assert_eq!(edit(&text, &edits[0]).unwrap(), text);
    }
    assert!(edit("", &unit(Some("1\n[Install]".to_owned()))).is_err());
}

#[test]
fn a_directive_of_nginx_gets_arguments_or_a_parameter_or_goes() {
    let file = "http {\n    keepalive_timeout 65; # s\n    server { listen 80; listen 81 backlog=1; }\n}\n";
    let nginx = |block: &[&str], directive: &str, first: Option<&str>, to| Edit::Nginx {
        block: block.iter().map(|&name| name.to_owned()).collect(),
        directive: directive.to_owned(),
        first_argument: first.map(str::to_owned),
        to,
    };
    let arguments = DirectiveEdit::Arguments { arguments: "15".to_owned() };
    let shorter = edit(file, &nginx(&["http"], "keepalive_timeout", None, arguments.clone())).unwrap();
    assert_eq!(shorter, file.replace("65", "15"));
    let backlog = DirectiveEdit::Parameter { name: "backlog".to_owned(), value: "4096".to_owned() };
    let longer = edit(file, &nginx(&["http", "server"], "listen", Some("81"), backlog)).unwrap();
    assert_eq!(longer, file.replace("backlog=1", "backlog=4096"));
    let gone = edit(file, &nginx(&["http"], "keepalive_timeout", None, DirectiveEdit::Removed)).unwrap();
    assert!(!gone.contains("keepalive_timeout"), "{gone}");
    let error = edit(file, &nginx(&["stream"], "listen", None, arguments)).unwrap_err();
    assert!(error.to_string().contains("cannot edit listen in /etc/x: "), "{error}");
}

#[test]
fn a_block_of_nginx_and_one_more_directive_of_a_name_come_and_go() {
    let nginx = |block: &[&str], directive: &str, to| Edit::Nginx {
        block: block.iter().map(|&name| name.to_owned()).collect(),
        directive: directive.to_owned(),
        first_argument: None,
        to,
    };
    let map = |lines: Option<&[&str]>| {
        let lines = lines.map(|lines| lines.iter().map(|&line| line.to_owned()).collect());
        nginx(&["http"], "map", DirectiveEdit::Block { arguments: "$a $b".to_owned(), lines })
    };
    let file = "http {\n    gzip on;\n}\n";
    let with = edit(file, &map(Some(&["default 0;"]))).unwrap();
    assert_eq!(with, "http {\n    gzip on;\n    map $a $b {\n        default 0;\n    }\n}\n");
    assert_eq!(edit(&with, &map(None)).unwrap(), file);
    let header =
        |value: &str| nginx(&["http"], "add_header", DirectiveEdit::OneMore { arguments: value.to_owned() });
    let two = edit(&edit(file, &header("Link a")).unwrap(), &header("Link b")).unwrap();
    assert_eq!(two, "http {\n    gzip on;\n    add_header Link a;\n    add_header Link b;\n}\n");
    assert_eq!(edit(&two, &header("Link a")).unwrap(), two);
    let edits = [nginx(
        &[],
        "map",
        DirectiveEdit::Block { arguments: "$a $b".to_owned(), lines: Some(vec!["default 0;".to_owned()]) },
    )];
    let text =
        String::from_utf8(new_file("/etc/nginx/conf.d/x.conf", &edits).unwrap().unwrap().contents.0).unwrap();
    assert!(text.starts_with("# Written") && text.ends_with("map $a $b {\n    default 0;\n}\n"), "{text}");
}

#[test]
fn a_constant_of_php_is_set_or_goes_and_no_new_file_of_php_is_made() {
    let constant = |value: Option<&str>| Edit::PhpConstant {
        name: "DISABLE_WP_CRON".to_owned(),
        value: value.map(str::to_owned),
    };
    let file = "<?php\n// c\n/* stop editing */\n";
    let set = edit(file, &constant(Some("true"))).unwrap();
    assert_eq!(set, "<?php\n// c\ndefine( 'DISABLE_WP_CRON', true );\n/* stop editing */\n");
    assert_eq!(edit(&set, &constant(None)).unwrap(), file);
    let error = edit("<?php (\n", &constant(None)).unwrap_err().to_string();
    assert!(error.starts_with("cannot edit DISABLE_WP_CRON in /etc/x: the file is not read"), "{error}");
    assert!(new_file("/srv/wp-config.php", &[constant(Some("true"))]).is_err());
}

#[test]
fn a_keyword_of_haproxy_gets_arguments_in_its_section_or_goes() {
    let file = "global\n    maxconn 100 # few\ndefaults\n    timeout connect 5s\n";
    let haproxy = |section: &str, keyword: &str, arguments: Option<&str>| Edit::Haproxy {
        section: section.to_owned(),
        keyword: keyword.to_owned(),
        arguments: arguments.map(str::to_owned),
    };
    let more = edit(file, &haproxy("global", "maxconn", Some("4000"))).unwrap();
    assert_eq!(more, file.replace("100", "4000"));
    let longer = edit(file, &haproxy("defaults", "timeout connect", Some("9s"))).unwrap();
    assert_eq!(longer, file.replace("5s", "9s"));
    let gone = edit(file, &haproxy("global", "maxconn", None)).unwrap();
    assert!(!gone.contains("maxconn"), "{gone}");
    let error = edit(file, &haproxy("frontend www", "maxconn", Some("1"))).unwrap_err().to_string();
    assert!(error.starts_with("cannot edit maxconn in /etc/x: "), "{error}");
    assert_eq!(error.matches("/etc/x").count(), 1, "the file is named once: {error}");
}

#[test]
fn a_new_file_says_whose_it_is_in_a_comment_of_its_grammar() {
    let file = new_file("/etc/sysctl.d/90-narrows.conf", &[sysctl("vm.swappiness", Some("5"), None)]);
    let file = file.unwrap().unwrap();
    let text = "# Written by narrows; `narrows undo` takes it out again.\nvm.swappiness = 5\n";
    assert_eq!(std::str::from_utf8(&file.contents.0).unwrap(), text);
    assert_eq!((file.uid, file.gid, file.mode), (0, 0, 0o644));
    assert_eq!(new_file("/etc/x", &[sysctl("vm.swappiness", None, None)]).unwrap(), None);
}

proptest! {
    /// The shell itself is asked what the variable holds after the edit.
    #[test]
    fn the_shell_finds_the_words_that_were_there_and_those_that_were_added(
        held in prop::collection::vec("[a-z=0-9-]{1,6}", 0..4),
        quote in prop::sample::select(vec!["\"", "'"]),
        added in prop::collection::vec("--[a-z]{1,3}=[0-9]", 0..3),
    ) {
        let before = format!("# c\nV={quote}{}{quote}\n", held.join(" "));
        let added: Vec<_> = added.iter().map(String::as_str).collect();
        let after = edit(&before, &words("V", &added)).unwrap();
        let script = format!("{after}printf '%s\\n' $V");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let found = String::from_utf8(output.stdout).unwrap();
        let found: Vec<_> = found.split_whitespace().collect();
        prop_assert_eq!(found.get(..held.len()).unwrap(), held.as_slice());
        for word in added {
            prop_assert!(found.contains(&word));
        }
    }
}
