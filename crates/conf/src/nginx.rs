//! Configuration files of Nginx: directives, blocks and where they stand.

use std::sync::Arc;

use crate::document::{Document, Span};
use crate::edit_error::{EditError, Problem, places};
use crate::nginx_lexer::{Ending, NginxWord, Refusal, end_of_lua, holds_lua, statement};

/// One directive, with the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NginxDirective {
    /// Line number of its name, from 1.
    pub line: usize,
    /// From its name to its `;` or the `}` of its block.
    pub span: Span,
    /// Its name and its arguments; never empty.
    pub words: Vec<NginxWord>,
    /// The block it stands in, as an index of [`NginxDocument::directives`]; `None` at the top of the file.
    pub parent: Option<usize>,
    /// What stands between its braces; `None` for a directive that ends with `;`.
    pub block: Option<Span>,
}

impl NginxDirective {
    /// Returns the name.
    pub fn name(&self) -> &[u8] {
        self.words.first().map(|word| word.value.as_slice()).unwrap_or_default()
    }

    /// Returns the words after the name.
    pub fn arguments(&self) -> &[NginxWord] {
        self.words.get(1..).unwrap_or_default()
    }

    fn holds_arguments(&self, wanted: &[NginxWord]) -> bool {
        wanted.iter().all(|word| self.arguments().iter().any(|own| own.value == word.value))
    }
}

/// A configuration file of Nginx that keeps every byte, and its directives.
///
/// `include` is a directive like any other: the files it names are documents of their own, whose directives stand at
/// the top. Reading never fails: where Nginx would refuse the file, the rest is kept unread and
/// [`NginxDocument::problems`] tells the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NginxDocument {
    pub(crate) document: Document,
    pub(crate) directives: Vec<NginxDirective>,
    problems: Vec<Problem>,
}

impl NginxDocument {
    /// Reads the bytes of the file named `file`. Every sequence of bytes can be read.
    pub fn new(file: impl Into<Arc<str>>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::from_document(Document::new(file, bytes))
    }

    pub(crate) fn from_document(document: Document) -> Self {
        let mut directives = Vec::new();
        let refusal = read(&document, &mut directives).err();
        let problems = refusal.map(|(at, what)| Problem {
            file: Arc::clone(document.file()),
            line: line_of(&document, at),
            what,
            stops: true,
        });
        Self { directives, problems: problems.into_iter().collect(), document }
    }

    /// Returns the document underneath: name, bytes and lines.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Prints the file: the exact bytes, edits included.
    pub fn as_bytes(&self) -> &[u8] {
        self.document.as_bytes()
    }

    /// Prints the file and gives its bytes away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.document.into_bytes()
    }

    /// Returns the directives in the order of the file, a block before what it holds.
    pub fn directives(&self) -> &[NginxDirective] {
        &self.directives
    }

    /// Returns what Nginx refuses the file for: at most one line.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Finds a directive without a block of its own in the block that a path names.
    ///
    /// Each element of the path is a block's name, alone or with all its arguments, and may say what the block holds:
    /// `server`, `location /`, `server { listen 443; server_name www.example; }`. A block fits when it holds such
    /// directives, with these arguments among theirs. The empty path is the top of the file.
    ///
    /// # Errors
    ///
    /// No such block, several that fit, or several such directives in the block.
    pub fn get(
        &self,
        block: &[impl AsRef<str>],
        directive: &str,
        first_argument: Option<&str>,
    ) -> Result<Option<&NginxDirective>, EditError> {
        let parent = self.find_block(block, directive)?;
        Ok(self.find(parent, directive, first_argument)?.and_then(|index| self.directives.get(index)))
    }

    pub(crate) fn find(
        &self,
        parent: Option<usize>,
        directive: &str,
        first_argument: Option<&str>,
    ) -> Result<Option<usize>, EditError> {
        let fits = |(_, one): &(usize, &NginxDirective)| {
            one.block.is_none()
                && one.name() == directive.as_bytes()
                && first_argument.is_none_or(|first| self.begins_with(one, first))
        };
        let found: Vec<_> = self.children(parent).filter(fits).collect();
        match found.as_slice() {
            [] => Ok(None),
            [(index, _)] => Ok(Some(*index)),
            several => Err(EditError::Ambiguous {
                file: Arc::clone(self.document.file()),
                setting: directive.to_owned(),
                name: [Some(directive), first_argument].into_iter().flatten().collect::<Vec<_>>().join(" "),
                places: places(self.document.file(), several.iter().map(|(_, one)| one.line)),
                how: "name one of them by its first argument",
            }),
        }
    }

    fn begins_with(&self, directive: &NginxDirective, first: &str) -> bool {
        directive.arguments().first().is_some_and(|word| {
            word.value == first.as_bytes() || word.span.of(self.as_bytes()) == first.as_bytes()
        })
    }

    /// Returns the directives that stand in a block, or at the top of the file.
    pub(crate) fn children(&self, parent: Option<usize>) -> impl Iterator<Item = (usize, &NginxDirective)> {
        self.directives.iter().enumerate().filter(move |(_, one)| one.parent == parent)
    }

    /// Finds the one block a path names, `None` being the file.
    pub(crate) fn find_block(
        &self,
        path: &[impl AsRef<str>],
        setting: &str,
    ) -> Result<Option<usize>, EditError> {
        let mut found = vec![None];
        for element in path {
            let element = element.as_ref();
            let wanted = read_element(element);
            let below = found.iter().flat_map(|parent| self.children(*parent));
            let fitting =
                below.filter(|(index, one)| wanted.as_ref().is_some_and(|it| self.fits(*index, one, it)));
            found = fitting.map(|(index, _)| Some(index)).collect();
            if found.is_empty() {
                return Err(EditError::Missing {
                    file: Arc::clone(self.document.file()),
                    setting: setting.to_owned(),
                    missing: format!("block {element:?} in {}", path_text(path, element)),
                });
            }
        }
        if let [one] = found.as_slice() {
            return Ok(*one);
        }
        let lines =
            found.iter().flatten().filter_map(|index| self.directives.get(*index)).map(|one| one.line);
        Err(EditError::Ambiguous {
            file: Arc::clone(self.document.file()),
            setting: setting.to_owned(),
            name: path.last().map(|last| last.as_ref().to_owned()).unwrap_or_default(),
            places: places(self.document.file(), lines),
            how: "name one with its arguments or with what it holds, as in `server { server_name a.example; }`",
        })
    }

    /// Tells whether a block is one that an element of a path describes.
    fn fits(&self, index: usize, block: &NginxDirective, element: &Self) -> bool {
        let Some((_, wanted)) = element.children(None).next() else { return false };
        let values =
            |one: &NginxDirective| one.words.iter().map(|word| word.value.clone()).collect::<Vec<_>>();
        block.block.is_some()
            && block.name() == wanted.name()
            && (wanted.arguments().is_empty() || values(block) == values(wanted))
            && element.children(Some(0)).all(|(_, held)| {
                let mut own = self.children(Some(index));
                own.any(|(_, one)| one.name() == held.name() && one.holds_arguments(held.arguments()))
            })
    }
}

