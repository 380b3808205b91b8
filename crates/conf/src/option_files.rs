//! Option files in the order in which programs of MariaDB and MySQL read them, includes and all.
//!
//! The rules are those of `search_default_file_with_ext` in mysys/my_default.c of MariaDB 10.11: what a line includes is read
//! right there, a folder's `.cnf` files by name, and the group of the outer file goes on after it.

use std::sync::Arc;

use crate::{Problem, Setting, SettingsDialect, SettingsDocument};

/// How deep files may include each other (`max_recursion_level`).
const DEEPEST: usize = 10;
/// More files than these are no configuration.
const MOST_FILES: usize = 256;

/// Who reads files for [`OptionFiles::read`].
pub trait OptionFileSource {
    /// The bytes of a file; `None` where it cannot be read.
    fn file(&mut self, path: &str) -> Option<Vec<u8>>;
    /// The names in a folder; none where it cannot be listed.
    fn names(&mut self, folder: &str) -> Vec<String>;
}

/// What option files say, in the order in which it is read: of one option in two places the later counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OptionFiles {
    /// The files that were read, in the order in which their reading began.
    pub files: Vec<Arc<str>>,
    /// Every option of every group.
    pub settings: Vec<Setting>,
    /// Lines that are not understood.
    pub problems: Vec<Problem>,
}

impl OptionFiles {
    /// Reads files and all that they include. What cannot be read is left out, as those programs do.
    pub fn read(first: &[String], source: &mut dyn OptionFileSource) -> Self {
        let mut all = Self::default();
        for path in first {
            all.take(path, 0, source);
        }
        all
    }

    fn take(&mut self, path: &str, depth: usize, source: &mut dyn OptionFileSource) {
        if depth >= DEEPEST || self.files.len() >= MOST_FILES {
            return;
        }
        let Some(bytes) = source.file(path) else { return };
        self.files.push(Arc::from(path));
        let document = SettingsDocument::new(path, bytes, SettingsDialect::OptionFile);
        self.problems.extend_from_slice(document.problems());
        let stop = document.problems().iter().find(|problem| problem.stops).map(|problem| problem.line);
        let mut settings = document.settings().iter().peekable();
        for line in document.document().lines() {
            if stop.is_some_and(|stop| line.number >= stop) {
                break;
            }
            while let Some(setting) = settings.next_if(|setting| setting.line <= line.number) {
                self.settings.push(setting.clone());
            }
            for included in included(line.span.of(document.as_bytes()), source) {
                self.take(&included, depth + 1, source);
            }
        }
        self.settings.extend(settings.cloned());
    }
}

/// The files that a line includes.
fn included(line: &[u8], source: &mut dyn OptionFileSource) -> Vec<String> {
    let argument = |keyword: &[u8]| {
        let rest = line.trim_ascii().strip_prefix(keyword)?;
        let path = rest.first().is_some_and(u8::is_ascii_whitespace).then(|| rest.trim_ascii())?;
        (!path.is_empty()).then(|| String::from_utf8_lossy(path).into_owned())
    };
    if let Some(folder) = argument(b"!includedir") {
        let folder = folder.trim_end_matches('/');
        let mut names = source.names(folder);
        names.retain(|name| name.ends_with(".cnf"));
        names.sort_unstable();
        return names.iter().map(|name| format!("{folder}/{name}")).collect();
    }
    argument(b"!include").into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    struct Files(BTreeMap<&'static str, &'static str>);

    impl OptionFileSource for Files {
        fn file(&mut self, path: &str) -> Option<Vec<u8>> {
            self.0.get(path).map(|text| text.as_bytes().to_vec())
        }
        fn names(&mut self, folder: &str) -> Vec<String> {
            let within =
                |path: &&'static str| path.rsplit_once('/').filter(move |(parent, _)| *parent == folder);
            self.0.keys().rev().filter_map(|path| Some(within(path)?.1.to_owned())).collect()
        }
    }

    fn read(files: &[(&'static str, &'static str)]) -> OptionFiles {
        let first = files.first().map(|(path, _)| (*path).to_owned());
        OptionFiles::read(first.as_slice(), &mut Files(files.iter().copied().collect()))
    }

    fn shown(read: &OptionFiles) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let show = |setting: &Setting| {
            let group = setting.section.as_deref().map(text).unwrap_or_default();
            format!(
                "{group}.{}={}@{}:{}",
                text(&setting.key),
                text(&setting.value),
                setting.file,
                setting.line
            )
        };
        read.settings.iter().map(show).collect()
    }

    #[test]
    fn what_a_line_includes_is_read_right_there_and_a_folder_by_name() {
        let found = read(&[
            ("/etc/my.cnf", "[mysqld]\na=1\n!includedir /etc/d/\nb=2\n  !include /etc/one\nc=3\n"),
            ("/etc/d/20.cnf", "[client]\nd=5\n"),
            ("/etc/d/10.cnf", "[server]\nd=4\n"),
            ("/etc/d/readme.txt", "[server]\ne=1\n"),
            ("/etc/one", "[mariadb]\nf"),
        ]);
        let expected = [
            "mysqld.a=1@/etc/my.cnf:2",
            "server.d=4@/etc/d/10.cnf:2",
            "client.d=5@/etc/d/20.cnf:2",
            "mysqld.b=2@/etc/my.cnf:4",
            "mariadb.f=@/etc/one:2",
            "mysqld.c=3@/etc/my.cnf:6",
        ];
        assert_eq!(shown(&found), expected);
        assert_eq!(found.files.len(), 4);
    }

    #[test]
    fn files_that_include_each_other_come_to_an_end() {
        let found = read(&[("/a", "[x]\n!include /b\n"), ("/b", "!include /a\n!include /a\n")]);
        assert!(found.files.len() <= MOST_FILES);
        assert!(read(&[("/a", "!include\n!includedirx /b\n!include /none\n")]).settings.is_empty());
    }

    #[test]
    fn a_file_that_stops_the_program_is_read_up_to_there() {
        let found = read(&[("/a", "[x]\na=1\n[y\n!include /b\n"), ("/b", "[x]\nb=1\n")]);
        assert_eq!(shown(&found), ["x.a=1@/a:2"]);
        assert_eq!(found.problems.len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            struct One(Vec<u8>);
            impl OptionFileSource for One {
                fn file(&mut self, _: &str) -> Option<Vec<u8>> {
                    Some(self.0.clone())
                }
                fn names(&mut self, _: &str) -> Vec<String> {
                    vec!["a.cnf".to_owned()]
                }
            }
            OptionFiles::read(&["/a".to_owned()], &mut One(bytes));
        }
    }
}
