//! Where a new directive of Nginx goes.

use crate::document::{Line, LineEnding, Span};
use crate::nginx::{NginxDirective, NginxDocument};

/// The place of a new directive.
pub(crate) struct Place {
    /// Its index among the directives of the file.
    pub(crate) index: usize,
    /// The offset it is inserted at.
    pub(crate) at: usize,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Place {
    /// The blanks before the directive, where it stands on a line of its own; `None` where it shares one.
    pub(crate) fn indentation(&self) -> Option<&[u8]> {
        let end = self.before.iter().rposition(|byte| *byte == b'\n')?;
        self.before.get(end.saturating_add(1)..)
    }

    /// Returns the bytes to insert.
    pub(crate) fn text(&self, directive: &[u8]) -> Vec<u8> {
        [&self.before, directive, &self.after].concat()
    }
}

/// Finds the place below the commented-out default, below the block's last fitting directive, or in the empty block.
pub(crate) fn place_of_new(
    nginx: &NginxDocument,
    parent: Option<usize>,
    directive: &str,
    first_argument: Option<&str>,
) -> Place {
    if let Some((index, line)) = commented_default(nginx, parent, directive, first_argument) {
        return below(index, line, &indentation(nginx, line));
    }
    let children: Vec<_> = nginx.children(parent).collect();
    let last = |fits: &dyn Fn(&NginxDirective) -> bool| children.iter().rev().find(|(_, child)| fits(child));
    let anchor = last(&|child| child.block.is_none() && child.name() == directive.as_bytes())
        .or_else(|| last(&|child| child.block.is_none() && child.name() != b"include"))
        .or_else(|| last(&|_| true));
    if let Some((index, anchor)) = anchor {
        let inside = nginx.directives.iter().skip(index.saturating_add(1));
        let held = inside.take_while(|one| one.span.start < anchor.span.end).count();
        let index = index.saturating_add(1).saturating_add(held);
        let line = line_at(nginx, anchor.span.end.saturating_sub(1));
        return match line.filter(|line| ends_with(nginx, anchor.span.end, *line)) {
            Some(line) => {
                let own = line_at(nginx, anchor.span.start).map(|line| indentation(nginx, line));
                below(index, line, &own.unwrap_or_default())
            }
            None => Place { index, at: anchor.span.end, before: b" ".to_vec(), after: Vec::new() },
        };
    }
    in_an_empty_block(nginx, parent)
}

fn in_an_empty_block(nginx: &NginxDocument, parent: Option<usize>) -> Place {
    let index = parent.map_or(0, |parent| parent.saturating_add(1));
    let block = parent.and_then(|parent| nginx.directives.get(parent));
    let inside = block.and_then(|block| block.block);
    let (Some(block), Some(inside)) = (block, inside) else {
        let at = nginx.as_bytes().len();
        let unended = nginx.document.lines().last().is_some_and(|line| line.ending == LineEnding::None);
        let before = if unended { b"\n".to_vec() } else { Vec::new() };
        return Place { index, at, before, after: b"\n".to_vec() };
    };
    let line = line_at(nginx, inside.start.saturating_sub(1));
    if let Some(line) = line.filter(|line| ends_with(nginx, inside.start, *line)) {
        let outer = line_at(nginx, block.span.start).map(|line| indentation(nginx, line)).unwrap_or_default();
        let tabs = outer.starts_with(b"\t")
            || (outer.is_empty() && nginx.as_bytes().windows(2).any(|two| two == b"\n\t"));
        let unit: &[u8] = if tabs { b"\t" } else { b"    " };
        return below(index, line, &[&outer, unit].concat());
    }
    let after = if inside.is_empty() { b" ".to_vec() } else { Vec::new() };
    Place { index, at: inside.start, before: b" ".to_vec(), after }
}

/// The place on a line of its own below this one.
fn below(index: usize, line: Line, indentation: &[u8]) -> Place {
    let ending = if line.ending == LineEnding::None { LineEnding::Lf } else { line.ending };
    Place { index, at: line.span.end, before: [ending.as_bytes(), indentation].concat(), after: Vec::new() }
}

/// Finds the last line of the block itself that is the directive commented out.
fn commented_default(
    nginx: &NginxDocument,
    parent: Option<usize>,
    directive: &str,
    first_argument: Option<&str>,
) -> Option<(usize, Line)> {
    let block = match parent {
        Some(parent) => nginx.directives.get(parent)?.block?,
        None => Span::new(0, nginx.as_bytes().len()),
    };
    let inside = |line: &&Line| line.span.start >= block.start && line.span.end <= block.end;
    nginx.document.lines().iter().rev().filter(inside).find_map(|line| {
        let text = line.span.of(nginx.as_bytes()).trim_ascii().strip_prefix(b"#")?.strip_suffix(b";")?;
        // What is indented after the `#` stands in a block that is commented out.
        let text = text.strip_prefix(b" ").unwrap_or(text);
        let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let fits = text.starts_with(directive.as_bytes())
            && words.next() == Some(directive.as_bytes())
            && first_argument.is_none_or(|first| words.next() == Some(first.as_bytes()));
        if !fits {
            return None;
        }
        let free = |one: &NginxDirective| {
            let around = one.block.is_some_and(|own| own.start <= block.start && block.end <= own.end);
            around || one.span.end <= line.span.start || one.span.start >= line.span.end
        };
        let above = nginx.directives.iter().filter(|one| one.span.start < line.span.start).count();
        nginx.directives.iter().all(free).then_some((above, *line))
    })
}

/// Tells whether only blanks and a comment stand between an offset and the end of its line.
fn ends_with(nginx: &NginxDocument, at: usize, line: Line) -> bool {
    let rest = Span::new(at, line.span.end).of(nginx.as_bytes());
    matches!(rest.trim_ascii_start(), [] | [b'#', ..])
}

fn line_at(nginx: &NginxDocument, at: usize) -> Option<Line> {
    let lines = nginx.document.lines();
    lines.get(lines.partition_point(|line| line.span.start <= at).checked_sub(1)?).copied()
}

/// The blanks at the beginning of a line.
fn indentation(nginx: &NginxDocument, line: Line) -> Vec<u8> {
    let text = line.span.of(nginx.as_bytes());
    text.iter().copied().take_while(|byte| matches!(byte, b' ' | b'\t')).collect()
}