/// Reads one element of a path as the one directive it is; a missing `;` is forgiven.
fn read_element(element: &str) -> Option<NginxDocument> {
    let text = element.trim();
    let inner = text.strip_suffix('}').map(|inner| format!("{inner};}}"));
    let forms = [Some(format!("{text};")), Some(text.to_owned()), inner];
    forms
        .into_iter()
        .flatten()
        .map(|form| NginxDocument::new("path", form))
        .find(|document| document.problems.is_empty() && document.children(None).count() == 1)
}

fn path_text(path: &[impl AsRef<str>], until: &str) -> String {
    let above: Vec<_> = path.iter().map(AsRef::as_ref).take_while(|element| *element != until).collect();
    if above.is_empty() { "the file".to_owned() } else { above.join(" > ") }
}

fn read(document: &Document, directives: &mut Vec<NginxDirective>) -> Result<(), Refusal> {
    let bytes = document.as_bytes();
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0;
    loop {
        let read = statement(bytes, at)?;
        at = read.end;
        match read.ending {
            Ending::Text => break,
            Ending::Close => {
                let index =
                    open.pop().ok_or((at.saturating_sub(1), "no block is open that `}` could close"))?;
                close(directives, index, at);
                continue;
            }
            Ending::Open | Ending::Semicolon => {}
        }
        let Some(first) = read.words.first() else { continue };
        let lua = holds_lua(&first.value);
        let block = (read.ending == Ending::Open).then_some(Span::new(at, at));
        directives.push(NginxDirective {
            line: line_of(document, first.span.start),
            span: Span::new(first.span.start, at),
            words: read.words,
            parent: open.last().copied(),
            block,
        });
        let index = directives.len().saturating_sub(1);
        if block.is_some() && lua {
            at = end_of_lua(bytes, at)?;
            close(directives, index, at);
        } else if block.is_some() {
            open.push(index);
        }
    }
    let unclosed = open.last().and_then(|index| directives.get(*index));
    unclosed.map_or(Ok(()), |one| Err((one.span.start, "the block is not closed")))
}

/// Ends the block of a directive with the `}` just before `end`.
fn close(directives: &mut [NginxDirective], index: usize, end: usize) {
    if let Some(directive) = directives.get_mut(index) {
        directive.span.end = end;
        directive.block = directive.block.map(|block| Span::new(block.start, end.saturating_sub(1)));
    }
}

fn line_of(document: &Document, at: usize) -> usize {
    document.lines().partition_point(|line| line.span.start <= at).max(1)
}

#[cfg(test)]
#[path = "nginx_tests.rs"]
mod tests;
