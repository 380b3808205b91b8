use super::*;
use crate::All;
use std::io::Write;

fn event(number: u32) -> String {
    format!(
        "# User@Host: a[a] @ h []\n# Query_time: {number}.5  Lock_time: 0\nSET timestamp={number};\nSELECT {number} FROM t;\n"
    )
}

fn events(numbers: std::ops::Range<u32>) -> String {
    numbers.map(event).collect()
}

fn settings() -> Settings {
    Settings { threads: 2, chunk_bytes: 1000, ..Settings::default() }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn packed_logs_of_several_members_plain_ones_and_saved_digests_are_all_digested() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.log"), events(0..10)).unwrap();
    std::fs::write(path("b.log.1"), [gzip(&events(10..20)), gzip(&events(20..30))].concat()).unwrap();
    let zstd = |text: String| zstd::encode_all(text.as_bytes(), 1).unwrap();
    std::fs::write(path("c.zst"), [zstd(events(30..35)), zstd(events(35..40))].concat()).unwrap();
    let saved = digest(&[path("a.log")], &settings(), &All).unwrap();
    std::fs::write(path("d.nd"), saved::save(&saved, saved::Samples::Whole).unwrap()).unwrap();
    let paths = ["a.log", "b.log.1", "c.zst", "d.nd", "a.log"].map(path);
    let whole = digest(&paths, &settings(), &All).unwrap();
    assert_eq!((whole.events, whole.files.len()), (60, 5));
    assert_eq!(whole.files[1].log_bytes, events(10..30).len() as u64);
    assert_ne!(whole.files[1].bytes, whole.files[1].log_bytes);
    assert_eq!(whole.files[4].bytes, events(0..10).len() as u64);
    assert_eq!(whole.classes()[0].worst().unwrap().file, 2);
    assert_eq!(whole.problems.iter().count(), 0);
}

#[test]
fn a_packed_log_that_is_cut_short_counts_as_far_as_it_goes_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log.gz");
    let packed = gzip(&events(0..5000));
    std::fs::write(&path, &packed[..packed.len() / 2]).unwrap();
    let whole = digest(&[path], &settings(), &All).unwrap();
    assert!(whole.events > 1000 && whole.events < 4000, "{}", whole.events);
    assert!(whole.files[0].error.is_some());
    assert_eq!(whole.problems.of(Problem::DamagedCompression).times, 1);
}

#[test]
fn what_is_not_there_is_an_error_that_names_it() {
    let error = digest(&["/nowhere/slow.log".into()], &settings(), &All).unwrap_err();
    assert!(error.to_string().starts_with("could not open /nowhere/slow.log: "), "{error}");
}

#[test]
fn a_log_is_followed_through_rotation_by_renaming_and_by_cutting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("slow.log");
    std::fs::write(&path, events(0..3)).unwrap();
    let settings = settings();
    let mut follow = Follow::open(&path, Start::Beginning, &settings, &All).unwrap();
    let append = |text: &str| {
        std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    };
    follow.poll().unwrap();
    follow.settle();
    assert_eq!(follow.take().events, 3);
    let more = events(3..6);
    let (start, end) = more.split_at(40);
    append(start);
    follow.poll().unwrap();
    follow.settle();
    assert_eq!(follow.take().events, 0);
    append(end);
    follow.poll().unwrap();
    follow.settle();
    assert_eq!(follow.take().events, 3);

    std::fs::rename(&path, folder.path().join("slow.log.1")).unwrap();
    let mut old = std::fs::OpenOptions::new().append(true).open(folder.path().join("slow.log.1")).unwrap();
    old.write_all(event(6).as_bytes()).unwrap();
    follow.poll().unwrap();
    append(&events(7..9));
    follow.poll().unwrap();
    follow.settle();
    assert_eq!(follow.take().events, 3);

    std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
    follow.poll().unwrap();
    append(&event(9));
    follow.poll().unwrap();
    follow.settle();
    let last = follow.take();
    assert_eq!((last.events, last.problems.iter().count()), (1, 0));
}
