//! Lines of option files that a server of this version refuses, ignores, or will not take for long.

use super::OptionLine;
use super::version_facts::{self, Standing};
use super::view::View;

/// A line, and what stands in its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) line: &'a OptionLine,
    pub(crate) instead: Option<&'static str>,
}

impl Known<'_> {
    /// `instead: innodb_redo_log_capacity`.
    pub(crate) fn advice(&self) -> String {
        self.instead
            .map_or_else(|| "nothing stands in its place".to_owned(), |name| format!("instead: {name}"))
    }
}

/// The lines of a server's option files that stand so with its version; those that are overridden as well, for they are read
/// all the same.
pub(crate) fn lines<'a>(view: &View<'a>, wanted: Standing) -> Vec<Known<'a>> {
    let (flavor, Some(version)) = (view.server.flavor, view.server.version) else { return vec![] };
    let found = view.server.settings.iter().filter_map(|line| {
        // A server only warns of an option with this prefix that it does not know.
        let loose = line.name.strip_prefix("loose_");
        let fact = version_facts::known(flavor, loose.unwrap_or(&line.name))?;
        let standing = fact.standing(version);
        let counts = standing == wanted && !(standing == Standing::Refused && loose.is_some());
        counts.then_some(Known { line, instead: fact.renamed_to })
    });
    found.collect()
}
