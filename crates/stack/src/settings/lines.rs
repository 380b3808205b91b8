//! Compares what files set with what the kernel has.

use model::{Layered, Missing, Observation};

use super::Persisted;
use crate::Evidence;

/// What the files set.
///
/// # Errors
/// What is missing, when no file of sysctl.d(5) was read.
pub fn assignments(evidence: &Evidence) -> Result<&[Persisted], Missing> {
    match &evidence.settings.persisted {
        Layered::Facts(persisted) => Ok(persisted),
        Layered::Unread(unread) => Err(unread.missing("the files of sysctl.d(5)")),
    }
}

/// A value without what was meant as a comment after it, blanks turned to one space.
pub fn bare(value: &str) -> String {
    let words = value.split_whitespace().enumerate();
    let words = words.take_while(|(index, word)| *index == 0 || !word.starts_with(['#', ';']));
    words.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

/// Whether two values mean the same: word by word, numbers by their value.
pub fn same(one: &str, other: &str) -> bool {
    let (one, other) = (bare(one), bare(other));
    let number = |word: &str| word.parse::<i128>().ok();
    let equal = |(a, b): (&str, &str)| a == b || number(a).is_some_and(|a| Some(a) == number(b));
    one.split(' ').count() == other.split(' ').count() && one.split(' ').zip(other.split(' ')).all(equal)
}

/// Whether a value is one or several numbers: the kernel reads those up to the blank before a comment, but takes the
/// comment into a name (measured on Linux 6.18; `do_proc_dointvec` against `proc_tcp_congestion_control`).
pub fn is_numeric(value: &str) -> bool {
    bare(value).split(' ').all(|word| word.parse::<i128>().is_ok())
}

/// Whether the distribution brings this file, so that a file of the operator is meant to win over it.
pub fn is_vendors(file: &str) -> bool {
    file.starts_with("/usr/") || file.starts_with("/lib/")
}

/// Where an assignment stands, as `file:line`.
pub fn place(entry: &Persisted) -> String {
    format!("{}:{}", entry.file, entry.line)
}

/// An assignment as an observation.
pub fn seen(entry: &Persisted) -> Observation {
    Observation::new(place(entry), entry.key.clone(), entry.value.clone())
}

/// The assignment of a key that has effect.
pub fn in_effect<'a>(persisted: &'a [Persisted], key: &str) -> Option<&'a Persisted> {
    persisted.iter().rev().find(|entry| entry.key == key && !entry.overridden)
}

/// The first of several and how many more there are.
pub fn first_and_more(mut lines: Vec<String>) -> String {
    let more = lines.len().saturating_sub(1);
    lines.truncate(1);
    let first = lines.pop().unwrap_or_default();
    if more == 0 { first } else { format!("{first}, and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_by_meaning() {
        assert!(same("4096\t131072  6291456", "4096 131072 6291456 # autotuned"));
        assert!(same("010", "10"));
        assert!(!same("1024 65535", "1024"));
        assert!(!same("bbr", "cubic"));
    }

    #[test]
    fn a_comment_begins_a_word_of_its_own() {
        assert_eq!(bare("|/bin/core#1 %p"), "|/bin/core#1 %p");
        assert_eq!(bare("65535 # deep"), "65535");
        assert_eq!(bare("  "), "");
    }

    #[test]
    fn only_the_first_of_many_is_named() {
        assert_eq!(first_and_more(vec!["a".into(), "b".into(), "c".into()]), "a, and 2 more");
        assert_eq!(first_and_more(vec![]), "");
    }
}
