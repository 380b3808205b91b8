//! Edits of one directive of Nginx, touching only its arguments or its line.

use std::sync::Arc;

use crate::document::{Document, Span};
use crate::edit_error::EditError;
use crate::nginx::{NginxDirective, NginxDocument};
use crate::nginx_lexer::{NginxWord, is_space, statement};
use crate::nginx_place::place_of_new;

/// What stands in a file: for each directive, how deep it is and its words.
pub(crate) type Outline = Vec<(usize, Vec<Vec<u8>>)>;

impl NginxDocument {
    /// Gives a directive of a block these arguments, or else adds the directive to the block.
    ///
    /// `block` is a path as for [`NginxDocument::get`]. `arguments` are all arguments as written in the file, the
    /// first one included. `first_argument` tells directives of one name apart. A new directive goes below its
    /// commented-out default in the block, else below the last of its name, else below the block's last directive
    /// that is neither a block nor an `include`, indented alike. Nothing changes when the directive has these
    /// arguments already.
    ///
    /// # Errors
    ///
    /// A path or directive that fits nothing or several, arguments that would not be read back as given, or a file
    /// that Nginx refuses.
    pub fn set_arguments(
        &mut self,
        block: &[impl AsRef<str>],
        directive: &str,
        first_argument: Option<&str>,
        arguments: &str,
    ) -> Result<(), EditError> {
        let parent = self.parent_to_edit(block, directive)?;
        let wanted = self.wanted(directive, first_argument, arguments)?;
        let found = self.find(parent, directive, first_argument)?;
        let Some((index, old)) = found.and_then(|index| Some((index, self.directives.get(index)?))) else {
            return self.add(parent, directive, first_argument, arguments.trim(), &wanted);
        };
        let values = values(&wanted);
        if self::values(&old.words) == values {
            return Ok(());
        }
        let (span, mut text) = (self.arguments_span(old, directive)?, arguments.trim().as_bytes().to_vec());
        if old.arguments().is_empty() {
            text.insert(0, b' ');
        }
        let mut expected = self.outline();
        if let Some((_, words)) = expected.get_mut(index) {
            *words = values;
        }
        let mut document = self.document.clone();
        document.replace(span, &text)?;
        self.take(document, &expected, directive)
    }

    /// Gives one parameter of a directive its value, such as `backlog=4096` of `listen`; the others stay.
    ///
    /// The parameter is replaced, or else added after the last argument.
    ///
    /// # Errors
    ///
    /// As [`NginxDocument::set_arguments`]; a directive that is not there is not added.
    pub fn set_parameter(
        &mut self,
        block: &[impl AsRef<str>],
        directive: &str,
        first_argument: Option<&str>,
        name: &str,
        value: &str,
    ) -> Result<(), EditError> {
        let parent = self.parent_to_edit(block, directive)?;
        let found = self.find(parent, directive, first_argument)?;
        let Some((index, old)) = found.and_then(|index| Some((index, self.directives.get(index)?))) else {
            return Err(EditError::Missing {
                file: Arc::clone(self.document.file()),
                setting: directive.to_owned(),
                missing: [directive, first_argument.unwrap_or_default()].join(" ").trim_end().to_owned(),
            });
        };
        let assignment = format!("{name}={value}").into_bytes();
        let prefix = format!("{name}=").into_bytes();
        let place = old.words.iter().skip(1).rposition(|word| word.value.starts_with(&prefix));
        let mut expected = self.outline();
        let words = expected.get_mut(index).map(|(_, words)| words);
        let last = old.words.last().map_or(old.span.start, |word| word.span.end);
        let (span, text) = match place.and_then(|place| Some((place + 1, old.words.get(place + 1)?))) {
            Some((_, word)) if word.value == assignment => return Ok(()),
            Some((place, word)) => {
                words
                    .and_then(|words| words.get_mut(place))
                    .into_iter()
                    .for_each(|word| word.clone_from(&assignment));
                (word.span, written(&assignment))
            }
            None => {
                words.into_iter().for_each(|words| words.push(assignment.clone()));
                (Span::new(last, last), [b" ".to_vec(), written(&assignment)].concat())
            }
        };
        let mut document = self.document.clone();
        document.replace(span, &text)?;
        self.take(document, &expected, directive)
    }

