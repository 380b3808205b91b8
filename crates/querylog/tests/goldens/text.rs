//! The text reports, line by line: words and numbers, whatever the width of columns.

use querylog::report::{Limit, Options, Outliers, toolkit};

use crate::logs::{digest, golden};

/// Lines that say something of the log, as words. Statements are left out, and what is said of them for `EXPLAIN`.
fn lines(report: &str) -> Vec<String> {
    let said = report.lines().filter(|line| line.starts_with("# ") && !line.starts_with("# ==="));
    let said = said.filter(|line| {
        !["# Files", "# Converted", "# EXPLAIN", "# Rank"].iter().any(|start| line.starts_with(start))
    });
    said.map(|line| line.trim_end_matches('_').split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Equal, but for the place of a record: there it begins at its `#` or behind it, depending on the record before.
fn is_same(our: &str, their: &str) -> bool {
    fn split(line: &str) -> Option<(&str, u64)> {
        let (said, place) = line.split_once(" at byte ")?;
        Some((said, place.parse().ok()?))
    }
    match (split(our), split(their)) {
        (Some((our, place)), Some((their, other))) => our == their && place.abs_diff(other) <= 1,
        _ => our == their,
    }
}

fn check(name: &str, sparse: &[&str]) {
    let options = Options {
        limit: Limit::First(20),
        outliers: Some(Outliers::default()),
        show_literals: true,
        ..Options::default()
    };
    let ours = lines(&toolkit::render(&digest(name), &options));
    let theirs = lines(&golden(name, "txt"));
    let is_sparse = |line: &&String| sparse.iter().any(|label| line.starts_with(&format!("# {label} ")));
    let (mut differ, mut lost) = (Vec::new(), 0);
    let mut theirs = theirs.iter().peekable();
    let mut ours = ours.iter().peekable();
    let mut compared = 0;
    while let (Some(our), their) = (ours.next(), theirs.peek()) {
        compared += 1;
        if their.is_some_and(|their| is_same(our, their)) {
            theirs.next();
        } else if is_sparse(&our) && their.is_none_or(|their| !is_sparse(their)) {
            lost += 1;
        } else {
            differ.push(format!("ours {our:?}, theirs {their:?}"));
            theirs.next();
        }
    }
    differ.extend(theirs.map(|line| format!("ours nothing, theirs {line:?}")));
    let shown: Vec<_> = differ.iter().take(20).collect();
    assert!(shown.is_empty(), "{} of {compared} lines of {name} differ: {shown:#?}", differ.len());
    println!("{name}: {compared} lines equal but {lost} of attributes lost there");
}

#[test]
fn reports_in_its_layout_say_what_pt_query_digest_says() {
    check("mysql8_4", &[]);
    check("mysql8extra_4", &[]);
    check("percona_4", &[]);
}

#[test]
fn reports_on_mariadb_in_its_layout_say_what_pt_query_digest_says() {
    check("mariadb_4nr", &["Tmp disk tbl", "Tmp tbl size", "Tmp tables"]);
    check("mariadb-full_4nr", &["Tmp disk tbl", "Tmp tbl size", "Tmp tables"]);
}
