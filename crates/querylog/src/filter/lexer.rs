//! An expression as words.

use super::Fault;

/// A word and where it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) at: usize,
    pub(super) word: Word,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    /// A number, in seconds where it has a unit of time.
    Number(f64),
    /// What stands in quotes.
    Text(String),
    /// A name; `true` where it is in backquotes and so need not be known.
    Name(String, bool),
    /// An operator or a parenthesis.
    Sign(&'static str),
}

/// Longer ones come first.
const SIGNS: [&str; 20] = [
    "&&", "||", "==", "!=", "<>", "<=", ">=", "!~", "<", ">", "=", "~", "!", "+", "-", "*", "/", "%", "(",
    ")",
];

/// Units, and what they make of a number. Those of time lead to seconds.
const UNITS: [(&str, f64); 16] = [
    ("us", 1e-6),
    ("µs", 1e-6),
    ("ms", 1e-3),
    ("s", 1.0),
    ("m", 60.0),
    ("min", 60.0),
    ("h", 3600.0),
    ("k", 1e3),
    ("K", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("Ki", 1024.0),
    ("KiB", 1024.0),
    ("Mi", 1_048_576.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];

/// The words of an expression.
pub(super) fn tokens(expression: &str) -> Result<Vec<Token>, Fault> {
    let mut tokens = Vec::new();
    let mut rest = expression;
    loop {
        rest = rest.trim_start();
        let at = expression.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let (word, length) = match first {
            '\'' | '"' => quoted(rest, first, at).map(|(text, length)| (Word::Text(text), length))?,
            '`' => quoted(rest, first, at).map(|(text, length)| (Word::Name(text, true), length))?,
            '0'..='9' | '.' => number(rest, at)?,
            _ if first.is_alphabetic() || first == '_' => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                let (name, _) = rest.split_at(length);
                (Word::Name(name.to_owned(), false), length)
            }
            _ => {
                let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
                let sign = sign.ok_or_else(|| Fault::new(at, format!("`{first}` means nothing here")))?;
                (Word::Sign(sign), sign.len())
            }
        };
        tokens.push(Token { at, word });
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// What stands in quotes, and how long it is with them. A doubled quote is one.
fn quoted(rest: &str, quote: char, at: usize) -> Result<(String, usize), Fault> {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((place, letter)) = letters.next() {
        if letter != quote {
            text.push(letter);
        } else if letters.next_if(|(_, next)| *next == quote).is_some() {
            text.push(quote);
        } else {
            return Ok((text, place + 1));
        }
    }
    Err(Fault::new(at, format!("the {quote} that opens here is never closed")))
}

fn number(rest: &str, at: usize) -> Result<(Word, usize), Fault> {
    let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(rest.len());
    let (plain, more) = rest.split_at(digits);
    let length = more.find(|c: char| !c.is_alphanumeric()).unwrap_or(more.len());
    let (unit, _) = more.split_at(length);
    let number: f64 =
        plain.replace('_', "").parse().map_err(|_| Fault::new(at, format!("`{plain}` is no number")))?;
    let factor = match UNITS.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => *factor,
        None if unit.is_empty() => 1.0,
        None => {
            let units: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
            let why = format!("`{unit}` is no unit; there are {}", units.join(", "));
            return Err(Fault::new(at + digits, why));
        }
    };
    Ok((Word::Number(number * factor), digits + length))
}
