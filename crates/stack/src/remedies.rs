//! Remedies that several findings of one cause share.

use model::{Change, ChangeKind, Remedy};

/// One remedy of several that do not exclude each other. Alternatives stay remedies of their own.
///
/// A kernel parameter that more than one of them sets gets the largest value, as each only needs it to be large enough.
pub(crate) fn together(remedies: impl IntoIterator<Item = Remedy>) -> Option<Remedy> {
    let mut remedies = remedies.into_iter();
    let mut first = remedies.next()?;
    let mut more = 0;
    for remedy in remedies {
        more += 1;
        if !first.moves.contains(&remedy.moves) {
            first.moves = format!("{}; {}", first.moves, remedy.moves);
        }
        remedy.changes.into_iter().for_each(|change| add(&mut first.changes, change));
    }
    if more > 0 {
        first.title = format!("{}, and {more} more", first.title);
    }
    Some(first)
}

fn add(changes: &mut Vec<Change>, change: Change) {
    let Some(change) = into_the_same_file(changes, change) else { return };
    let number = |change: &Change| change.target.value.parse::<i128>().ok();
    let is_sysctl = matches!(change.what, ChangeKind::Sysctl { .. });
    match changes.iter_mut().find(|other| is_sysctl && other.what == change.what) {
        Some(other) if number(other) < number(&change) => *other = change,
        Some(_) => {}
        None => changes.push(change),
    }
}

/// Joins a change with another of the same file, unless one of them is for a person to make; gives it back if there is none.
fn into_the_same_file(changes: &mut [Change], change: Change) -> Option<Change> {
    let ChangeKind::File { path, edit, edits } = &change.what else { return Some(change) };
    for other in changes.iter_mut() {
        let ChangeKind::File { path: own, edit: own_edit, edits: own_edits } = &mut other.what else {
            continue;
        };
        if own != path || own_edits.is_empty() || edits.is_empty() {
            continue;
        }
        let new: Vec<_> = edits.iter().filter(|edit| !own_edits.contains(edit)).cloned().collect();
        if new.is_empty() {
            return None;
        }
        own_edits.extend(new);
        *own_edit = format!("{own_edit}; {edit}");
        if other.target != change.target {
            other.target.value = format!("{}; {}", other.target.value, change.target.value);
            other.target.inputs.extend(change.target.inputs);
        }
        other.current = other.current.take().zip(change.current).map(|(own, new)| format!("{own}; {new}"));
        return None;
    }
    Some(change)
}

#[cfg(test)]
mod tests {
    use model::Derived;

    use super::*;

    #[test]
    fn a_parameter_that_two_remedies_raise_is_raised_once_and_to_the_larger() {
        let raise = |value| {
            let change = Change::sysctl("net.core.somaxconn", None, Derived::new(value, "f"));
            Remedy::new(format!("raise to {value}"), "overflows stop").change(change)
        };
        let one = together([raise(512), raise(4096), raise(1024)]).unwrap();
        assert_eq!((one.title.as_str(), one.moves.as_str()), ("raise to 512, and 2 more", "overflows stop"));
        let values: Vec<_> = one.changes.iter().map(|change| change.target.value.as_str()).collect();
        assert_eq!(values, ["4096"]);
        assert_eq!(together([]), None);
    }

    #[test]
    fn edits_of_one_file_are_one_change() {
        let edit = |section: &str, path: &str| {
            let edits = vec![model::Edit::Ini {
                section: Some(section.to_owned()),
                key: "pm.max_children".to_owned(),
                value: Some("9".to_owned()),
            }];
            let what = ChangeKind::File { path: path.to_owned(), edit: format!("[{section}]"), edits };
            Remedy::new(section, "it moves").change(Change::new(
                what,
                Some("5".to_owned()),
                Derived::new(9, "f"),
            ))
        };
        let one =
            together([edit("www", "/a"), edit("shop", "/a"), edit("www", "/a"), edit("www", "/b")]).unwrap();
        let [ChangeKind::File { edits, edit, .. }, ChangeKind::File { path, .. }] =
            [&one.changes[0].what, &one.changes[1].what]
        else {
            panic!("two files")
        };
        assert_eq!(
            (edits.len(), edit.as_str(), path.as_str(), one.changes.len()),
            (2, "[www]; [shop]", "/b", 2)
        );
    }
}
