//! What the demo prints: at most 100 columns, with headings; of long outputs the parts that matter here, as they are.

use std::io::{IsTerminal, Write};

use crate::faults::{Attempt, Result};

/// Where it is printed.
pub(super) struct Screen<'a> {
    to: &'a mut dyn Write,
    colours: bool,
}

/// Which part of an output is shown: the paragraph whose first line begins so, and how many lines of it at most.
pub(super) struct Part(pub(super) &'static str, pub(super) usize);

impl<'a> Screen<'a> {
    /// Colours are for terminals.
    pub(super) fn new(to: &'a mut dyn Write) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { to, colours: wanted && std::io::stdout().is_terminal() }
    }

    /// Whether programs should print colours too.
    pub(super) fn colours(&self) -> bool {
        self.colours
    }

    /// A heading after an empty line.
    pub(super) fn heading(&mut self, text: &str) -> Result<()> {
        let line = self.styled("1;7", &format!(" {text} "));
        self.say(&format!("\n{line}"))
    }

    /// A line of prose.
    pub(super) fn say(&mut self, text: &str) -> Result<()> {
        writeln!(self.to, "{text}").and_then(|()| self.to.flush()).attempt(|| "print".to_owned())
    }

    /// A command as its user types it.
    pub(super) fn command(&mut self, line: &str) -> Result<()> {
        let line = self.styled("1", &format!("root@web:~# {line}"));
        self.say(&format!("\n{line}"))
    }

    /// A second of the shop.
    pub(super) fn second(&mut self, number: usize, good: u32, failed: u32) -> Result<()> {
        let failed = format!("{failed:>4} failed");
        let failed = if failed.starts_with("   0") { failed } else { self.styled("1;31", &failed) };
        self.say(&format!("  second {number:>3}   {good:>4} pages {failed}"))
    }

    /// Parts of an output, and how many lines are left out between them. All of it where no part is named.
    pub(super) fn parts(&mut self, output: &str, parts: &[Part]) -> Result<()> {
        let (mut left_out, mut blank) = (0, "");
        for paragraph in output.trim_end().split("\n\n") {
            let lines: Vec<_> = paragraph.lines().collect();
            let first = lines.first().map(|line| plain(line)).unwrap_or_default();
            let part = parts.iter().find(|Part(begins, _)| first.trim_start().starts_with(begins));
            let shown = if parts.is_empty() { lines.len() } else { part.map_or(0, |Part(_, most)| *most) };
            if shown > 0 {
                self.gap(&mut left_out)?;
                self.say(&format!(
                    "{blank}{}",
                    lines.get(..shown.min(lines.len())).unwrap_or_default().join("\n")
                ))?;
                blank = "\n";
            }
            left_out += lines.len().saturating_sub(shown);
        }
        self.gap(&mut left_out)
    }

    fn gap(&mut self, left_out: &mut usize) -> Result<()> {
        let lines = std::mem::take(left_out);
        match lines {
            0 => Ok(()),
            _ => {
                let text = format!("  ⋮ {lines} line{} not shown here", if lines == 1 { "" } else { "s" });
                let text = self.styled("2", &text);
                self.say(&text)
            }
        }
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A line without the codes of colours (ECMA-48, select graphic rendition).
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('\x1b') {
        text.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_output_the_named_parts_are_shown_and_the_rest_is_counted() -> Result<()> {
        let output = "headline\n\nA\n  one\n  two\n\n\x1b[1mB\x1b[0m\n  three\n  four\n\nend\n";
        let mut printed = Vec::new();
        Screen::new(&mut printed).parts(output, &[Part("headline", 1), Part("B", 2)])?;
        let printed = String::from_utf8_lossy(&printed).into_owned();
        let expected =
            "headline\n  ⋮ 3 lines not shown here\n\n\x1b[1mB\x1b[0m\n  three\n  ⋮ 2 lines not shown here\n";
        assert_eq!(printed, expected);
        Ok(())
    }
}
