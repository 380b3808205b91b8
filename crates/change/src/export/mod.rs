//! A plan in the words of other tools.

mod ansible;
mod diff;
mod files;
mod shell;

pub use ansible::ansible;
pub use diff::diff;
pub use shell::shell;

use crate::plan::PlannedChange;

/// A change in one line: what, from, to, and who asks for it.
fn headline(change: &PlannedChange) -> String {
    let target = &change.change.target.value;
    let from = match change.change.current.as_deref().map(str::trim) {
        None => String::new(),
        Some("") => "empty → ".to_owned(),
        Some(current) => format!("{current} → "),
    };
    format!("{}: {from}{target} ({})", change.id, change.causes.join(", "))
}

#[cfg(test)]
mod tests;
