//! The words of a statement, as far as it takes to say which names are qualified.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword, or a name in backticks or bare.
    Name,
    /// A string; by the server's mode, one in double quotes may be a name.
    Text,
    /// Anything else, one character each.
    Sign,
    /// A comment whose contents the server may execute.
    Hidden,
}

/// A token, and where it lies in the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    /// The name without its quotes, in lower case.
    pub(super) fn name(&self) -> String {
        self.text.trim_matches(['`', '"']).replace("``", "`").to_lowercase()
    }
}

/// Splits a statement. `escapes` is whether a backslash escapes within strings (no `NO_BACKSLASH_ESCAPES`).
pub(super) fn tokens(statement: &str, escapes: bool) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(rest) = statement.get(start..).filter(|rest| !rest.is_empty()) {
        let (kind, length) = first(rest, escapes);
        if let (Some(kind), Some(text)) = (kind, rest.get(..length)) {
            found.push(Token { kind, text, start });
        }
        start += length.max(1);
    }
    found
}

fn first(rest: &str, escapes: bool) -> (Option<Kind>, usize) {
    let until = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
    let character = rest.chars().next().unwrap_or(' ');
    match character {
        space if space.is_whitespace() => (None, space.len_utf8()),
        '#' => (None, until("\n")),
        '-' if rest.starts_with("--") && rest.get(2..3).is_none_or(|next| next.trim().is_empty()) => {
            (None, until("\n"))
        }
        '/' if rest.starts_with("/*") => {
            let hidden = rest.starts_with("/*!") || rest.starts_with("/*M!");
            (hidden.then_some(Kind::Hidden), until("*/"))
        }
        '`' => (Some(Kind::Name), quoted(rest, '`', false)),
        '\'' | '"' => (Some(Kind::Text), quoted(rest, character, escapes)),
        letter if in_name(letter) => {
            (Some(Kind::Name), rest.find(|next| !in_name(next)).unwrap_or(rest.len()))
        }
        sign => (Some(Kind::Sign), sign.len_utf8()),
    }
}

fn in_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$') || !character.is_ascii()
}

/// Bytes of a quoted token, with both quotes; a quote is doubled or escaped within.
fn quoted(rest: &str, quote: char, escapes: bool) -> usize {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if escapes && character == '\\' {
            characters.next();
        } else if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + quote.len_utf8();
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(statement: &str) -> Vec<&str> {
        tokens(statement, true).iter().map(|token| token.text).collect()
    }

    #[test]
    fn strings_comments_and_names_are_told_apart() {
        assert_eq!(
            texts("SELECT `a``b`.c, 'it''s \\' ;' -- x.y\n FROM wp.t /* z.q */ #r"),
            ["SELECT", "`a``b`", ".", "c", ",", "'it''s \\' ;'", "FROM", "wp", ".", "t"]
        );
        assert!(tokens("SELECT 1 /*!50000 FROM x.y */", true).iter().any(|token| token.kind == Kind::Hidden));
    }

    #[test]
    fn a_backslash_is_a_plain_character_where_the_server_says_so() {
        let plain = tokens(r"SELECT '\', wp.t", false);
        assert_eq!(plain.last().map(|token| token.text), Some("t"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_split_without_a_panic_and_in_order(text in "\\PC{0,200}", escapes: bool) {
            let mut end = 0;
            for token in tokens(&text, escapes) {
                assert!(token.start >= end);
                end = token.start + token.text.len();
            }
            assert!(end <= text.len());
        }
    }
}
