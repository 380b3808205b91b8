//! Edits of one keyword of HAProxy, touching only its arguments or its line.

use std::sync::Arc;

use crate::document::{Document, Span};
use crate::edit_error::{EditError, places};
use crate::haproxy::{HaproxyDocument, Keyword, Statement, Word, words};
use crate::settings::LineRole;
use crate::settings_place::end_of_section;

impl HaproxyDocument {
    /// Gives a keyword of a section these arguments, as written in the file, or else adds a line to the section.
    ///
    /// Section and keyword are named as for [`HaproxyDocument::get`]. A line with `no` is the same keyword and becomes
    /// one without, and the other way round. A new line goes to the end of the section, indented as the line above
    /// it. Nothing changes when the line has these arguments already.
    ///
    /// # Errors
    ///
    /// A section that is not there or stands twice, a keyword that stands on several lines or between `.if` and
    /// `.endif`, arguments that would not be read back as given, or a file that HAProxy refuses.
    pub fn set(&mut self, section: &str, keyword: &str, arguments: &str) -> Result<(), EditError> {
        let wanted = Keyword::new(keyword);
        let sections = self.sections_to_edit(section, keyword)?;
        let arguments = arguments.trim();
        let text = [keyword.trim(), arguments].join(" ").trim_end().as_bytes().to_vec();
        let values = self.values_of(&text, keyword)?;
        let found = self.lines_of(&sections, &wanted);
        let lines: Vec<_> = found.iter().filter_map(|index| self.statements.get(*index)).collect();
        let unconditional = lines.iter().all(|line| !line.conditional);
        if !lines.is_empty() && unconditional && lines.iter().all(|line| self::values(&line.words) == values)
        {
            return Ok(());
        }
        let mut document = self.document.clone();
        let mut expected = self.outline();
        match (self.only(&lines, keyword)?, found.first()) {
            (Some(line), Some(index)) => {
                let (span, text) = self.replacement(line, &wanted, arguments, &text);
                document.replace(span, &text)?;
                if let Some(slot) = expected.get_mut(*index) {
                    *slot = values;
                }
            }
            _ => {
                let index = self.end_of(&sections);
                let above = self.statements.iter().take_while(|one| one.number <= index);
                expected.insert(above.count(), values);
                document.insert_line(index, &[self.indentation(&sections, index), text].concat());
            }
        }
        self.take(document, &expected, keyword)
    }

    /// Takes the line of a keyword out of a section. Nothing changes when there is none.
    ///
    /// # Errors
    ///
    /// As [`HaproxyDocument::set`].
    pub fn remove(&mut self, section: &str, keyword: &str) -> Result<(), EditError> {
        let wanted = Keyword::new(keyword);
        let sections = self.sections_to_edit(section, keyword)?;
        let mut found = self.lines_of(&sections, &wanted);
        found.retain(|index| self.statements.get(*index).is_some_and(|one| one.signed().0 == wanted.negated));
        let lines: Vec<_> = found.iter().filter_map(|index| self.statements.get(*index)).collect();
        let (Some(line), Some(index)) = (self.only(&lines, keyword)?, found.first()) else { return Ok(()) };
        let mut document = self.document.clone();
        document.remove_lines(&[line.number.saturating_sub(1)]);
        let mut expected = self.outline();
        expected.remove(*index);
        self.take(document, &expected, keyword)
    }

