use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use model::Edit;
use tempfile::TempDir;

use super::*;
use crate::Contents;
use crate::own_namespaces::run;

fn at(folder: &TempDir, name: &str) -> (String, File) {
    let path = folder.path().canonicalize().unwrap().join(name).to_str().unwrap().to_owned();
    (path.clone(), File { path })
}

fn made(folder: &TempDir, name: &str, contents: &str) -> (String, File) {
    let (path, file) = at(folder, name);
    fs::write(&path, contents).unwrap();
    (path, file)
}

fn swappiness(value: &str) -> Action {
    let (key, value) = ("vm.swappiness".to_owned(), Some(value.to_owned()));
    Action::Edit { edits: vec![Edit::Sysctl { key, value, line: None }] }
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn a_file_is_put_back_with_its_bytes_owner_mode_attributes_and_time() {
    let folder = TempDir::new().unwrap();
    let (path, file) = made(&folder, "x.conf", "vm.swappiness = 60\n");
    run("acl", &["setfacl", "-m", "u:33:rw", &path]);
    run("attr", &["setfattr", "-n", "user.note", "-v", "0xff00", &path]);
    run("coreutils", &["chown", "33:4", &path]);
    run("coreutils", &["chmod", "4750", &path]);
    run("coreutils", &["touch", "-d", "2001-02-03 04:05:06.123456789 UTC", &path]);
    let original = file.read().unwrap();
    let State::File(state) = &original else { panic!("{original:?}") };
    assert_eq!((state.uid, state.gid, state.mode), (33, 4, 0o4750));
    assert_eq!(state.modified, (981_173_106, 123_456_789));
    assert_eq!(state.attributes["user.note"], Contents(vec![0xff, 0]));
    let list = run("acl", &["getfacl", "--absolute-names", &path]);

    let wanted = file.wanted(&original, &swappiness("10")).unwrap();
    file.write(&wanted).unwrap();
    let now = file.read().unwrap();
    assert_eq!(file.normal(&now), file.normal(&wanted));
    assert_ne!(file.normal(&now), file.normal(&original));
    assert_eq!(fs::read_to_string(&path).unwrap(), "vm.swappiness = 10\n");
    assert_eq!(run("acl", &["getfacl", "--absolute-names", &path]), list);
    assert_ne!(now, wanted, "the time of modification is that of the writing");

    fs::remove_file(&path).unwrap();
    file.write(&original).unwrap();
    assert_eq!(file.read().unwrap(), original);
    assert_eq!(run("acl", &["getfacl", "--absolute-names", &path]), list);
    assert_eq!(names(folder.path()), ["x.conf"]);
}

#[test]
fn a_time_of_modification_of_zero_is_put_back_as_that() {
    let folder = TempDir::new().unwrap();
    let (path, file) = made(&folder, "x", "a\n");
    run("coreutils", &["touch", "-d", "@0", &path]);
    let original = file.read().unwrap();
    fs::write(&path, "b\n").unwrap();
    file.write(&original).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mtime(), 0);
}

#[test]
fn a_file_put_back_has_no_access_list_that_its_directory_gives_to_new_files() {
    let folder = TempDir::new().unwrap();
    let (_, file) = made(&folder, "x", "a\n");
    let original = file.read().unwrap();
    run("acl", &["setfacl", "-d", "-m", "u:33:rwx", folder.path().to_str().unwrap()]);
    file.write(&original).unwrap();
    assert_eq!(file.read().unwrap(), original);
}

#[test]
fn an_edit_that_changes_nothing_wants_the_very_state_that_is_there() {
    let folder = TempDir::new().unwrap();
    let (_, file) = made(&folder, "x", "vm.swappiness = 10\n");
    let now = file.read().unwrap();
    assert_eq!(file.wanted(&now, &swappiness("10")).unwrap(), now);
}

#[test]
fn a_new_file_takes_the_directories_away_again_that_were_made_for_it() {
    let folder = TempDir::new().unwrap();
    let (path, file) = at(&folder, "a/b.service.d/90-narrows.conf");
    let (_, second) = at(&folder, "a/c.service.d/90-narrows.conf");
    let absent = file.read().unwrap();
    let outermost = at(&folder, "a").0;
    assert_eq!(absent, State::AbsentBelow { directory: outermost.clone() });
    let second_absent = second.read().unwrap();

    let wanted = file.wanted(&absent, &swappiness("10")).unwrap();
    file.write(&wanted).unwrap();
    second.write(&wanted).unwrap();
    assert_eq!(file.normal(&file.read().unwrap()), file.normal(&wanted));
    let directory = fs::metadata(Path::new(&path).parent().unwrap()).unwrap();
    assert_eq!((directory.mode() & 0o7777, directory.uid(), directory.gid()), (0o755, 0, 0));

    second.write(&second_absent).unwrap();
    assert!(!Path::new(&outermost).join("c.service.d").exists());
    assert_eq!(file.normal(&second.read().unwrap()), file.normal(&second_absent));
    file.write(&absent).unwrap();
    assert_eq!(names(folder.path()), [""; 0]);
    assert_eq!(file.read().unwrap(), absent);
    file.write(&absent).unwrap();
}

