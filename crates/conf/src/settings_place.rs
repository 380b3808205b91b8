//! Where a new setting goes in a file of sections.

use crate::document::{Document, Span};
use crate::settings::{LineRole, SettingsDialect, SettingsDocument};

/// The place of a new setting and how it is written there.
pub(crate) struct Place {
    /// Index of the line it goes before, from 0.
    index: usize,
    /// The lines before it: none, or a blank line and the header of a new section.
    before: Vec<Vec<u8>>,
    /// What stands between key and value.
    separator: Vec<u8>,
}

impl Place {
    pub(crate) fn insert(self, document: &mut Document, key: &str, value: Option<&[u8]>) {
        let mut line = key.as_bytes().to_vec();
        if let Some(value) = value {
            line.extend([&self.separator, value].concat());
        }
        let mut lines = self.before;
        lines.push(line);
        for (offset, line) in lines.iter().enumerate() {
            document.insert_line(self.index.saturating_add(offset), line);
        }
    }
}

/// Finds the place below the commented-out default, at the end of the section, or in a new section.
pub(crate) fn place_of_new(settings: &SettingsDocument, section: Option<&[u8]>, key: &[u8]) -> Place {
    let roles = &settings.reading().roles;
    let sections: Vec<_> =
        sections(settings).filter(|(name, ..)| settings.same_section(*name, section)).collect();
    let defaults = sections.iter().flat_map(|(_, start, end)| *start..*end);
    let default = defaults
        .filter(|index| roles.get(*index) == Some(&LineRole::Comment))
        .filter_map(|index| commented_default(settings, index, key).map(|separator| (index, separator)))
        .next_back();
    if let Some((index, separator)) = default {
        return Place { index: index.saturating_add(1), before: Vec::new(), separator };
    }
    let separator = usual_separator(settings, section);
    match sections.last() {
        Some((_, start, end)) => {
            let index = end_of_section(roles, *start, *end);
            Place { index, before: Vec::new(), separator }
        }
        None => {
            let header = [b"[", section.unwrap_or_default(), b"]"].concat();
            let blank = roles.last().is_some_and(|role| *role != LineRole::Blank).then(Vec::new);
            Place { index: roles.len(), before: blank.into_iter().chain([header]).collect(), separator }
        }
    }
}

/// The sections in order: name, index of the first line after the header, index past the last line.
fn sections(settings: &SettingsDocument) -> impl Iterator<Item = (Option<&[u8]>, usize, usize)> {
    let reading = settings.reading();
    let end_of =
        |position: usize| reading.headers.get(position).map_or(reading.roles.len(), |header| header.index);
    let first = (None, 0, end_of(0));
    let others = reading.headers.iter().enumerate();
    std::iter::once(first).chain(others.map(move |(position, header)| {
        (Some(header.name.as_slice()), header.index.saturating_add(1), end_of(position.saturating_add(1)))
    }))
}

/// The index after the last line that belongs to a section.
///
/// Blank lines at its end stay below; so do comments that touch the header of the next section, since they are
/// about that.
pub(crate) fn end_of_section(roles: &[LineRole], start: usize, end: usize) -> usize {
    let before = |mut index: usize, role: LineRole| {
        while index > start && roles.get(index.saturating_sub(1)) == Some(&role) {
            index = index.saturating_sub(1);
        }
        index
    };
    let is_last = end >= roles.len();
    before(if is_last { end } else { before(end, LineRole::Comment) }, LineRole::Blank)
}

/// Returns what stands between key and value where the line is the setting commented out.
fn commented_default(settings: &SettingsDocument, index: usize, key: &[u8]) -> Option<Vec<u8>> {
    let dialect = settings.dialect();
    let bytes = settings.as_bytes();
    let comment = settings.document().lines().get(index)?.span;
    let marks = |byte: u8| byte == b';' || (byte == b'#' && dialect != SettingsDialect::Ini);
    let text = comment.trim(bytes, |byte| marks(byte) || byte.is_ascii_whitespace());
    let text = Span::new(text.start, comment.end).of(bytes);
    let Some(equals) = text.iter().position(|byte| *byte == b'=') else {
        let valueless =
            dialect == SettingsDialect::OptionFile && settings.same_key(text.trim_ascii_end(), key);
        return valueless.then(|| usual_separator(settings, None));
    };
    let (name, rest) = text.split_at_checked(equals)?;
    let name = name.trim_ascii_end();
    let value = rest.get(1..)?.trim_ascii_start();
    let separator = text.get(name.len()..text.len().saturating_sub(value.len()))?;
    settings.same_key(name, key).then(|| match value.is_empty() {
        true => [separator.trim_ascii_end(), b" "].concat(),
        false => separator.to_vec(),
    })
}

fn usual_separator(settings: &SettingsDocument, section: Option<&[u8]>) -> Vec<u8> {
    if settings.dialect() == SettingsDialect::Systemd {
        return b"=".to_vec();
    }
    let neighbours = settings.settings().iter().rev().filter(|neighbour| neighbour.has_equals);
    let own = neighbours.clone().find(|one| settings.same_section(one.section.as_deref(), section));
    let bytes = settings.as_bytes();
    let tight = own.or(neighbours.clone().next()).is_some_and(|neighbour| {
        let before = bytes.get(..neighbour.value_span.start).unwrap_or_default();
        before.ends_with(b"=") && !before.ends_with(b" =")
    });
    if tight { b"=".to_vec() } else { b" = ".to_vec() }
}
