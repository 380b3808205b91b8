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
    let number = |change: &Change| change.target.value.parse::<i128>().ok();
    let is_sysctl = matches!(change.what, ChangeKind::Sysctl { .. });
    match changes.iter_mut().find(|other| is_sysctl && other.what == change.what) {
        Some(other) if number(other) < number(&change) => *other = change,
        Some(_) => {}
        None => changes.push(change),
    }
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
}
