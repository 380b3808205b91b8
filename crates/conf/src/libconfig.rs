//! Files of libconfig, as ProxySQL's: what they say, for reading only.
//!
//! The grammar is that of libconfig's manual ("Configuration Files"): settings `name = value`, groups in braces, arrays in
//! brackets, lists in parentheses, strings that follow one another are one. `@include` is not followed. The first fault ends
//! the reading, as it ends the program's; what stands before it is kept.

/// A deeper nest than this is a fault.
const DEEPEST: usize = 32;
/// More values than this are a fault.
const MOST_VALUES: usize = 100_000;

/// What a setting holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LibconfigValue {
    /// A number, a truth value or a string, as text without quotes.
    Scalar(String),
    /// Settings by name: `{ … }`.
    Group(Vec<LibconfigSetting>),
    /// Values in order: `[ … ]` or `( … )`.
    List(Vec<LibconfigValue>),
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibconfigSetting {
    /// Its name.
    pub name: String,
    /// The line of its name, counted from 1.
    pub line: u32,
    /// What it holds.
    pub value: LibconfigValue,
}

/// A file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LibconfigDocument {
    /// Its settings, in order.
    pub settings: Vec<LibconfigSetting>,
    /// The line of the first fault, and what it is.
    pub problem: Option<(u32, String)>,
}

impl LibconfigDocument {
    /// Reads a file.
    pub fn new(bytes: &[u8]) -> Self {
        let mut reader = Reader { rest: bytes, line: 1, values: 0 };
        let mut document = Self::default();
        if let Err(what) = reader.settings(&mut document.settings, None, 0) {
            document.problem = Some((reader.line, what));
        }
        document
    }

    /// A setting at the top, by name.
    pub fn get(&self, name: &str) -> Option<&LibconfigValue> {
        find(&self.settings, name)
    }
}

impl LibconfigValue {
    /// A setting of a group, by name.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Group(settings) => find(settings, name),
            _ => None,
        }
    }

    /// The text of a number, a truth value or a string.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// The settings of a group; none of anything else.
    pub fn settings(&self) -> &[LibconfigSetting] {
        match self {
            Self::Group(settings) => settings,
            _ => &[],
        }
    }

    /// The values of a list or an array; none of anything else.
    pub fn values(&self) -> &[Self] {
        match self {
            Self::List(values) => values,
            _ => &[],
        }
    }
}

fn find<'a>(settings: &'a [LibconfigSetting], name: &str) -> Option<&'a LibconfigValue> {
    settings.iter().find(|setting| setting.name == name).map(|setting| &setting.value)
}

struct Reader<'a> {
    rest: &'a [u8],
    line: u32,
    values: usize,
}

type Read<T> = Result<T, String>;

impl Reader<'_> {
    fn settings(&mut self, into: &mut Vec<LibconfigSetting>, end: Option<u8>, depth: usize) -> Read<()> {
        loop {
            self.blanks()?;
            match self.rest.first() {
                None if end.is_none() => return Ok(()),
                None => return Err("the file ends inside a group".to_owned()),
                Some(byte) if Some(*byte) == end => {
                    self.skip(1);
                    return Ok(());
                }
                Some(b';' | b',') => self.skip(1),
                Some(b'@') => self.skip_line(),
                Some(_) => {
                    let line = self.line;
                    let name = self.name()?;
                    self.blanks()?;
                    if !matches!(self.rest.first(), Some(b'=' | b':')) {
                        return Err(format!("`=` is expected after {name}"));
                    }
                    self.skip(1);
                    let value = self.value(depth)?;
                    into.push(LibconfigSetting { name, line, value });
                }
            }
        }
    }

    fn value(&mut self, depth: usize) -> Read<LibconfigValue> {
        self.values += 1;
        if depth > DEEPEST || self.values > MOST_VALUES {
            return Err("it holds more than a configuration does".to_owned());
        }
        self.blanks()?;
        match self.rest.first() {
            Some(b'{') => {
                self.skip(1);
                let mut settings = vec![];
                self.settings(&mut settings, Some(b'}'), depth + 1)?;
                Ok(LibconfigValue::Group(settings))
            }
            Some(b'[') => self.list(b']', depth + 1),
            Some(b'(') => self.list(b')', depth + 1),
            Some(b'"') => self.strings().map(LibconfigValue::Scalar),
            Some(byte) if is_word(*byte) => Ok(LibconfigValue::Scalar(self.word(is_word))),
            _ => Err("a value is expected".to_owned()),
        }
    }

    fn list(&mut self, end: u8, depth: usize) -> Read<LibconfigValue> {
        self.skip(1);
        let mut values = vec![];
        loop {
            self.blanks()?;
            match self.rest.first() {
                None => return Err("the file ends inside a list".to_owned()),
                Some(byte) if *byte == end => {
                    self.skip(1);
                    return Ok(LibconfigValue::List(values));
                }
                Some(b',') => self.skip(1),
                Some(_) => values.push(self.value(depth)?),
            }
        }
    }

    /// Strings that follow one another are one.
    fn strings(&mut self) -> Read<String> {
        let mut bytes = vec![];
        while self.rest.first() == Some(&b'"') {
            self.skip(1);
            loop {
                match self.rest {
                    [] => return Err("the file ends inside a string".to_owned()),
                    [b'"', ..] => {
                        self.skip(1);
                        break;
                    }
                    [b'\\', code, ..] => {
                        bytes.push(match code {
                            b'n' => b'\n',
                            b't' => b'\t',
                            b'r' => b'\r',
                            other => *other,
                        });
                        self.skip(2);
                    }
                    [byte, ..] => {
                        bytes.push(*byte);
                        self.skip(1);
                    }
                }
            }
            self.blanks()?;
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn name(&mut self) -> Read<String> {
        let name = self.word(|byte| byte.is_ascii_alphanumeric() || b"-_*".contains(&byte));
        if name.is_empty() { Err("the name of a setting is expected".to_owned()) } else { Ok(name) }
    }

    fn word(&mut self, is: impl Fn(u8) -> bool) -> String {
        let length = self.rest.iter().position(|byte| !is(*byte)).unwrap_or(self.rest.len());
        let word = self.rest.get(..length).unwrap_or_default();
        let word = String::from_utf8_lossy(word).into_owned();
        self.skip(length);
        word
    }

    /// Blanks and comments.
    fn blanks(&mut self) -> Read<()> {
        loop {
            match self.rest {
                [b'#', ..] | [b'/', b'/', ..] => self.skip_line(),
                [b'/', b'*', ..] => {
                    self.skip(2);
                    let end = self.rest.windows(2).position(|two| two == b"*/");
                    self.skip(end.ok_or("the file ends inside a comment")? + 2);
                }
                [byte, ..] if byte.is_ascii_whitespace() => self.skip(1),
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) {
        let end = self.rest.iter().position(|byte| *byte == b'\n').unwrap_or(self.rest.len());
        self.skip(end);
    }

    fn skip(&mut self, count: usize) {
        let (gone, rest) = self.rest.split_at(count.min(self.rest.len()));
        let lines = gone.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.rest = rest;
    }
}

/// What numbers and truth values are made of.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-' | b'_')
}

#[cfg(test)]
#[path = "libconfig_tests.rs"]
mod tests;
