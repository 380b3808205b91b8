//! A short form of a statement that has the same fingerprint.
//!
//! Making a fingerprint takes many passes, and logs hold millions of statements of a few hundred classes. The short form is
//! made in one pass: it rewrites only what provably does not change the fingerprint (the inside of strings and comments,
//! runs of digits, lists of literals, rows after the first), and leaves everything else as it stands. So statements with
//! equal short forms have equal fingerprints, and the exact rules run once for each short form that is met.
//!
//! Tests hold every rewriting to that: `fingerprint(short(q)) == fingerprint(q)`.

mod early;
mod marks;
mod memo;

use crate::fingerprint::{Options, Rules};
use marks::{Marks, Quote, list_end};

pub(crate) use memo::Memo;

/// Makes short forms, in a buffer that is used again and again.
#[derive(Debug)]
pub(crate) struct Shortener {
    options: Options,
    out: Vec<u8>,
}

/// Why the rest of a statement is taken as it stands: quotes or escapes whose reading by the rules is not the plain one.
struct Odd;

/// Bytes that a number goes on with, once it has begun with a digit. Letters are those the rules take; dots and signs are
/// left out, since a word such as `false` may begin after them.
fn goes_on(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'a'..=b'f' | b'x')
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl Shortener {
    pub(crate) fn new(options: Options) -> Self {
        Self { options, out: Vec::new() }
    }

    /// The short form of a statement.
    pub(crate) fn shorten(&mut self, query: &[u8]) -> &[u8] {
        self.out.clear();
        if self.options.match_md5 {
            self.out.extend_from_slice(query);
            return &self.out;
        }
        match early::look(query) {
            early::Early::Whole(length) => self.out.extend(query.get(..length).unwrap_or(query)),
            early::Early::Rows { values, end } => {
                let text = query.get(..end).unwrap_or(query);
                if !self.scan(text, Some(values)) {
                    self.out.clear();
                    self.out.extend_from_slice(text);
                }
                self.out.extend_from_slice(b",(");
            }
            early::Early::Plain => {
                if !self.scan(query, None) {
                    self.out.clear();
                    self.out.extend_from_slice(query);
                }
            }
        }
        &self.out
    }

    /// Rewrites a statement; says `false` where it must be taken as it stands from its beginning.
    ///
    /// `values` is where the rules find the word VALUES of an INSERT of several rows. It must not be in anything that is
    /// rewritten, since it would not be found there again.
    fn scan(&mut self, text: &[u8], values: Option<usize>) -> bool {
        let mut pass = Pass {
            text,
            marks: Marks::new(text),
            done: 0,
            lead: 0,
            comment_end: 0,
            values,
            options: self.options,
        };
        let mut at = 0;
        while let Some(place) = pass.marks.stop(at) {
            match pass.step(place, &mut self.out) {
                Ok(next) => at = next,
                Err(Odd) if values.is_some() || pass.starts_with_use() => return false,
                Err(Odd) => break,
            }
        }
        if pass.starts_with_use() {
            return false;
        }
        self.out.extend_from_slice(text.get(pass.done..).unwrap_or_default());
        true
    }
}

/// One pass over a statement.
struct Pass<'a> {
    text: &'a [u8],
    marks: Marks<'a>,
    /// Everything before this is in the short form.
    done: usize,
    /// Everything before this is blank or comment.
    lead: usize,
    /// Where the last comment ends.
    comment_end: usize,
    values: Option<usize>,
    options: Options,
}

