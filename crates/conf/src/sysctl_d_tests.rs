use super::*;
use crate::SysctlEditError;

const LOCAL: &str = "\
# local tuning
net.core.somaxconn = 4096
 net/ipv4/tcp_fin_timeout=15 # seconds
; vm.swappiness = 1
-net.bridge.bridge-nf-call-iptables = 0
net.ipv4.conf.*.rp_filter = 2
-net.ipv4.conf.all.rp_filter
kernel.modprobe = /sbin/mod probe
net.core.somaxconn = 8192
";

fn read(text: impl Into<Vec<u8>>) -> SysctlDocument {
    SysctlDocument::new("/etc/sysctl.d/99-local.conf", text)
}

fn last<'a>(document: &'a SysctlDocument, key: &str) -> &'a SysctlEntry {
    document.last(&SysctlKey::new(key)).expect("the key is in the file")
}

#[test]
fn statements_carry_line_kind_key_and_value() {
    let document = read(LOCAL);
    let seen: Vec<_> = document
        .entries()
        .iter()
        .map(|entry| (entry.line, entry.key.to_string(), entry.value_text().into_owned(), entry.kind))
        .collect();
    use SysctlEntryKind::{Assign, AssignIgnoringErrors, Exclude};
    let expected = [
        (2, "net.core.somaxconn", "4096", Assign),
        (3, "net.ipv4.tcp_fin_timeout", "15 # seconds", Assign),
        (5, "net.bridge.bridge-nf-call-iptables", "0", AssignIgnoringErrors),
        (6, "net.ipv4.conf.*.rp_filter", "2", Assign),
        (7, "net.ipv4.conf.all.rp_filter", "", Exclude),
        (8, "kernel.modprobe", "/sbin/mod probe", Assign),
        (9, "net.core.somaxconn", "8192", Assign),
    ]
    .map(|(line, key, value, kind)| (line, key.to_owned(), value.to_owned(), kind));
    assert_eq!(seen, expected);
    assert_eq!(document.unread(), []);
}

#[test]
fn a_comment_after_a_value_is_part_of_the_value_and_is_pointed_out() {
    let document = read(LOCAL);
    assert!(last(&document, "net.ipv4.tcp_fin_timeout").trailing_comment_like);
    assert!(!last(&document, "kernel.modprobe").trailing_comment_like);
    assert!(!read("kernel.core_pattern = core#%p\n").entries()[0].trailing_comment_like);
}

#[test]
fn spans_point_at_the_statement_the_key_and_the_value() {
    let document = read("a = 1\n  -b.c  =  2 3  \n");
    let entry = &document.entries()[1];
    assert_eq!(document.document().get(entry.span), Some(&b"-b.c  =  2 3"[..]));
    assert_eq!(document.document().get(entry.key_span), Some(&b"b.c"[..]));
    assert_eq!(document.document().get(entry.value_span), Some(&b"2 3"[..]));
}

#[test]
fn lines_without_effect_are_counted() {
    let document = read("net.core.somaxconn 4096\n= 5\n-\nvm.swappiness = 10\n");
    let reasons: Vec<_> = document.unread().iter().map(|unread| (unread.line, unread.reason)).collect();
    assert_eq!(
        reasons,
        [(1, UnreadReason::NotAnAssignment), (2, UnreadReason::EmptyKey), (3, UnreadReason::EmptyKey)]
    );
    assert_eq!(document.entries().len(), 1);
}

#[test]
fn nothing_after_a_line_of_a_mebibyte_is_read_and_no_edit_pretends_otherwise() {
    let text = format!("vm.swappiness = 10\n#{}\nvm.swappiness = 20\n", "x".repeat(LONGEST_LINE_BYTES));
    let mut document = read(text.clone());
    assert_eq!(document.entries().len(), 1);
    assert_eq!(document.unread()[0].reason, UnreadReason::LineTooLong);
    let error = document.set("vm.swappiness", "5").expect_err("the reader stops early");
    assert!(error.to_string().contains("stops reading at line 2"));
    assert_eq!(document.as_bytes(), text.as_bytes());
}

#[test]
fn setting_a_key_changes_only_the_value_of_its_last_assignment() {
    let mut document = read(LOCAL);
    document.set("net/core/somaxconn", "16384").expect("set");
    assert_eq!(document.as_bytes(), LOCAL.replace("8192", "16384").as_bytes());
    document.set("net.ipv4.tcp_fin_timeout", "20").expect("set");
    let expected = LOCAL.replace("8192", "16384").replace("15 # seconds", "20");
    assert_eq!(document.as_bytes(), expected.as_bytes());
}

#[test]
fn setting_a_new_or_an_excluded_key_appends_a_line() {
    let mut document = read("-a.b\r\nc.d = 1");
    document.set("a.b", "7").expect("set");
    assert_eq!(document.as_bytes(), b"-a.b\r\nc.d = 1\r\na.b = 7\r\n");
    assert_eq!(last(&document, "a.b").line, 3);
}

#[test]
fn setting_an_empty_value_fills_the_place_after_the_equals_sign() {
    let mut document = read("kernel.core_pattern =\nvm.swappiness = \n");
    document.set("kernel.core_pattern", "core").expect("set");
    document.set("vm.swappiness", "1").expect("set");
    assert_eq!(document.as_bytes(), b"kernel.core_pattern =core\nvm.swappiness = 1\n");
}

#[test]
fn keys_and_values_that_would_become_other_statements_are_refused() {
    let mut document = read(LOCAL);
    for key in ["", " a", "-a", "#a", ";a", "a=b", "a\nb", "a\rb", "a\0b", "/", "."] {
        assert!(matches!(document.set(key, "1"), Err(SysctlEditError::Key { .. })), "{key:?}");
    }
    for value in ["1\n", "1\nvm.x = 2", " 1", "1\t", "a\0b", "a\rb", &"x".repeat(4097)] {
        assert!(matches!(document.set("vm.x", value), Err(SysctlEditError::Value { .. })), "{value:?}");
    }
    assert_eq!(document.as_bytes(), LOCAL.as_bytes());
}

#[test]
fn a_carriage_return_or_a_nul_ends_a_statement_as_in_systemd() {
    let document = read("a.b = 1\rc.d = 2\0e.f = 3\r\n");
    let keys: Vec<_> = document.entries().iter().map(|entry| (entry.line, entry.key.to_string())).collect();
    assert_eq!(keys, [(1, "a.b".to_owned()), (1, "c.d".to_owned()), (1, "e.f".to_owned())]);
}