    /// Has one directive of a block, among others of its name, hold these arguments: `add_header` and `fastcgi_param` stand
    /// several times in a block.
    ///
    /// Nothing changes when one with these arguments is there; else it is added as by [`NginxDocument::set_arguments`].
    ///
    /// # Errors
    ///
    /// A path that fits nothing or several, arguments that would not be read back as given, or a file that Nginx refuses.
    pub fn add_arguments(
        &mut self,
        block: &[impl AsRef<str>],
        directive: &str,
        arguments: &str,
    ) -> Result<(), EditError> {
        let parent = self.parent_to_edit(block, directive)?;
        let wanted = self.wanted(directive, None, arguments)?;
        let is_it = |one: &NginxDirective| one.block.is_none() && values(&one.words) == values(&wanted);
        if self.children(parent).any(|(_, one)| is_it(one)) {
            return Ok(());
        }
        self.add(parent, directive, None, arguments.trim(), &wanted)
    }

    /// Takes a directive out of a block, with its lines where nothing else but a comment stands on them.
    ///
    /// Nothing changes when it is not there.
    ///
    /// # Errors
    ///
    /// A path or directive that fits several, a path that fits nothing, or a file that Nginx refuses.
    pub fn remove(
        &mut self,
        block: &[impl AsRef<str>],
        directive: &str,
        first_argument: Option<&str>,
    ) -> Result<(), EditError> {
        let parent = self.parent_to_edit(block, directive)?;
        let found = self.find(parent, directive, first_argument)?;
        let Some((index, old)) = found.and_then(|index| Some((index, self.directives.get(index)?))) else {
            return Ok(());
        };
        let mut expected = self.outline();
        expected.remove(index);
        let mut document = self.document.clone();
        remove_span(&mut document, old.span)?;
        self.take(document, &expected, directive)
    }

    fn add(
        &mut self,
        parent: Option<usize>,
        directive: &str,
        first_argument: Option<&str>,
        arguments: &str,
        wanted: &[NginxWord],
    ) -> Result<(), EditError> {
        if self.children(parent).any(|(_, one)| one.block.is_some() && one.name() == directive.as_bytes()) {
            return Err(
                self.unwritable(directive, "it is a block there; name the block and a directive of it")
            );
        }
        let text = [directive, arguments].join(" ");
        let place = place_of_new(self, parent, directive, first_argument);
        let mut expected = self.outline();
        let depth =
            parent.and_then(|parent| expected.get(parent)).map_or(0, |(depth, _)| depth.saturating_add(1));
        expected.insert(place.index.min(expected.len()), (depth, values(wanted)));
        let mut document = self.document.clone();
        let line = format!("{};", text.trim_end());
        document.replace(Span::new(place.at, place.at), &place.text(line.as_bytes()))?;
        self.take(document, &expected, directive)
    }

    /// Takes the edited document over if it reads as intended.
    pub(crate) fn take(
        &mut self,
        document: Document,
        expected: &Outline,
        directive: &str,
    ) -> Result<(), EditError> {
        let edited = Self::from_document(document);
        if !edited.problems().is_empty() || edited.outline() != *expected {
            return Err(self.unwritable(directive, "it would not be read back as given"));
        }
        *self = edited;
        Ok(())
    }

    pub(crate) fn outline(&self) -> Outline {
        let mut outline: Outline = Vec::with_capacity(self.directives.len());
        for one in &self.directives {
            let above = one.parent.and_then(|parent| outline.get(parent));
            let depth = above.map_or(0, |(depth, _)| depth.saturating_add(1));
            outline.push((depth, values(&one.words)));
        }
        outline
    }

