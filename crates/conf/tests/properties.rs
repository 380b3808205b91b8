//! What holds for every document, whatever bytes it is made of.

use conf::{
    Document, MountTable, MountTableDialect, Span, SysctlDocument, SysctlFile, SysctlKey, order_sysctls,
    parse_mountstats_device, unescape_octal,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Bytes made mostly of what the dialects care about, so that statements and entries do occur.
fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "\n", "\r\n", "\r", "\0", " ", "\t", "=", "-", "#", ";", "*", "[", "]", "?", "\\", ".", "/", ",",
            "\"", "\\040", "a.b = 1\n", "a/b=2", "-a.b\n", "n.*.x = 3\n", "/dev/a /b ext4 ro,x=1 0 0\n",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        2 => vec(any::<u8>(), 0..6),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn inside(span: Span, bytes: &[u8]) -> bool {
    span.start <= span.end && span.end <= bytes.len()
}

/// The edit kept all bytes before and after the span it replaced.
fn touched_only(span: Span, before: &[u8], after: &[u8]) -> bool {
    after.starts_with(&before[..span.start]) && after.ends_with(&before[span.end..])
}

proptest! {
    #[test]
    fn printing_a_document_gives_back_its_bytes(bytes in hostile_bytes()) {
        let document = Document::new("x", bytes.clone());
        prop_assert_eq!(document.as_bytes(), &bytes[..]);
        let mut printed = Vec::new();
        for (index, line) in document.lines().iter().enumerate() {
            prop_assert_eq!(line.number, index + 1);
            prop_assert!(inside(line.span, &bytes));
            printed.extend_from_slice(document.get(line.span).unwrap_or_default());
            printed.extend_from_slice(line.ending.as_bytes());
        }
        prop_assert_eq!(printed, bytes);
    }

    #[test]
    fn replacing_a_span_touches_only_the_span(
        bytes in hostile_bytes(), start in 0_usize..90, end in 0_usize..90, new in hostile_bytes(),
    ) {
        let mut document = Document::new("x", bytes.clone());
        let span = Span::new(start, end);
        let replaced = document.replace(span, &new);
        prop_assert_eq!(replaced.is_ok(), inside(span, &bytes));
        if replaced.is_ok() {
            prop_assert!(touched_only(span, &bytes, document.as_bytes()));
        } else {
            prop_assert_eq!(document.as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn sysctl_spans_lie_in_the_document_and_hold_what_the_entry_says(bytes in hostile_bytes()) {
        let document = SysctlDocument::new("x", bytes.clone());
        prop_assert_eq!(document.as_bytes(), &bytes[..]);
        for entry in document.entries() {
            prop_assert!(inside(entry.span, &bytes));
            prop_assert_eq!(document.document().get(entry.key_span), Some(&entry.raw_key[..]));
            prop_assert_eq!(document.document().get(entry.value_span), Some(&entry.raw_value[..]));
            prop_assert!(entry.span.start <= entry.key_span.start && entry.key_span.end <= entry.span.end);
        }
        for unread in document.unread() {
            prop_assert!(inside(unread.span, &bytes));
        }
    }

    #[test]
    fn a_sysctl_that_was_set_reads_back_and_nothing_else_changed(
        bytes in hostile_bytes(),
        key in prop_oneof![Just("a.b".to_owned()), Just("a/b".to_owned()), "[a-z.*/]{1,8}"],
        value in prop_oneof![Just(String::new()), "[ -~]{0,12}"],
    ) {
        let mut document = SysctlDocument::new("x", bytes.clone());
        let normalised = SysctlKey::new(&key);
        let place = document.last(&normalised).filter(|entry| entry.is_assignment()).map(|entry| entry.value_span);
        if document.set(&key, &value).is_err() {
            prop_assert_eq!(document.as_bytes(), &bytes[..]);
            return Ok(());
        }
        prop_assert_eq!(document.last(&normalised).map(|entry| &entry.raw_value[..]), Some(value.as_bytes()));
        let place = place.unwrap_or(Span::new(bytes.len(), bytes.len()));
        prop_assert!(touched_only(place, &bytes, document.as_bytes()));
        let again = SysctlDocument::new("x", document.as_bytes());
        prop_assert_eq!(again, document);
    }

    #[test]
    fn the_effective_value_is_that_of_the_statement_it_names(first in hostile_bytes(), second in hostile_bytes()) {
        let files = [
            SysctlFile { path: "/usr/lib/sysctl.d/10-a.conf", bytes: &first },
            SysctlFile { path: "/etc/sysctl.d/20-b.conf", bytes: &second },
        ];
        let order = order_sysctls(&files);
        for key in order.explicit().keys().cloned().chain([SysctlKey::new("n.eth0.x")]) {
            let Some(effective) = order.effective(&key) else { continue };
            let bytes = if &*effective.file == files[0].path { &first } else { &second };
            let document = SysctlDocument::new(&*effective.file, bytes.clone());
            let stated = document.entries().iter().any(|entry| {
                entry.line == effective.line
                    && effective.value.as_deref() == entry.is_assignment().then_some(&entry.raw_value[..])
            });
            prop_assert!(stated);
        }
    }

    #[test]
    fn a_mount_option_that_was_set_reads_back_and_nothing_else_changed(
        bytes in hostile_bytes(), proc_mounts in any::<bool>(), name in "[a-z #\\\\-]{1,6}", value in proptest::option::of(vec(any::<u8>(), 0..6)),
    ) {
        let dialect = if proc_mounts { MountTableDialect::ProcMounts } else { MountTableDialect::Fstab };
        let mut table = MountTable::new("x", bytes.clone(), dialect);
        prop_assert_eq!(table.as_bytes(), &bytes[..]);
        for entry in table.entries() {
            prop_assert!(inside(entry.span, &bytes));
            prop_assert!(entry.options.iter().all(|option| inside(option.span, &bytes)));
        }
        let Some(entry) = table.entries().last().cloned() else { return Ok(()) };
        let place = entry.options_span.unwrap_or(Span::new(entry.span.end, entry.span.end));
        if table.set_option(entry.line, &name, value.as_deref()).is_err() {
            prop_assert_eq!(table.as_bytes(), &bytes[..]);
            return Ok(());
        }
        prop_assert!(touched_only(place, &bytes, table.as_bytes()));
        let read = table.entry_at(entry.line).and_then(|entry| entry.option(&name));
        prop_assert_eq!(read.map(|option| option.value.clone()), Some(value));
        let set = table.as_bytes().to_vec();
        prop_assert!(table.remove_option(entry.line, &name).is_ok_and(|removed| removed > 0));
        prop_assert!(table.entry_at(entry.line).is_some_and(|entry| entry.option(&name).is_none()));
        prop_assert!(touched_only(Span::new(place.start, set.len() - (bytes.len() - place.end)), &set, table.as_bytes()));
    }

    #[test]
    fn small_readers_never_panic(bytes in hostile_bytes(), other in hostile_bytes()) {
        prop_assert!(unescape_octal(&bytes).len() <= bytes.len());
        let _ = parse_mountstats_device(&bytes);
        let _ = SysctlKey::new(&bytes).matches(&SysctlKey::new(&other));
    }
}
