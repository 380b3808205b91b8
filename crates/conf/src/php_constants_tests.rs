use proptest::prelude::*;

use super::*;

/// A `wp-config.php` as people write it.
const CONFIG: &str = "<?php
define( 'DB_PASSWORD', 'pass' );
define('WP_DEBUG', FALSE); // off
const WP_MEMORY_LIMIT = '256M', DEPTH = -1;
if ( ! defined( 'WP_CACHE' ) ) {
	define( 'WP_CACHE', true );
}
defined('GUARDED') || define('GUARDED', 1.5);
if (PHP_SAPI === 'cli') { define('DISABLE_WP_CRON', true); } else { define('DISABLE_WP_CRON', false); }
if (!defined('OTHER')) define('NAMED', 1);
function later() { define('LATER', true); }
$text = <<<'T'
define('IN_TEXT', 1);
T;
class C { const OWN = 1; }
require_once __DIR__ . '/local.php';
require_once('/etc/site.php');

/* That's all, stop editing! Happy publishing. */
if ( ! defined( 'ABSPATH' ) ) { define( 'ABSPATH', __DIR__ . '/' ); }
require_once ABSPATH . 'wp-settings.php';
";

fn read(text: &str) -> PhpConstants {
    PhpConstants::new("/srv/wp-config.php", text.as_bytes())
}

#[test]
fn constants_carry_value_line_and_condition() {
    let config = read(CONFIG);
    assert_eq!(config.problems(), []);
    let found: Vec<_> = config
        .constants()
        .iter()
        .map(|one| (one.name.as_str(), one.value.as_ref().map(PhpLiteral::text), one.line, one.condition))
        .collect();
    let (none, guard, other) = (PhpCondition::None, PhpCondition::UnlessDefined, PhpCondition::Other);
    let expected = [
        ("DB_PASSWORD", Some("pass"), 2, none),
        ("WP_DEBUG", Some("false"), 3, none),
        ("WP_MEMORY_LIMIT", Some("256M"), 4, none),
        ("DEPTH", Some("-1"), 4, none),
        ("WP_CACHE", Some("true"), 6, guard),
        ("GUARDED", Some("1.5"), 8, guard),
        ("DISABLE_WP_CRON", Some("true"), 9, other),
        ("DISABLE_WP_CRON", Some("false"), 9, other),
        ("NAMED", Some("1"), 10, other),
        ("LATER", Some("true"), 11, other),
        ("ABSPATH", None, 20, guard),
    ];
    assert_eq!(found, expected);
    assert!(config.get("DISABLE_WP_CRON").is_none());
}