#[test]
fn a_directory_made_for_a_file_stays_when_something_else_has_come_into_it() {
    let folder = TempDir::new().unwrap();
    let (_, file) = at(&folder, "a/b/x.conf");
    let absent = file.read().unwrap();
    file.write(&file.wanted(&absent, &swappiness("10")).unwrap()).unwrap();
    fs::write(at(&folder, "a/other.conf").0, "").unwrap();
    file.write(&absent).unwrap();
    assert_eq!(names(&folder.path().join("a")), ["other.conf"]);
}

#[test]
fn an_absent_file_leaves_its_directory_which_was_there_before() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("d")).unwrap();
    let (_, file) = at(&folder, "d/x.conf");
    let absent = file.read().unwrap();
    assert_eq!(absent, State::Absent);
    file.write(&file.wanted(&absent, &swappiness("10")).unwrap()).unwrap();
    file.write(&absent).unwrap();
    assert_eq!(names(folder.path()), ["d"]);
    file.write(&absent).unwrap();
}

#[test]
fn a_link_is_made_moved_and_taken_away_and_never_followed() {
    let folder = TempDir::new().unwrap();
    let (aim, aimed) = made(&folder, "aim", "a\n");
    let (path, link) = at(&folder, "x");
    let to = |to: &str| Action::Link { to: to.to_owned() };
    let first = link.wanted(&State::Absent, &to(&aim)).unwrap();
    link.write(&first).unwrap();
    assert_eq!(link.read().unwrap(), State::Link { to: aim.clone() });
    link.write(&link.wanted(&first, &to("/dev/null")).unwrap()).unwrap();
    assert_eq!(fs::read_link(&path).unwrap(), Path::new("/dev/null"));
    let error = link.wanted(&first, &swappiness("1")).unwrap_err();
    assert!(error.to_string().contains("it is a link to"), "{error}");
    let error = aimed.wanted(&aimed.read().unwrap(), &to("/dev/null")).unwrap_err();
    assert!(error.to_string().contains("a file stands where the link would be"), "{error}");

    link.write(&first).unwrap();
    link.write(&aimed.read().unwrap()).unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    link.write(&first).unwrap();
    link.write(&State::Absent).unwrap();
    assert_eq!(
        (names(folder.path()), fs::read_to_string(aim).unwrap()),
        (vec!["aim".to_owned()], "a\n".to_owned())
    );
}

#[test]
fn what_a_crash_left_beside_a_file_goes_with_the_next_write() {
    let folder = TempDir::new().unwrap();
    let (_, file) = made(&folder, "x", "a\n");
    let original = file.read().unwrap();
    let (stray, _) = at(&folder, ".x.narrows-new");
    fs::write(&stray, "half").unwrap();
    run("coreutils", &["chown", "33:33", &stray]);
    file.write(&original).unwrap();
    assert_eq!(names(folder.path()), ["x"]);
    symlink("/etc/passwd", &stray).unwrap();
    file.write(&original).unwrap();
    fs::write(&stray, "half").unwrap();
    file.write(&State::Absent).unwrap();
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn the_lines_of_shell_make_the_same_file_link_or_absence() {
    let folder = TempDir::new().unwrap();
    let (_, file) = at(&folder, "a/it's $HOME/x");
    let absent = file.read().unwrap();
    let contents = |text: &str| Contents(text.as_bytes().to_vec());
    let texts = ["", "a", "a\n", "\n\n", "it's\n$HOME `x` \\n %s\r\n\tä\nend", "NARROWS\n-n\n"];
    for text in texts {
        let state = State::File(FileState {
            contents: contents(text),
            uid: 33,
            gid: 4,
            mode: 0o4751,
            modified: (981_173_106, 123_456_789),
            attributes: std::collections::BTreeMap::new(),
            links: 1,
        });
        for state in [&state, &State::Link { to: "it's /dev/null".to_owned() }, &absent] {
            let lines = file.shell(state);
            assert!(lines.iter().all(|line| !line.contains('\n')));
            run("dash", &["sh", "-euc", &lines.join("\n")]);
            assert_eq!(&file.read().unwrap(), state, "{lines:#?}");
            fs::remove_file(&file.path).or_else(|_| fs::create_dir_all(&file.path)).unwrap();
            fs::remove_dir_all(at(&folder, "a").0).unwrap();
        }
    }
}

#[test]
fn bytes_that_are_no_short_text_are_named_in_shell_by_their_digest() {
    let file = File { path: "/etc/x".to_owned() };
    let state = FileState {
        contents: Contents(vec![0xff; 20]),
        uid: 0,
        gid: 0,
        mode: 0o644,
        modified: FileState::MODIFIED_BY_WRITING,
        attributes: std::collections::BTreeMap::new(),
        links: 0,
    };
    let [line] = &file.shell(&State::File(state))[..] else { panic!("one line") };
    assert!(line.starts_with("# /etc/x: 20 bytes, not given here (sha256 "), "{line}");
}
