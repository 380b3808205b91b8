//! Edits of one constant of a PHP file, touching only its value or its line.

use std::sync::Arc;

use crate::document::{Document, Span};
use crate::edit_error::{EditError, places};
use crate::php_constant::{PhpCondition, PhpConstant};
use crate::php_constants::PhpConstants;

/// Name, value as written, and condition of each constant.
type Outline = Vec<(String, Vec<u8>, PhpCondition)>;

impl PhpConstants {
    /// Gives a constant its value, a literal of PHP: `true`, `60`, `'text'`.
    ///
    /// The definition that counts is changed. A new one is `define('NAME', value);` on a line of its own: before the
    /// comment that says "stop editing", else before the statement that includes `wp-settings.php`, else at the end.
    /// Nothing changes when the value is already there.
    ///
    /// # Errors
    ///
    /// A file that PHP would refuse, a name or value that would not be read back as given, or a constant that is set
    /// only under a condition.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), EditError> {
        self.check_editable(name)?;
        let literal = literal(value);
        if !is_name(name) || literal.is_none() {
            return Err(self.unwritable(
                name,
                "name or value cannot be written; give a bare name, and true, false, null, a number or a quoted \
                 string without variables",
            ));
        }
        let mut expected = self.outline();
        let mut document = self.document().clone();
        if let Some((at, found)) = self.only(name)? {
            if found.value == literal {
                return Ok(());
            }
            document.replace(found.value_span, value.as_bytes())?;
            if let Some((_, written, _)) = expected.get_mut(at) {
                *written = value.as_bytes().to_vec();
            }
        } else {
            let line = format!("define( '{name}', {value} );");
            let at = self.insert(&mut document, name, line.as_bytes())?;
            expected.insert(
                at.min(expected.len()),
                (name.to_owned(), value.as_bytes().to_vec(), PhpCondition::None),
            );
        }
        self.take(document, &expected, name)
    }

    /// Takes the definition of a constant out, with its line where nothing else stands on it.
    ///
    /// Nothing changes when there is none.
    ///
    /// # Errors
    ///
    /// A file that PHP would refuse, or a definition under a condition or within another statement.
    pub fn remove(&mut self, name: &str) -> Result<(), EditError> {
        self.check_editable(name)?;
        let Some((at, found)) = self.only(name)? else { return Ok(()) };
        if !found.alone || found.condition != PhpCondition::None {
            return Err(self.unwritable(name, "it is part of a larger statement; take it out by hand"));
        }
        let span = found.statement_span;
        let mut expected = self.outline();
        if at < expected.len() {
            expected.remove(at);
        }
        let mut document = self.document().clone();
        let alone_on = document.lines().iter().position(|line| {
            let text = line.span.of(document.as_bytes()).trim_ascii();
            line.span.start <= span.start && span.end <= line.span.end && text == span.of(document.as_bytes())
        });
        match alone_on {
            Some(line) => document.remove_lines(&[line]),
            None => document.replace(span, b"")?,
        }
        self.take(document, &expected, name)
    }

    /// The definition of a constant that an edit may touch, and its number in the file.
    fn only(&self, name: &str) -> Result<Option<(usize, &PhpConstant)>, EditError> {
        let named = || self.constants().iter().enumerate().filter(|(_, constant)| constant.name == name);
        if named().any(|(_, constant)| constant.condition == PhpCondition::Other) {
            let file = self.document().file();
            return Err(EditError::Ambiguous {
                file: Arc::clone(file),
                setting: name.to_owned(),
                name: name.to_owned(),
                places: places(file, named().map(|(_, constant)| constant.line)),
                how: "it depends on a condition that only running PHP could tell; edit it by hand",
            });
        }
        Ok(named().next())
    }

    /// Puts a line where WordPress's own comments ask for it; gives how many constants stand before it.
    fn insert(&self, document: &mut Document, name: &str, line: &[u8]) -> Result<usize, EditError> {
        let bytes = self.document().as_bytes();
        let offset = match self.stop_editing().into_iter().chain(self.settings_include()).min() {
            Some(offset) => offset,
            None => match self.end_of_code() {
                Some(Some(offset)) => offset,
                Some(None) => {
                    document.append_line(line);
                    return Ok(self.constants().len());
                }
                None => return Err(self.unwritable(name, "the file ends outside of PHP; add it by hand")),
            },
        };
        let before = |constant: &&PhpConstant| constant.statement_span.start < offset;
        let count = self.constants().iter().filter(before).count();
        let index = document.lines().iter().position(|own| offset <= own.span.end).unwrap_or(usize::MAX);
        let start = document.lines().get(index).map_or(bytes.len(), |own| own.span.start);
        if Span::new(start, offset).of(bytes).trim_ascii().is_empty() {
            document.insert_line(index, line);
        } else {
            // Something else begins on that line: the definition goes between.
            document.replace(Span::new(offset, offset), &[line, b"\n"].concat())?;
        }
        Ok(count)
    }

    /// Where the comment "stop editing" begins.
    fn stop_editing(&self) -> Option<usize> {
        let root = self.root()?;
        let mut cursor = root.walk();
        let says = |node: &tree_sitter::Node<'_>| {
            let text = Span::new(node.start_byte(), node.end_byte()).of(self.document().as_bytes());
            String::from_utf8_lossy(text).to_ascii_lowercase().contains("stop editing")
        };
        root.children(&mut cursor)
            .find(|node| node.kind() == "comment" && says(node))
            .map(|node| node.start_byte())
    }

    fn settings_include(&self) -> Option<usize> {
        let ends = |end: &String| end.ends_with("wp-settings.php");
        let found = self.includes().iter().find(|include| include.ends_with.as_ref().is_some_and(ends))?;
        Some(found.span.start)
    }

    /// Where the code ends: `Some(None)` at the end of the file, `None` where the file ends in text.
    fn end_of_code(&self) -> Option<Option<usize>> {
        let root = self.root()?;
        let last = root.child(root.child_count().checked_sub(1)?)?;
        if last.kind() != "text_interpolation" && last.kind() != "text" && last.kind() != "?>" {
            return Some(None);
        }
        let text =
            Span::new(last.start_byte(), self.document().as_bytes().len()).of(self.document().as_bytes());
        text.trim_ascii().eq(b"?>").then(|| Some(last.start_byte()))
    }

    /// Takes the edited document over if it reads as intended.
    fn take(&mut self, document: Document, expected: &Outline, name: &str) -> Result<(), EditError> {
        let edited = Self::from_document(document);
        if !edited.problems().is_empty() || edited.outline() != *expected {
            return Err(self.unwritable(name, "it would not be read back as given; edit the file by hand"));
        }
        *self = edited;
        Ok(())
    }

    fn outline(&self) -> Outline {
        let written = |constant: &PhpConstant| constant.value_span.of(self.as_bytes()).to_vec();
        let one = |constant: &PhpConstant| (constant.name.clone(), written(constant), constant.condition);
        self.constants().iter().map(one).collect()
    }

    fn check_editable(&self, name: &str) -> Result<(), EditError> {
        match self.problems().first() {
            None => Ok(()),
            Some(problem) => Err(EditError::Unreadable {
                file: Arc::clone(&problem.file),
                setting: name.to_owned(),
                line: problem.line,
                what: problem.what,
            }),
        }
    }

    fn unwritable(&self, name: &str, why: &'static str) -> EditError {
        EditError::Unwritable { file: Arc::clone(self.document().file()), setting: name.to_owned(), why }
    }
}

/// What a value alone is read as; `None` for anything but one literal.
fn literal(value: &str) -> Option<crate::PhpLiteral> {
    let whole = PhpConstants::new("value", format!("<?php define('V', {value});"));
    match whole.constants() {
        [only] if whole.problems().is_empty() && only.alone => {
            let written = only.value_span.of(whole.as_bytes());
            (written == value.as_bytes()).then(|| only.value.clone()).flatten()
        }
        _ => None,
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    first && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
