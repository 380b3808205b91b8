//! One change for what several causes ask for.

use model::{Change, ChangeKind, Derived, DirectiveEdit, Edit, Presence};

use super::Refusal;
use super::choose::Wish;

/// How two wishes stand to each other.
enum Relation {
    /// They write to different things.
    Apart,
    /// They ask for the same.
    Same,
    /// One change does for both.
    Together(Box<Change>),
    /// They cannot both be had.
    Against,
}

/// Joins wishes about the same thing. The more severe come first and stay; a wish that contradicts one of them is
/// refused, unless both raise a number, when the larger serves both.
pub(super) fn merge(wishes: Vec<Wish>) -> (Vec<Wish>, Vec<Refusal>) {
    let mut kept: Vec<Wish> = Vec::new();
    let mut refused = Vec::new();
    for wish in wishes {
        let related = kept.iter_mut().find_map(|kept| match relation(&kept.change, &wish.change) {
            Relation::Apart => None,
            relation => Some((kept, relation)),
        });
        match related {
            None => kept.push(wish),
            Some((kept, Relation::Against)) => refused.push(against(kept, wish)),
            Some((kept, relation)) => {
                if let Relation::Together(change) = relation {
                    kept.change = *change;
                }
                let new = wish.causes.into_iter().filter(|cause| !kept.causes.contains(cause));
                let new: Vec<_> = new.collect();
                kept.causes.extend(new);
            }
        }
    }
    (kept, refused)
}

fn against(kept: &Wish, wish: Wish) -> Refusal {
    let (stronger, cause) = (kept.causes.join(" and "), wish.causes.join(" and "));
    Refusal {
        because: format!(
            "{stronger}, no less severe, asks for {} in the same place",
            kept.change.target.value
        ),
        causes: wish.causes,
        change: wish.change,
        owner: None,
        instead: format!("apply the plan and check again; or choose another remedy: --remedy {cause}=NUMBER"),
    }
}

fn relation(kept: &Change, wish: &Change) -> Relation {
    match (&kept.what, &wish.what) {
        (
            ChangeKind::Mount { mount_point: left, set: kept_set, remove: kept_remove },
            ChangeKind::Mount { mount_point: right, set, remove },
        ) if left == right => {
            let subject = |option: &String| option.split('=').next().unwrap_or_default().to_owned();
            let removed = |option: &String, remove: &[String]| remove.contains(&subject(option));
            let torn = set.iter().any(|option| removed(option, kept_remove))
                || kept_set.iter().any(|option| removed(option, remove));
            let (Some(set), false) = (joined(kept_set, set, subject), torn) else { return Relation::Against };
            let remove = joined(kept_remove, remove, String::clone).unwrap_or_default();
            let what = ChangeKind::Mount { mount_point: left.clone(), set, remove };
            together(kept, wish, what)
        }
        (
            ChangeKind::Unit { name: left, settings: kept_settings },
            ChangeKind::Unit { name: right, settings },
        ) if left == right => {
            let subject = |setting: &String| setting.split('=').next().unwrap_or_default().to_owned();
            match joined(kept_settings, settings, subject) {
                Some(settings) => together(kept, wish, ChangeKind::Unit { name: left.clone(), settings }),
                None => larger(kept, wish),
            }
        }
        (
            ChangeKind::File { path: left, edits: kept_edits, .. },
            ChangeKind::File { path: right, edits, .. },
        ) if left == right => files(kept, wish, kept_edits, edits),
        (
            ChangeKind::SqlVariable { server: left, name: kept_name, .. },
            ChangeKind::SqlVariable { server: right, name, .. },
        ) if left == right && kept_name == name => match kept.target.value == wish.target.value {
            true => Relation::Same,
            false => larger(kept, wish),
        },
        (left, right) if left != right => Relation::Apart,
        _ if words(&kept.target.value) == words(&wish.target.value) => Relation::Same,
        _ => larger(kept, wish),
    }
}

fn files(kept: &Change, wish: &Change, left: &[Edit], right: &[Edit]) -> Relation {
    if right.iter().all(|edit| left.contains(edit)) {
        return Relation::Same;
    }
    let disagrees = |edit: &Edit| left.iter().any(|kept| subject(kept) == subject(edit) && kept != edit);
    if !right.iter().any(disagrees) {
        return Relation::Apart;
    }
    match (left, right) {
        ([_], [_]) => larger(kept, wish),
        _ => Relation::Against,
    }
}

/// Both lists; `None` where they say different things of one subject.
fn joined(left: &[String], right: &[String], subject: impl Fn(&String) -> String) -> Option<Vec<String>> {
    let mut all = left.to_vec();
    for item in right {
        match all.iter().find(|kept| subject(kept) == subject(item)) {
            Some(kept) if kept == item => {}
            Some(_) => return None,
            None => all.push(item.clone()),
        }
    }
    Some(all)
}

fn together(kept: &Change, wish: &Change, what: ChangeKind) -> Relation {
    if kept.what == what {
        return Relation::Same;
    }
    let value = format!("{} and {}", kept.target.value, wish.target.value);
    let formula = format!("{}; {}", kept.target.formula, wish.target.formula);
    let inputs = [kept.target.inputs.clone(), wish.target.inputs.clone()].concat();
    let target = Derived { value, formula, inputs };
    Relation::Together(Box::new(Change { what, target, ..kept.clone() }))
}

/// The larger of two numbers that both raise the present one: a queue as long as the longest need serves all.
fn larger(kept: &Change, wish: &Change) -> Relation {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let now = kept.current.as_deref().or(wish.current.as_deref()).and_then(number);
    match (now, number(&kept.target.value), number(&wish.target.value)) {
        (Some(now), Some(left), Some(right)) if left > now && right > now => {
            if right > left {
                Relation::Together(Box::new(wish.clone()))
            } else {
                Relation::Same
            }
        }
        _ => Relation::Against,
    }
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// An edit without what it makes of its subject, so that two edits of one setting are equal.
fn subject(edit: &Edit) -> Edit {
    let mut edit = edit.clone();
    match &mut edit {
        Edit::Sysctl { value, .. }
        | Edit::Ini { value, .. }
        | Edit::OptionFile { value, .. }
        | Edit::Systemd { value, .. }
        | Edit::PhpConstant { value, .. } => *value = None,
        Edit::Haproxy { arguments, .. } => *arguments = None,
        Edit::Fstab { to, .. } => *to = Presence::Removed,
        Edit::Nginx { to: DirectiveEdit::Parameter { value, .. }, .. } => value.clear(),
        Edit::Nginx { to: DirectiveEdit::OneMore { .. }, .. } => {}
        Edit::Nginx { to: DirectiveEdit::Block { lines, .. }, .. } => *lines = None,
        Edit::Nginx { to, .. } => *to = DirectiveEdit::Removed,
        Edit::Block { lines, .. } => *lines = None,
        Edit::ShellVariable { .. } => {}
        Edit::Line { present, .. } => *present = true,
    }
    edit
}
