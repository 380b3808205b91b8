use super::*;

const FSTAB: &str = "\
# /etc/fstab: static file system information.
UUID=3e6be9de-8139-11d1-9106-a43f08d823a6 /               ext4    errors=remount-ro 0       1
/dev/sdb1\t/srv/my\\040site\text4\tdefaults,noatime,commit=30\t0\t2\n\
nas:/export /mnt/www nfs4 rw,hard,nconnect=8,nconnect=4 0 0

tmpfs /tmp tmpfs
";

fn fstab(text: &str) -> MountTable {
    MountTable::new("/etc/fstab", text, MountTableDialect::Fstab)
}

#[test]
fn fields_are_read_with_their_line_and_escapes_undone() {
    let table = fstab(FSTAB);
    let lines: Vec<_> = table.entries().iter().map(|entry| entry.line).collect();
    assert_eq!(lines, [2, 3, 4, 6]);
    let site = table.entry_at(3).expect("entry");
    assert_eq!(site.mount_point, b"/srv/my site");
    assert_eq!(site.option("commit").and_then(|option| option.value.as_deref()), Some(&b"30"[..]));
    assert_eq!(site.option("noatime").map(|option| &option.value), Some(&None));
    assert_eq!((site.dump, site.pass), (Some(0), Some(2)));
    assert_eq!(
        table.entry_at(4).and_then(|entry| entry.option("nconnect")?.value.clone()),
        Some(b"4".to_vec())
    );
    let tmp = table.entry_at(6).expect("entry");
    assert_eq!((tmp.options_span, tmp.dump, tmp.pass), (None, None, None));
}

#[test]
fn lines_that_are_not_entries_are_counted() {
    let table = fstab("/dev/sda1 /\n/dev/sda1 / ext4 ro zero\n");
    let reasons: Vec<_> = table.problems().iter().map(|problem| (problem.line, problem.reason)).collect();
    assert_eq!(
        reasons,
        [(1, MountTableProblemReason::TooFewFields), (2, MountTableProblemReason::NotANumber)]
    );
}

#[test]
fn setting_an_option_touches_only_the_option() {
    let mut table = fstab(FSTAB);
    table.set_option(4, "nconnect", Some(b"16")).expect("set");
    table.set_option(3, "lazytime", None).expect("set");
    table.set_option(6, "size", Some(b"1g")).expect("set");
    let expected = FSTAB
        .replace("nconnect=4", "nconnect=16")
        .replace("commit=30", "commit=30,lazytime")
        .replace("tmpfs /tmp tmpfs", "tmpfs /tmp tmpfs size=1g");
    assert_eq!(table.as_bytes(), expected.as_bytes());
}

#[test]
fn removing_options_leaves_defaults_rather_than_an_empty_field() {
    let mut table = fstab(FSTAB);
    assert_eq!(table.remove_option(4, "nconnect"), Ok(2));
    assert_eq!(table.remove_option(2, "errors"), Ok(1));
    assert_eq!(table.remove_option(3, "sync"), Ok(0));
    let expected = FSTAB.replace(",nconnect=8,nconnect=4", "").replace("errors=remount-ro", "defaults");
    assert_eq!(table.as_bytes(), expected.as_bytes());
}

#[test]
fn edits_that_would_not_be_one_option_are_refused() {
    let mut table = fstab(FSTAB);
    assert!(table.set_option(1, "noatime", None).is_err());
    assert!(table.set_option(2, "a,b", None).is_err());
    assert!(table.set_option(2, "a=b", None).is_err());
    assert!(table.set_option(2, "", None).is_err());
    assert!(table.set_option(2, "a", Some(b"b,c")).is_err());
    table.set_option(2, "x-note", Some(b"two words\n")).expect("escaped");
    let expected = FSTAB.replace("errors=remount-ro", r"errors=remount-ro,x-note=two\040words\012");
    assert_eq!(table.as_bytes(), expected.as_bytes());
}

#[test]
fn an_unclosed_quote_in_the_field_is_refused_rather_than_written_into() {
    let mut table = fstab("/dev/sda1 / ext4 ro,context=\"a 0 1\n");
    let error = table.set_option(1, "noatime", None).expect_err("inside the quotes");
    assert!(error.to_string().contains("never closes a double quote"));
    table.set_option(1, "context", Some(b"a")).expect("replaces the quote");
    assert_eq!(table.as_bytes(), b"/dev/sda1 / ext4 ro,context=a 0 1\n");
}

#[test]
fn a_comma_in_double_quotes_does_not_separate_options() {
    let table = fstab("/dev/sda1 / ext4 ro,context=\"a:b,c1\",noatime 0 1\n");
    let names: Vec<_> = table.entries()[0].options.iter().map(|option| option.name.as_slice()).collect();
    assert_eq!(names, [&b"ro"[..], b"context", b"noatime"]);
}

#[test]
fn proc_mounts_has_no_comments_and_keeps_an_empty_device() {
    let text = "#odd /mnt tmpfs rw 0 0\n /srv tmpfs rw,relatime 0 0\n";
    let table = MountTable::new("/proc/mounts", text, MountTableDialect::ProcMounts);
    let devices: Vec<_> = table.entries().iter().map(|entry| entry.device.as_slice()).collect();
    assert_eq!(devices, [&b"#odd"[..], b""]);
    assert_eq!(table.entries()[1].mount_point, b"/srv");
}

#[test]
fn only_three_octal_digits_up_to_377_are_an_escape() {
    assert_eq!(unescape_octal(br"a\040b\134\11\777\"), b"a b\\\\11\\777\\");
}

#[test]
fn headings_of_mountstats_are_read_and_other_lines_are_not() {
    let nfs = parse_mountstats_device(
        b"device nas:/export mounted on /mnt/my\\040www with fstype nfs4 statvers=1.1",
    )
    .expect("heading");
    assert_eq!(nfs.device.as_deref(), Some(&b"nas:/export"[..]));
    assert_eq!(nfs.mount_point, b"/mnt/my www");
    assert_eq!((nfs.fstype.as_slice(), nfs.statistics.as_slice()), (&b"nfs4"[..], &b"statvers=1.1"[..]));
    let none = parse_mountstats_device(b"no device mounted on / with fstype rootfs").expect("heading");
    assert_eq!((none.device, none.fstype), (None, b"rootfs".to_vec()));
    assert_eq!(parse_mountstats_device(b"\topts:\trw,vers=4.2"), None);
}
