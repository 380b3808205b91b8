//! What strace(1) writes.

use std::collections::BTreeMap;

use super::{Count, Counts, folder, names_a_path};

/// Calls that have begun and not ended; more are of a torn file.
const MOST_BEGUN: usize = 10_000;

/// `strace -c`: `63.26    0.000916           1       693        10 newfstatat`.
pub(super) fn summary(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let (seconds, calls, errors, name) = match words[..] {
            [_, seconds, _, calls, name] => (seconds, calls, "0", name),
            [_, seconds, _, calls, errors, name] => (seconds, calls, errors, name),
            _ => continue,
        };
        let (Ok(seconds), Ok(calls), Ok(errors)) =
            (seconds.parse::<f64>(), calls.parse::<u64>(), errors.parse::<u64>())
        else {
            continue;
        };
        if name != "total" && seconds.is_finite() {
            let seen = counts
                .calls
                .entry(name.to_owned())
                .or_insert(Count { seconds: Some(0.0), ..Count::default() });
            seen.calls += calls;
            seen.errors += errors;
            seen.seconds = seen.seconds.map(|sum| sum + seconds);
        }
    }
    counts
}

/// `strace -f`, with or without `-t`, `-tt`, `-ttt`, `-r` and `-T`.
pub(super) fn lines(text: &str) -> Counts {
    let mut counts = Counts::default();
    let mut begun: BTreeMap<&str, &str> = BTreeMap::new();
    let mut span: Option<(f64, f64)> = None;
    for line in text.lines() {
        let (pid, at, rest) = head(line);
        if let Some(at) = at {
            span = Some(span.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        }
        if let Some(start) = rest.strip_suffix("<unfinished ...>") {
            if begun.len() < MOST_BEGUN {
                begun.insert(pid, start);
            }
        } else if let Some((_, end)) =
            rest.strip_prefix("<... ").and_then(|rest| rest.split_once(" resumed>"))
        {
            if let Some(start) = begun.remove(pid) {
                call(&mut counts, start, end);
            }
        } else {
            call(&mut counts, rest, rest);
        }
    }
    counts.seconds = span.map(|(first, last)| last - first).filter(|seconds| *seconds > 0.0);
    counts
}

/// The process, the time of day in seconds, and the call.
fn head(line: &str) -> (&str, Option<f64>, &str) {
    let mut rest = line.trim_start();
    let mut pid = "";
    if let Some((number, after)) = rest.strip_prefix("[pid").and_then(|rest| rest.split_once(']')) {
        (pid, rest) = (number.trim(), after.trim_start());
    } else if let Some((word, after)) = rest.split_once([' ', '\t'])
        && word.bytes().all(|byte| byte.is_ascii_digit())
    {
        (pid, rest) = (word, after.trim_start());
    }
    let time = rest.split_once(' ').and_then(|(word, after)| Some((seconds(word)?, after)));
    match time {
        Some((at, after)) => (pid, Some(at), after.trim_start()),
        None => (pid, None, rest),
    }
}

/// `22:07:32.377853`, or seconds since 1970 with a fraction.
fn seconds(word: &str) -> Option<f64> {
    if !word.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let mut sum = 0.0;
    for part in word.split(':') {
        sum = sum * 60.0 + part.parse::<f64>().ok().filter(|part| part.is_finite())?;
    }
    (word.contains(':') || word.contains('.')).then_some(sum)
}

/// One call: how it began, and how it ended (` = -1 ENOENT (…) <0.000006>`).
fn call(counts: &mut Counts, start: &str, end: &str) {
    let Some((name, arguments)) = start.split_once('(') else { return };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let Some((_, result)) = end.rsplit_once(" = ") else { return };
    if name.is_empty() || !name.bytes().all(plain) {
        return;
    }
    let took = result.rsplit_once('<').and_then(|(_, took)| took.strip_suffix('>')?.parse::<f64>().ok());
    counts.add(name, result.starts_with('-'), took.filter(|took| took.is_finite()));
    if !names_a_path(name) || arguments.contains("AT_EMPTY_PATH") || end.contains("AT_EMPTY_PATH") {
        return;
    }
    let missing = result.starts_with("-1 ENOENT");
    counts.add_path(missing);
    if let (true, Some(path)) = (missing, quoted(arguments)) {
        *counts.missing_below.entry(folder(path).to_owned()).or_default() += 1;
    }
}

/// The first string of some arguments, as written.
fn quoted(arguments: &str) -> Option<&str> {
    let (_, rest) = arguments.split_once('"')?;
    let mut escaped = false;
    let end = rest.find(|letter| {
        let is_end = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        is_end
    })?;
    rest.get(..end)
}