impl Pass<'_> {
    fn byte(&self, place: usize) -> u8 {
        self.text.get(place).copied().unwrap_or(0)
    }

    /// Handles what begins at a place, and says where to go on.
    fn step(&mut self, place: usize, out: &mut Vec<u8>) -> Result<usize, Odd> {
        match self.byte(place) {
            b'0'..=b'9' => Ok(self.number(place, out)),
            quote @ (b'\'' | b'"') => {
                let end = self.string(place, quote)?;
                self.replace(place, end, self.literal(place, end, quote), out)
            }
            b'(' => self.list(place, out),
            b'#' => self.line_comment(place, b"#", out),
            b'-' if self.byte(place + 1) == b'-' => self.line_comment(place, b"--", out),
            b'/' if self.byte(place + 1) == b'*' => self.block_comment(place, out),
            b'\\' => Err(Odd),
            _ => Ok(place + 1),
        }
    }

    /// Puts something else in the place of a part of the text.
    fn replace(&mut self, from: usize, to: usize, with: &[u8], out: &mut Vec<u8>) -> Result<usize, Odd> {
        if self.values.is_some_and(|values| (from..to).contains(&values)) {
            return Err(Odd);
        }
        out.extend_from_slice(self.text.get(self.done..from).unwrap_or_default());
        out.extend_from_slice(with);
        self.done = to;
        Ok(to)
    }

    fn number(&mut self, place: usize, out: &mut Vec<u8>) -> usize {
        let mut end = place + 1;
        while goes_on(self.byte(end)) {
            end += 1;
        }
        let in_word = place > 0 && (is_word(self.byte(place - 1)) || place == self.comment_end);
        if !(self.options.preserve_embedded_numbers && in_word) {
            out.extend_from_slice(self.text.get(self.done..place).unwrap_or_default());
            out.push(b'1');
            self.done = end;
        }
        end
    }

    /// What stands for a string. An empty one may be read together with what comes after it, if that can be taken away.
    fn literal(&self, place: usize, end: usize, quote: u8) -> &'static [u8] {
        let goes = end < self.text.len()
            && !matches!(self.byte(end), b',' | b')' | b';' | b'=')
            && !is_blank(self.byte(end));
        match (quote, goes && end - place > 2) {
            (b'"', false) => b"\"\"",
            (b'"', true) => b"\"s\"",
            (_, false) => b"''",
            (_, true) => b"'s'",
        }
    }

    /// The end of a string that the rules read as a person would.
    fn string(&mut self, place: usize, quote: u8) -> Result<usize, Odd> {
        // The rules want a byte before a quote, other than the end of another string: a comment is none.
        if place == self.comment_end {
            return Err(Odd);
        }
        let (end, found) = self.marks.quote(place + 1, quote == b'\'').ok_or(Odd)?;
        let wanted = if quote == b'"' { Quote::Double } else { Quote::Single };
        if found != wanted || self.byte(end + 1) == quote {
            return Err(Odd);
        }
        if self.options.rules == Rules::Toolkit32 {
            let inside = self.text.get(place + 1..end).unwrap_or_default();
            if memchr::memmem::find(inside, b"\\\\").is_some() {
                return Err(Odd);
            }
        }
        Ok(end + 1)
    }

    /// A list of nothing but literals after IN or VALUES: how many there are does not matter.
    fn list(&mut self, place: usize, out: &mut Vec<u8>) -> Result<usize, Odd> {
        if !self.follows_keyword(place) {
            return Ok(place + 1);
        }
        let mut at = place + 1;
        // A quote stays a quote: it decides whether a dash before it begins a comment.
        let mut stands: &[u8] = b"1";
        loop {
            at = list_end(self.text, at);
            match self.byte(at) {
                b')' => return self.replace(place + 1, at, stands, out),
                quote @ (b'\'' | b'"') => match self.string(at, quote) {
                    Ok(end) => (at, stands) = (end, b"''"),
                    Err(Odd) => return Ok(place + 1),
                },
                _ => return Ok(place + 1),
            }
        }
    }

    /// Whether the word before a place, blanks aside, is IN, VALUE or VALUES, and a blank or bracket is before it.
    fn follows_keyword(&self, place: usize) -> bool {
        let before = self.text.get(..place).unwrap_or_default();
        let blanks = before.iter().rev().take_while(|byte| is_blank(**byte)).count();
        let before = before.get(..before.len() - blanks).unwrap_or_default();
        if !before.last().is_some_and(|last| matches!(last, b'n' | b'N' | b's' | b'S' | b'e' | b'E')) {
            return false;
        }
        [&b"in"[..], b"values", b"value"].iter().any(|word| {
            let Some((rest, end)) = before.split_at_checked(before.len().wrapping_sub(word.len())) else {
                return false;
            };
            end.eq_ignore_ascii_case(word) && rest.last().is_some_and(|byte| is_blank(*byte) || *byte == b')')
        })
    }

    /// A comment to the end of the line, if no quote is in it.
    fn line_comment(&mut self, place: usize, sign: &[u8], out: &mut Vec<u8>) -> Result<usize, Odd> {
        let start = place + sign.len();
        let rest = self.text.get(start..).unwrap_or_default();
        let end = rest.iter().position(|byte| matches!(byte, b'\'' | b'"' | b'\r' | b'\n'));
        let end = end.map_or(self.text.len(), |end| start + end);
        if matches!(self.byte(end), b'\'' | b'"') && end < self.text.len() {
            return Ok(place + 1);
        }
        if memchr::memmem::find(self.text.get(place..end).unwrap_or_default(), b"/*").is_some() {
            return Err(Odd);
        }
        let next = self.replace(start, end, b"", out)?;
        self.leads_to(place, next);
        Ok(next)
    }

    /// A comment between `/*` and `*/`, which is not the kind that servers execute.
    fn block_comment(&mut self, place: usize, out: &mut Vec<u8>) -> Result<usize, Odd> {
        if self.byte(place + 2) == b'!' {
            return Ok(place + 2);
        }
        // The first byte of a comment is part of it, whatever it is: `/**/` does not end there.
        let inside = self.text.get(place + 3..).unwrap_or_default();
        let length = memchr::memmem::find(inside, b"*/").ok_or(Odd)?;
        let end = place + 3 + length;
        let text = self.text.get(place + 2..end).unwrap_or_default();
        if let [.., b'0'..=b'9', b'/', b'0'..=b'9'] = text {
            // It may be one of pt-query-digest's own, `/*db.table:1/2*/`, which the rules know.
            self.leads_to(place, end + 2);
            return Ok(end + 2);
        }
        self.replace(place + 2, end, b"c", out)?;
        self.leads_to(place, end + 2);
        Ok(end + 2)
    }

    /// Notes where a comment ends, and if nothing but blanks and comments is before it.
    fn leads_to(&mut self, place: usize, next: usize) {
        self.comment_end = next;
        let between = self.text.get(self.lead..place).unwrap_or_default();
        if between.iter().all(u8::is_ascii_whitespace) {
            self.lead = next;
        }
    }

    /// Whether the statement is USE after its comments: it has a rule of its own.
    fn starts_with_use(&self) -> bool {
        let rest = self.text.get(self.lead..).unwrap_or_default().trim_ascii_start();
        rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case(b"use"))
            && rest.get(3).is_some_and(|byte| byte.is_ascii_whitespace() || *byte == 0x0b)
    }
}

#[cfg(test)]
mod tests;