    pub(crate) fn parent_to_edit(
        &self,
        block: &[impl AsRef<str>],
        directive: &str,
    ) -> Result<Option<usize>, EditError> {
        if let Some(problem) = self.problems().first() {
            return Err(EditError::Unreadable {
                file: Arc::clone(&problem.file),
                setting: directive.to_owned(),
                line: problem.line,
                what: problem.what,
            });
        }
        let parent = self.find_block(block, directive)?;
        let lua = parent.and_then(|parent| self.directives.get(parent));
        if lua.is_some_and(|block| crate::nginx_lexer::holds_lua(block.name())) {
            return Err(self.unwritable(directive, "the block holds Lua, not directives"));
        }
        Ok(parent)
    }

    /// Reads name and arguments as they are to stand in the file.
    fn wanted(
        &self,
        directive: &str,
        first_argument: Option<&str>,
        arguments: &str,
    ) -> Result<Vec<NginxWord>, EditError> {
        let line = format!("{directive} {arguments};").into_bytes();
        let words = statement(&line, 0).ok().filter(|read| read.end == line.len()).map(|read| read.words);
        let words =
            words.filter(|words| words.first().is_some_and(|name| name.value == directive.as_bytes()));
        let Some(words) = words else {
            return Err(
                self.unwritable(directive, "name and arguments are not one directive of Nginx; quote words")
            );
        };
        let first = words.get(1).map(|word| (word.value.as_slice(), word.span.of(&line)));
        let begins =
            |wanted: &str| first.is_some_and(|(value, raw)| [value, raw].contains(&wanted.as_bytes()));
        if first_argument.is_none_or(begins) {
            return Ok(words);
        }
        Err(self.unwritable(
            directive,
            "the arguments do not begin with the first argument that names the directive",
        ))
    }

    /// From the first argument to the last; the empty span after the name without any.
    fn arguments_span(&self, old: &NginxDirective, directive: &str) -> Result<Span, EditError> {
        let end = old.words.last().map_or(old.span.end, |word| word.span.end);
        let start = old.arguments().first().map_or(end, |word| word.span.start);
        let gaps = old.words.iter().zip(old.arguments());
        let blank = |(one, next): (&NginxWord, &NginxWord)| {
            Span::new(one.span.end, next.span.start).of(self.as_bytes()).iter().all(|byte| is_space(*byte))
        };
        if gaps.into_iter().all(blank) {
            return Ok(Span::new(start, end));
        }
        Err(self.unwritable(directive, "a comment stands among its arguments; move it out first"))
    }

    pub(crate) fn unwritable(&self, directive: &str, why: &'static str) -> EditError {
        EditError::Unwritable { file: Arc::clone(self.document.file()), setting: directive.to_owned(), why }
    }
}

pub(crate) fn values(words: &[NginxWord]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.value.clone()).collect()
}

/// Writes a word so that it is read back: bare, or in double quotes.
pub(crate) fn written(word: &[u8]) -> Vec<u8> {
    if !word.iter().any(|byte| is_space(*byte) || matches!(byte, b';' | b'{' | b'}' | b'"' | b'\'' | b'\\')) {
        return word.to_vec();
    }
    let mut text = vec![b'"'];
    for byte in word {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
    text
}

/// Removes a span, with its lines where only blanks and a comment are left of them.
pub(crate) fn remove_span(document: &mut Document, span: Span) -> Result<(), EditError> {
    let bytes = document.as_bytes();
    let touched = |line: &&crate::document::Line| line.span.end >= span.start && line.span.start < span.end;
    let lines: Vec<_> = document.lines().iter().filter(touched).collect();
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Ok(()) };
    let before = Span::new(first.span.start, span.start).of(bytes).trim_ascii();
    let after = Span::new(span.end, last.span.end).of(bytes);
    if before.is_empty() && matches!(after.trim_ascii_start(), [] | [b'#', ..]) {
        let indices: Vec<_> = lines.iter().map(|line| line.number.saturating_sub(1)).collect();
        document.remove_lines(&indices);
        return Ok(());
    }
    let blanks = bytes.get(..span.start).unwrap_or_default();
    let leading = blanks.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let trailing = after.len().saturating_sub(after.trim_ascii_start().len());
    let wider = match before.is_empty() {
        true => Span::new(span.start, span.end.saturating_add(trailing)),
        false => Span::new(span.start.saturating_sub(leading), span.end),
    };
    Ok(document.replace(wider, b"")?)
}
