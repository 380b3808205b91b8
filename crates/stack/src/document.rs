//! The documents beside causes and symptoms: prose for `narrows explain`, and cases that the tests run.
//!
//! Everything before the heading `## Cases` is prose. Fenced blocks after it and before the first `### case` build the
//! host that all cases share; blocks below a `### case` add to it or replace parts of it. Block kinds, by info string:
//!
//! - `file path=/proc/stat at=1`: the bytes of a file from that instant on; without `at`, in every instant.
//! - `link path=/sys/class/net/eth0/device`: the target of a symbolic link.
//! - `absent path=/proc/pressure/io`: takes a shared file away again.
//! - `verdict` (causes) and `presence` (symptoms): what is expected, one statement a line.
//!
//! Instants are 10 s apart unless the case gives `/proc/uptime`; a case has two, or as many as its blocks name.

/// A document taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document<'a> {
    /// The text of the first heading.
    pub title: &'a str,
    /// What a person reads.
    pub prose: &'a str,
    /// Blocks that build the host all cases share.
    pub shared: Vec<Block<'a>>,
    /// The cases.
    pub cases: Vec<Case<'a>>,
}

/// One case: a host and what is expected of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case<'a> {
    /// The heading.
    pub name: &'a str,
    /// Blocks of this case.
    pub blocks: Vec<Block<'a>>,
}

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<'a> {
    /// The first word of the info string.
    pub kind: &'a str,
    /// The words of the form `name=value` after it.
    pub attributes: Vec<(&'a str, &'a str)>,
    /// What is inside the fence.
    pub text: &'a str,
    /// The line of the opening fence, counted from 1.
    pub line: usize,
}

impl Block<'_> {
    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }
}

/// Takes a document apart. A fence that is never closed runs to the end.
pub fn parse(text: &str) -> Document<'_> {
    let title = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default().trim();
    let cases_at = text.find("\n## Cases").map_or(text.len(), |at| at + 1);
    let (prose, rest) = text.split_at(cases_at);
    let mut document = Document { title, prose: prose.trim_end(), shared: vec![], cases: vec![] };
    let first_line = prose.lines().count() + 1;
    let mut lines = LineCursor { rest, number: first_line };
    while let Some((number, line)) = lines.next() {
        if let Some(name) = line.strip_prefix("### ") {
            document.cases.push(Case { name: name.trim(), blocks: vec![] });
        } else if let Some(info) = line.strip_prefix("```") {
            let block = block(info, number, lines.until_fence());
            match document.cases.last_mut() {
                Some(case) => case.blocks.push(block),
                None => document.shared.push(block),
            }
        }
    }
    document
}

fn block<'a>(info: &'a str, line: usize, text: &'a str) -> Block<'a> {
    let mut words = info.split_whitespace();
    let kind = words.next().unwrap_or_default();
    Block { kind, attributes: words.filter_map(|word| word.split_once('=')).collect(), text, line }
}

struct LineCursor<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> LineCursor<'a> {
    fn next(&mut self) -> Option<(usize, &'a str)> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        self.number += 1;
        Some((self.number - 1, line))
    }

    fn until_fence(&mut self) -> &'a str {
        let start = self.rest;
        let mut taken = 0;
        while let Some((_, line)) = self.next() {
            if line.trim_end() == "```" {
                break;
            }
            taken += line.len() + 1;
        }
        start.get(..taken).unwrap_or(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_shared_blocks_and_cases_are_told_apart() {
        let text =
            "# T\n\nProse.\n\n## Cases\n\n```file path=/a\n1\n```\n\n### one\n\n```verdict\nconfirmed\n```\n";
        let document = parse(text);
        assert_eq!((document.title, document.prose), ("T", "# T\n\nProse."));
        assert_eq!(document.shared.len(), 1);
        assert_eq!(document.shared[0].attribute("path"), Some("/a"));
        assert_eq!(document.shared[0].text, "1\n");
        assert_eq!(document.cases[0].blocks[0].text, "confirmed\n");
        assert_eq!(document.cases[0].blocks[0].line, 13);
    }
}
