//! Lines of at most 100 columns, wrapped at blanks, with a hanging indent.

use anstyle::{AnsiColor, Style};

/// The widest line.
const COLUMNS: usize = 100;

/// Text that is being laid out.
#[derive(Debug, Default)]
pub(crate) struct Page {
    text: String,
}

/// The style of a confirmed cause and of work being lost.
pub(crate) fn bad() -> Style {
    AnsiColor::Red.on_default().bold()
}

/// The style of what fits and is not proved.
pub(crate) fn doubtful() -> Style {
    AnsiColor::Yellow.on_default()
}

/// The style of what was ruled out.
pub(crate) fn good() -> Style {
    AnsiColor::Green.on_default()
}

/// The style of what matters less.
pub(crate) fn faint() -> Style {
    Style::new().dimmed()
}

/// The style of headings.
pub(crate) fn strong() -> Style {
    Style::new().bold()
}

impl Page {
    /// Adds an empty line, unless there is one.
    pub(crate) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Adds a heading after an empty line.
    pub(crate) fn heading(&mut self, text: &str) {
        self.gap();
        let style = strong();
        self.text.push_str(&format!("{style}{text}{style:#}\n"));
    }

    /// Adds a line that begins with a styled label and is wrapped under a hanging indent.
    pub(crate) fn line(&mut self, label: &str, style: Style, indent: usize, text: &str) {
        let label_width = label.chars().count();
        let first = COLUMNS.saturating_sub(label_width.max(indent));
        let mut lines = wrap(text, first.max(20), COLUMNS.saturating_sub(indent).max(20)).into_iter();
        let padding = " ".repeat(indent.saturating_sub(label_width));
        let start = lines.next().unwrap_or_default();
        let whole = format!("{style}{label}{style:#}{padding}{start}");
        self.text.push_str(whole.trim_end());
        self.text.push('\n');
        for line in lines {
            self.text.push_str(&format!("{}{line}\n", " ".repeat(indent)));
        }
    }

    /// Adds what to do next: commands, and what each is for.
    pub(crate) fn commands(&mut self, commands: &[(String, &str)]) {
        let width = commands.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
        let labels = std::iter::once("NEXT    ").chain(std::iter::repeat("        "));
        for (label, (command, what)) in labels.zip(commands) {
            let label = format!("{label}{command:<width$}   ");
            self.line(&label, strong(), label.chars().count(), what);
        }
    }

    /// Adds a line as it is, but for what is wider than a page and for control characters.
    pub(crate) fn cut(&mut self, label: &str, style: Style, line: &str) {
        let letters = line.chars().filter(|letter| *letter == '\t' || !letter.is_control());
        let mut line: String = label.chars().chain(letters).collect();
        if line.chars().count() > COLUMNS {
            line = line.chars().take(COLUMNS - 1).chain(['…']).collect();
        }
        self.row(&format!("{style}{line}{style:#}"));
    }

    /// Adds a line of a table as it is.
    pub(crate) fn row(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// The whole text.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// Breaks text at blanks so that no line is wider than allowed; a longer word is cut.
fn wrap(text: &str, first: usize, others: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut width = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        for piece in pieces(word, others) {
            let length = piece.chars().count();
            let room = if lines.len() == 1 { first } else { others };
            if width > 0 && width + 1 + length > room {
                lines.push(String::new());
                width = 0;
            }
            if let Some(line) = lines.last_mut() {
                if width > 0 {
                    line.push(' ');
                    width += 1;
                }
                line.push_str(&piece);
                width += length;
            }
        }
    }
    lines
}

fn pieces(word: &str, width: usize) -> Vec<String> {
    let letters: Vec<char> = word.chars().filter(|letter| !letter.is_control()).collect();
    letters.chunks(width.max(1)).map(|chunk| chunk.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_blanks_and_words_that_are_too_long_are_cut() {
        assert_eq!(wrap("aa bb cc", 5, 5), ["aa bb", "cc"]);
        assert_eq!(wrap("abcdefgh", 4, 4), ["abcd", "efgh"]);
    }

    #[test]
    fn control_characters_of_the_host_do_not_reach_the_terminal() {
        assert_eq!(wrap("a\x1b[31mb", 20, 20), ["a[31mb"]);
    }
}
