//! What holds for every edit by name, whatever bytes the file is made of.

use conf::{
    EditError, HaproxyDocument, NginxDocument, SettingsDialect, SettingsDocument, SysctlDocument, SysctlKey,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes made mostly of what the dialects care about, so that settings do occur.
fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => prop::sample::select(vec![
            "\n", "\r\n", "\r", "\0", " ", "\t", "=", "#", ";", "[", "]", "\\", "\\\n", "\"", "'", "{", "}", "$",
            "(", "|", "!", "a = 1\n", "[s]\n", "\n[s]\nb=2\n", ";a = 3\n", "#a = 3\n", "a-b='x#y' # c\n", "a=1;\n",
            "a = 4 \\\n", "a 5 b=1;\n", "s {\n  a 1;\n}\n", " # a 7;\n", "s {", "x_by_lua_block { \"}\" }",
            "global\n", "frontend s\n", "\ta 1 # c\n", "no a\n", ".if x\n", ".endif\n", "a.b = 1\n", "\nextension=x\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..6),
    ];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Lines that are understood, so that most edits of them are possible.
fn lines(of: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let lines = (vec(prop::sample::select(of), 0..10), any::<bool>());
    lines.prop_map(|(lines, ended)| {
        let mut text = lines.concat();
        text.truncate(text.len() - usize::from(!ended && text.ends_with('\n')));
        text.into_bytes()
    })
}

const SETTINGS: &[&str] = &[
    "[s]\n",
    "[t]\n",
    "\n",
    "a = 1\n",
    "a=2\r\n",
    "b = 'x # y' ; c\n",
    ";a = 3\n",
    "; about\n",
    "a =\n",
    "a_b=\"1\"\n",
    "\ta = 4\n",
    ";a-b=\n",
];
const DIRECTIVES: &[&str] = &[
    "s {\n\tb 1;\n\ta 1 b=2; # c\n}\n",
    "s { }\n",
    "a x;\n",
    "a 'x y'\n  b=1 ; b z;\r\n",
    "# a 7;\n",
    "t { a 1; }\n",
    "s {\n  x_by_lua_block { \"}\" }\n  # a 2;\n  t {\n  }\n}\n",
    "include x;\n",
    "\n",
];
const KEYWORDS: &[&str] = &[
    "global\n",
    "frontend s\n",
    "frontend t\n",
    "\tb 1\n",
    "  a 1 # c\n",
    " no a\n",
    "# a 2\n",
    "\n",
    ".if x\n b 2\n.endif\n",
    " c 'd # e' f\\ g\n",
];

fn dialect() -> impl Strategy<Value = SettingsDialect> {
    prop::sample::select(vec![SettingsDialect::Ini, SettingsDialect::OptionFile, SettingsDialect::Systemd])
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z0-9]{0,4}", 2 => "[ -~]{0,8}", 1 => any::<String>()]
}

/// The bytes of `before` that an edit replaced, as an offset range that is as short as can be.
fn replaced(before: &[u8], after: &[u8]) -> (usize, usize) {
    let start = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let tails = before[start..].iter().rev().zip(after[start..].iter().rev());
    (start, before.len() - tails.take_while(|(one, other)| one == other).count())
}

/// The numbers of the lines an edit replaced bytes of; none when it only added some.
fn lines_replaced(before: &[u8], after: &[u8]) -> Vec<usize> {
    let (start, end) = replaced(before, after);
    let line = |at: usize| before[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    if start == end { Vec::new() } else { (line(start)..=line(end - 1)).collect() }
}

/// Edits twice and tells whether it worked: an edit that fails changes nothing, one that works changes nothing more.
fn twice<D: Clone + PartialEq + std::fmt::Debug>(
    document: &mut D,
    bytes: fn(&D) -> &[u8],
    reread: impl Fn(&[u8]) -> D,
    edit: impl Fn(&mut D) -> Result<(), EditError>,
) -> Result<bool, TestCaseError> {
    let before = document.clone();
    if edit(document).is_err() {
        prop_assert_eq!(&*document, &before);
        return Ok(false);
    }
    let once = document.clone();
    prop_assert_eq!(&reread(bytes(document)), &once);
    prop_assert!(edit(document).is_ok());
    prop_assert_eq!(&*document, &once);
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_setting_that_was_set_reads_back_and_other_lines_stay(
        bytes in prop_oneof![hostile_bytes(), lines(SETTINGS)], dialect in dialect(), own in any::<bool>(), key in "a|a[-_]b|[ -~]{0,4}", value in value(),
    ) {
        let section = own.then_some("s");
        let mut document = SettingsDocument::new("x", bytes.clone(), dialect);
        prop_assert_eq!(document.as_bytes(), &bytes[..]);
        let last = document.last(section, &key).cloned();
        let count = document.settings().len();
        let reread = |bytes: &[u8]| SettingsDocument::new("x", bytes, dialect);
        let set = |document: &mut SettingsDocument| document.set(section, &key, &value);
        if !twice(&mut document, SettingsDocument::as_bytes, reread, set)? {
            return Ok(());
        }
        let read = document.get(section, &key).map(<[u8]>::to_vec);
        let quoted = value.starts_with(['"', '\'']);
        prop_assert!(quoted || read.as_deref() == Some(value.as_bytes()), "{:?} is {:?}", value, read);
        let touched = lines_replaced(&bytes, document.as_bytes());
        let own = last.as_ref().map_or(0..=0, |last| last.line..=last.last_line);
        prop_assert!(touched.iter().all(|line| own.contains(line)), "lines {:?} changed, not {:?}", touched, own);
        prop_assert!(document.settings().len() <= count + 1);
    }

    #[test]
    fn a_setting_that_was_removed_is_gone_and_others_stay(bytes in prop_oneof![hostile_bytes(), lines(SETTINGS)], dialect in dialect(), own in any::<bool>()) {
        let section = own.then_some("s");
        let mut document = SettingsDocument::new("x", bytes, dialect);
        let others = |document: &SettingsDocument| {
            let others = document.settings().iter().filter(|one| one.key != b"a" || one.section.as_deref() != section.map(str::as_bytes));
            others.map(|one| (one.section.clone(), one.key.clone(), one.value.clone())).collect::<Vec<_>>()
        };
        let before = others(&document);
        let reread = |bytes: &[u8]| SettingsDocument::new("x", bytes, dialect);
        if twice(&mut document, SettingsDocument::as_bytes, reread, |document| document.remove(section, "a"))? {
            prop_assert_eq!(document.get(section, "a"), None);
            prop_assert_eq!(others(&document), before);
        }
    }

    #[test]
    fn a_directive_that_was_set_reads_back_and_other_lines_stay(
        bytes in prop_oneof![hostile_bytes(), lines(DIRECTIVES)], inside in any::<bool>(), name in "a|[!-~]{1,3}", arguments in value(), parameter in any::<bool>(), removed in any::<bool>(),
    ) {
        let path: &[&str] = if inside { &["s"] } else { &[] };
        let mut document = NginxDocument::new("x", bytes.clone());
        prop_assert_eq!(document.as_bytes(), &bytes[..]);
        let old = document.get(path, &name, None).ok().flatten().cloned();
        let count = document.directives().len();
        let edited = twice(&mut document, NginxDocument::as_bytes, |bytes| NginxDocument::new("x", bytes), |document| match (removed, parameter) {
            (true, _) => document.remove(path, &name, None),
            (_, true) => document.set_parameter(path, &name, None, "b", &arguments),
            (_, false) => document.set_arguments(path, &name, None, &arguments),
        })?;
        if !edited {
            return Ok(());
        }
        let new = document.get(path, &name, None).ok().flatten().cloned();
        prop_assert_eq!(new.is_none(), removed);
        if let (false, true, Some(new)) = (removed, parameter, &new) {
            let assignment = format!("b={arguments}").into_bytes();
            prop_assert!(new.arguments().iter().any(|word| word.value == assignment));
        }
        let touched = lines_replaced(&bytes, document.as_bytes());
        let newlines = |span: &conf::Span| bytes[span.start..span.end].iter().filter(|byte| **byte == b'\n').count();
        let own = old.as_ref().map_or(0..=0, |old| old.line..=old.line + newlines(&old.span));
        let untouched = removed || touched.iter().all(|line| own.contains(line));
        prop_assert!(untouched, "lines {:?} changed, not {:?}", touched, own);
        prop_assert_eq!(document.directives().len(), count + usize::from(old.is_none() && !removed) - usize::from(old.is_some() && removed));
    }

    #[test]
    fn a_keyword_that_was_set_reads_back_and_other_lines_stay(
        bytes in prop_oneof![hostile_bytes(), lines(KEYWORDS)], global in any::<bool>(), keyword in "(no )?a|a 1|[!-~]{1,3}", arguments in value(), removed in any::<bool>(),
    ) {
        let section = if global { "global" } else { "frontend s" };
        let mut document = HaproxyDocument::new("x", bytes.clone());
        prop_assert_eq!(document.as_bytes(), &bytes[..]);
        let edited = twice(&mut document, HaproxyDocument::as_bytes, |bytes| HaproxyDocument::new("x", bytes), |document| {
            if removed { document.remove(section, &keyword) } else { document.set(section, &keyword, &arguments) }
        })?;
        if !edited {
            return Ok(());
        }
        let read = document.get(section, &keyword).map(|read| read.map(<[u8]>::to_vec));
        prop_assert_eq!(read.map(|read| read.is_none()).ok(), Some(removed));
        prop_assert!(removed || lines_replaced(&bytes, document.as_bytes()).len() <= 1);
    }

    #[test]
    fn a_sysctl_that_was_removed_is_gone_and_others_stay(bytes in hostile_bytes()) {
        let mut document = SysctlDocument::new("x", bytes);
        let key = SysctlKey::new("a");
        let others = |document: &SysctlDocument| {
            let others = document.entries().iter().filter(|one| one.key != key);
            others.map(|one| (one.key.clone(), one.raw_value.clone())).collect::<Vec<_>>()
        };
        let before = others(&document);
        if document.remove("a", None).is_ok() {
            prop_assert!(document.entries().iter().all(|one| one.key != key || !one.is_assignment()));
            prop_assert_eq!(others(&document), before);
        }
    }
}
