//! Edits of the files of sysctl.d(5) that remedies propose.

use std::collections::BTreeMap;

use model::{Change, ChangeKind, Derived, Edit};

use super::Persisted;
use super::lines::{bare, is_vendors, place, same};
use crate::Evidence;

/// What the files have instead, once a line is deleted.
const GONE: &str = "no such line";

/// A parameter that goes back to the kernel's own value: the value now, and the lines that would bring the other one
/// back at boot.
///
/// No file keeps the kernel's own value, unless a file of the distribution sets another one.
pub fn restore(evidence: &Evidence, key: &str, change: Change) -> Vec<Change> {
    let Some(persisted) = evidence.settings.persisted.facts() else { return vec![change] };
    let others = persisted
        .iter()
        .filter(|entry| entry.key == key && !entry.not_read && !same(&entry.value, &change.target.value));
    let (vendors, own): (Vec<_>, Vec<_>) = others.partition(|entry| is_vendors(&entry.file));
    let change = match (vendors.is_empty(), own.is_empty()) {
        (true, true) => change.persists_by("none is needed: no file sets another value at boot"),
        (true, false) => change.persists_by("the deletion of what sets it at boot"),
        (false, _) => change,
    };
    let mut changes = vec![change];
    changes.extend(delete(persisted, &own, "the kernel's own value holds where no line sets another"));
    changes
}

/// Lines that go, one change for each file. Files of the distribution are left to a person: an update brings them back.
pub fn delete(persisted: &[Persisted], entries: &[&Persisted], formula: &str) -> Vec<Change> {
    let one = |(file, entries): (&str, Vec<&Persisted>)| {
        let named: Vec<_> =
            entries.iter().map(|entry| format!("line {} ({})", entry.line, entry.key)).collect();
        let edits = entries.iter().map(|entry| edit(persisted, entry, None)).collect();
        let words = format!("delete {}", named.join(", "));
        file_change(file, words, edits, &entries, Derived::new(GONE, formula))
    };
    by_file(entries).into_iter().map(one).collect()
}

/// Whether a change is one of the file that a line stands in.
pub fn is_in(change: &Change, entry: &Persisted) -> bool {
    matches!(&change.what, ChangeKind::File { path, .. } if *path == entry.file)
}

/// Lines that are written anew with the value alone, one change for each file.
pub fn clean(persisted: &[Persisted], entries: &[&Persisted]) -> Vec<Change> {
    let one = |(file, entries): (&str, Vec<&Persisted>)| {
        let alone: Vec<_> =
            entries.iter().map(|entry| format!("{} = {}", entry.key, bare(&entry.value))).collect();
        let written = Derived::new(alone.join("; "), "the assignment alone, without the comment behind it");
        let target =
            entries.iter().fold(written, |target, entry| target.input("line", &entry.value, &place(entry)));
        let lines: Vec<_> = entries.iter().map(|entry| entry.line.to_string()).collect();
        let words = format!("take the comment behind the value out of line {}", lines.join(", "));
        let edits = entries.iter().map(|entry| edit(persisted, entry, Some(bare(&entry.value)))).collect();
        file_change(file, words, edits, &entries, target)
    };
    by_file(entries).into_iter().map(one).collect()
}

/// The last line of a file comes first, so that the numbers of those above it stay right.
fn by_file<'a>(entries: &[&'a Persisted]) -> BTreeMap<&'a str, Vec<&'a Persisted>> {
    let mut files: BTreeMap<&str, Vec<&Persisted>> = BTreeMap::new();
    for entry in entries {
        files.entry(&entry.file).or_default().push(entry);
    }
    files.values_mut().for_each(|entries| entries.sort_by_key(|entry| std::cmp::Reverse(entry.line)));
    files
}

/// A line is named by its key alone where it is the only one of its file, so that edits above it do not matter.
fn edit(persisted: &[Persisted], entry: &Persisted, value: Option<String>) -> Edit {
    let same = persisted.iter().filter(|other| other.file == entry.file && other.key == entry.key);
    let line = (same.count() > 1).then_some(entry.line);
    Edit::Sysctl { key: entry.key.clone(), value, line }
}

fn file_change(
    file: &str,
    edit: String,
    edits: Vec<Edit>,
    entries: &[&Persisted],
    target: Derived,
) -> Change {
    let edits = if is_vendors(file) { vec![] } else { edits };
    let now: Vec<_> = entries.iter().map(|entry| format!("{} = {}", entry.key, entry.value)).collect();
    Change::new(ChangeKind::File { path: file.to_owned(), edit, edits }, Some(now.join("; ")), target)
        .persists_by(file)
        .restarts("none; files are read at boot and by systemd-sysctl")
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    const KEY: &str = "net.core.optmem_max";

    fn restored(files: &[(&str, &str)]) -> Vec<(String, Vec<Edit>, String)> {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/stat", "cpu 4 4 4 4\ncpu0 4 4 4 4\n");
        files.iter().for_each(|(path, text)| tree.put(0, path, *text));
        let evidence = crate::reading::read_tree(&tree).unwrap();
        let change = Change::sysctl(KEY, None, Derived::new(20_480, "the kernel's own"));
        let changes = restore(&evidence, KEY, change).into_iter();
        changes
            .map(|change| match change.what {
                ChangeKind::File { path, edits, .. } => (path, edits, change.persistence),
                _ => (String::new(), vec![], change.persistence),
            })
            .collect()
    }

    fn gone(line: Option<u32>) -> Edit {
        Edit::Sysctl { key: KEY.to_owned(), value: None, line }
    }

    #[test]
    fn every_line_that_would_bring_a_value_back_goes_with_it() {
        let changes = restored(&[
            ("/etc/sysctl.d/10-a.conf", "net.core.optmem_max = 1\n"),
            (
                "/etc/sysctl.d/99-b.conf",
                "# b\nnet.core.optmem_max = 2\nvm.swappiness = 1\nnet.core.optmem_max = 3\n",
            ),
        ]);
        assert_eq!(changes[0].2, "the deletion of what sets it at boot");
        assert_eq!((changes[1].0.as_str(), &changes[1].1), ("/etc/sysctl.d/10-a.conf", &vec![gone(None)]));
        assert_eq!(
            (changes[2].0.as_str(), &changes[2].1),
            ("/etc/sysctl.d/99-b.conf", &vec![gone(Some(4)), gone(Some(2))])
        );
    }

    #[test]
    fn a_value_that_the_distribution_would_bring_back_is_kept_away_by_a_file_of_its_own() {
        let vendors = [("/usr/lib/sysctl.d/50-x.conf", "net.core.optmem_max = 1\n")];
        let changes = restored(&vendors);
        assert_eq!((changes.len(), changes[0].2.as_str()), (1, "/etc/sysctl.d/90-narrows.conf"));
        let nobody = restored(&[("/etc/sysctl.d/10-a.conf", "vm.swappiness = 1\n")]);
        assert!(nobody.len() == 1 && nobody[0].2.starts_with("none is needed"), "{nobody:?}");
    }
}