#[test]
fn includes_say_where_they_lead_when_that_can_be_told() {
    let config = read(CONFIG);
    let found: Vec<_> =
        config.includes().iter().map(|one| (one.path.as_deref(), one.ends_with.as_deref())).collect();
    let expected = [
        (Some("./local.php"), Some("/local.php")),
        (Some("/etc/site.php"), Some("/etc/site.php")),
        (None, Some("wp-settings.php")),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_value_is_changed_where_it_stands_and_nothing_else_is() {
    for (name, value, before, after) in [
        ("WP_DEBUG", "true", "FALSE", "true"),
        ("WP_MEMORY_LIMIT", "'512M'", "'256M'", "'512M'"),
        ("WP_CACHE", "false", "'WP_CACHE', true", "'WP_CACHE', false"),
        ("GUARDED", "2", "1.5", "2"),
    ] {
        let mut config = read(CONFIG);
        config.set(name, value).unwrap();
        assert_eq!(std::str::from_utf8(config.as_bytes()).unwrap(), CONFIG.replacen(before, after, 1));
    }
    let mut config = read(CONFIG);
    config.set("WP_DEBUG", "false").unwrap();
    assert_eq!(config.as_bytes(), CONFIG.as_bytes(), "false and FALSE are one value");
}

#[test]
fn a_new_constant_goes_before_the_place_where_editing_stops() {
    let new = "define( 'DISABLE_WP_CRON', true );\n";
    let stop = "/* That's all, stop editing! */\n";
    let settings = "require_once ABSPATH . 'wp-settings.php';\n";
    for (before, after) in [
        (format!("<?php\n{stop}{settings}"), format!("<?php\n{new}{stop}{settings}")),
        (format!("<?php\n{settings}"), format!("<?php\n{new}{settings}")),
        (format!("<?php\n{settings}{stop}"), format!("<?php\n{new}{settings}{stop}")),
        ("<?php\n$a = 1;\n".to_owned(), format!("<?php\n$a = 1;\n{new}")),
        ("<?php\n$a = 1;".to_owned(), format!("<?php\n$a = 1;\n{new}")),
        ("<?php\n$a = 1;\n?>\n".to_owned(), format!("<?php\n$a = 1;\n{new}?>\n")),
        (
            "<?php $a = 1; require 'wp-settings.php';\n".to_owned(),
            format!("<?php $a = 1; {new}require 'wp-settings.php';\n"),
        ),
        (
            "<?php\r\n$a = 1;\r\n// stop editing\r\n".to_owned(),
            format!("<?php\r\n$a = 1;\r\n{}\r\n// stop editing\r\n", new.trim_end()),
        ),
    ] {
        let mut config = read(&before);
        config.set("DISABLE_WP_CRON", "true").unwrap();
        assert_eq!(std::str::from_utf8(config.as_bytes()).unwrap(), after, "{before:?}");
        config.remove("DISABLE_WP_CRON").unwrap();
        let cleared = std::str::from_utf8(config.as_bytes()).unwrap().replace("; \n", "; ");
        assert_eq!(cleared.trim_end(), before.trim_end());
    }
}

#[test]
fn what_only_php_could_tell_is_left_to_a_person() {
    for (text, name, value, says) in [
        (CONFIG, "DISABLE_WP_CRON", "true", "it depends on a condition"),
        (CONFIG, "LATER", "false", "it depends on a condition"),
        (CONFIG, "NEW", "system('x')", "cannot be written"),
        (CONFIG, "NEW", "1); system('x'", "cannot be written"),
        (CONFIG, "NEW", "\"$x\"", "cannot be written"),
        (CONFIG, "N W", "1", "cannot be written"),
        (CONFIG, "NEW", "1 /* stop editing", "cannot be written"),
        ("<?php define('A', ;\n", "NEW", "1", "not read past line 1"),
        ("<?php $a = 1; ?>\ntext\n", "NEW", "1", "ends outside of PHP"),
    ] {
        let mut config = read(text);
        let error = config.set(name, value).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert_eq!(config.as_bytes(), text.as_bytes());
    }
    let mut config = read(CONFIG);
    assert!(config.remove("DEPTH").unwrap_err().to_string().contains("larger statement"));
}

#[test]
fn a_definition_goes_with_its_line() {
    let mut config = read("<?php\ndefine('A', 1);\ndefine('B', 2); define('C', 3);\n");
    config.remove("A").unwrap();
    config.remove("B").unwrap();
    config.remove("NONE").unwrap();
    assert_eq!(config.as_bytes(), b"<?php\n define('C', 3);\n");
}

proptest! {
    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut config = PhpConstants::new("x", bytes.clone());
        let _ = config.set("A", "true");
        let _ = config.remove("A");
        let mut config = PhpConstants::new("x", [b"<?php ", &bytes[..]].concat());
        let _ = config.set("A", "true");
    }

    /// Whatever stands around it: what was set is read back, and taking it out gives the file again.
    #[test]
    fn setting_and_removing_gives_the_file_again(
        lines in prop::collection::vec(prop::sample::select(vec![
            "define('X', 1);", "// c", "", "$a = [1, 2];", "if (true) { define('Y', 'z'); }", "# stop editing",
            "require ABSPATH . 'wp-settings.php';", "\t/* x */ const Z = null;",
        ]), 0..12),
        value in prop::sample::select(vec!["true", "false", "60", "'a b'", "-1"]),
    ) {
        let text = format!("<?php\n{}\n", lines.join("\n"));
        let mut config = read(&text);
        if config.problems().is_empty() {
            config.set("NEW", value).unwrap();
            let written = config.get("NEW").unwrap();
            prop_assert_eq!(written.value_span.of(config.as_bytes()), value.as_bytes());
            config.remove("NEW").unwrap();
            prop_assert_eq!(config.as_bytes(), text.as_bytes());
        }
    }
}