    /// Returns the one line of a keyword that an edit can change; `None` when there is none at all.
    fn only<'a>(&self, lines: &[&'a Statement], keyword: &str) -> Result<Option<&'a Statement>, EditError> {
        let file = self.document.file();
        if lines.iter().any(|line| line.conditional) {
            return Err(
                self.unwritable(keyword, "it stands between .if and .endif, where it may have no effect")
            );
        }
        match lines {
            [] => Ok(None),
            [line] => Ok(Some(*line)),
            several => Err(EditError::Ambiguous {
                file: Arc::clone(file),
                setting: keyword.to_owned(),
                name: keyword.to_owned(),
                places: places(file, several.iter().map(|line| line.number)),
                how: "name one of them by more of its words, such as `bind :80`",
            }),
        }
    }

    fn sections_to_edit(&self, section: &str, keyword: &str) -> Result<Vec<usize>, EditError> {
        if let Some(problem) = self.problems().first() {
            return Err(EditError::Unreadable {
                file: Arc::clone(&problem.file),
                setting: keyword.to_owned(),
                line: problem.line,
                what: problem.what,
            });
        }
        let sections = self.sections(section, keyword)?;
        let conditional = |index: &usize| self.statements.get(*index).is_some_and(|one| one.conditional);
        if sections.iter().any(conditional) {
            return Err(self.unwritable(keyword, "its section stands between .if and .endif"));
        }
        Ok(sections)
    }

    /// What to write for a line, and where; the blanks between its words stay where they can.
    fn replacement(
        &self,
        line: &Statement,
        wanted: &Keyword,
        arguments: &str,
        text: &[u8],
    ) -> (Span, Vec<u8>) {
        let old = self.arguments_span(line, wanted);
        let start = line.words.first().map_or(old.start, |word| word.span.start);
        let keyword_end =
            line.signed().1.get(wanted.words.len().saturating_sub(1)).map_or(start, |word| word.span.end);
        if line.signed().0 != wanted.negated {
            (Span::new(start, old.end), text.to_vec())
        } else if arguments.is_empty() {
            (Span::new(keyword_end, old.end), Vec::new())
        } else if old.is_empty() {
            (old, format!(" {arguments}").into_bytes())
        } else {
            (old, arguments.as_bytes().to_vec())
        }
    }

    /// The index of the line after the last section of these, outside any `.if`.
    fn end_of(&self, sections: &[usize]) -> usize {
        let Some(header) = sections.last().and_then(|index| self.statements.get(*index)) else { return 0 };
        let start = header.number;
        let headers = self.roles.iter().enumerate().skip(start);
        let next = headers.filter(|(_, role)| **role == LineRole::Header).map(|(index, _)| index);
        let mut end = next.min().unwrap_or(self.roles.len());
        while end > start && self.open_after.get(end.saturating_sub(1)) == Some(&true) {
            end = end.saturating_sub(1);
        }
        end_of_section(&self.roles, start, end)
    }

    /// The indentation of the last line of the sections above a line; four spaces without one.
    fn indentation(&self, sections: &[usize], index: usize) -> Vec<u8> {
        let own = |one: &&Statement| one.section.is_some_and(|section| sections.contains(&section));
        let above = self.statements.iter().rev().filter(own).filter(|one| one.number <= index);
        let keyword = above.into_iter().find(|one| {
            !one.conditional && self.roles.get(one.number.saturating_sub(1)) == Some(&LineRole::Statement)
        });
        let line = keyword.and_then(|one| self.document.lines().get(one.number.saturating_sub(1)));
        let blanks = line.map(|line| {
            let text = line.span.of(self.as_bytes());
            text.iter().copied().take_while(|byte| matches!(byte, b' ' | b'\t')).collect()
        });
        blanks.unwrap_or_else(|| b"    ".to_vec())
    }

    /// Reads keyword and arguments as they are to stand in the file.
    fn values_of(&self, text: &[u8], keyword: &str) -> Result<Vec<Vec<u8>>, EditError> {
        let breaks = text.iter().any(|byte| matches!(byte, b'\n' | b'\r' | b'\0'));
        let whole = |words: &Vec<Word>| words.last().is_some_and(|last| last.span.end == text.len());
        let read = words(text, 0).filter(|words| !breaks && whole(words)).map(|words| values(&words));
        let bare = |values: &Vec<Vec<u8>>| {
            let mut names = values.iter().zip(keyword.split_ascii_whitespace());
            names.all(|(value, name)| value == name.as_bytes() && !name.starts_with('.'))
        };
        read.filter(bare).ok_or_else(|| {
            self.unwritable(
                keyword,
                "keyword and arguments are not the words of one line; quote what holds a blank or `#`",
            )
        })
    }

    /// Takes the edited document over if it reads as intended.
    fn take(
        &mut self,
        document: Document,
        expected: &[Vec<Vec<u8>>],
        keyword: &str,
    ) -> Result<(), EditError> {
        let edited = Self::from_document(document);
        let headers = |it: &Self| it.roles.iter().filter(|role| **role == LineRole::Header).count();
        if !edited.problems().is_empty() || edited.outline() != expected || headers(self) != headers(&edited)
        {
            return Err(self.unwritable(keyword, "it would not be read back as given"));
        }
        *self = edited;
        Ok(())
    }

    fn outline(&self) -> Vec<Vec<Vec<u8>>> {
        self.statements.iter().map(|line| values(&line.words)).collect()
    }

    fn unwritable(&self, keyword: &str, why: &'static str) -> EditError {
        EditError::Unwritable { file: Arc::clone(self.document.file()), setting: keyword.to_owned(), why }
    }
}

fn values(words: &[Word]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.value.clone()).collect()
}
