//! The ini dialect of PHP: php.ini, `conf.d` and PHP-FPM pools.
//!
//! The rules are those of Zend/zend_ini_scanner.l and zend_ini_parser.y of PHP 8.2 in normal mode, seen with
//! `parse_ini_string`. A pool is read by the same parser line by line (`fpm_conf_load_ini_file`), so that there a
//! quoted value cannot go on in the next line.

use std::sync::Arc;

use crate::document::{Document, Line, Span};
use crate::settings::{Header, LineRole, Reading, Setting};

const HASH: &str =
    "`#` begins no comment since PHP 7: PHP takes the line for a setting; begin comments with `;`";
const NO_VALUE: &str = "there is no `=`, which PHP-FPM refuses in a pool; write key = value";
const SYNTAX: &str = "PHP reports a syntax error here and leaves the rest of the file unread";
const UNCLOSED: &str = "a quote, bracket or `${` is not closed";
const RESERVED: [&str; 8] = ["null", "none", "yes", "no", "true", "false", "on", "off"];

/// Reads every line; stops at one that PHP's parser gives up on.
pub(crate) fn read(document: &Document) -> Reading {
    let mut reading = Reading::default();
    let mut read_to = 0;
    for line in document.lines() {
        if line.span.start < read_to {
            reading.roles.push(LineRole::Statement);
            continue;
        }
        let text = line.span.trim(document.as_bytes(), is_blank);
        let (role, stop) = match text.of(document.as_bytes()) {
            [] => (LineRole::Blank, Ok(())),
            [b';', ..] => (LineRole::Comment, Ok(())),
            [b'[', ..] => (LineRole::Header, read_header(document, *line, text, &mut reading)),
            [first, ..] => {
                if *first == b'#' {
                    reading.problem(document, line.number, HASH, false);
                }
                (LineRole::Statement, read_setting(document, *line, text, &mut reading, &mut read_to))
            }
        };
        reading.roles.push(role);
        if let Err(what) = stop {
            reading.problem(document, line.number, what, true);
            break;
        }
    }
    reading
}

fn read_header(
    document: &Document,
    line: Line,
    text: Span,
    reading: &mut Reading,
) -> Result<(), &'static str> {
    let inside = Span::new(text.start.saturating_add(1), text.end);
    let bytes = inside.of(document.as_bytes());
    let close = bytes.iter().position(|byte| *byte == b']').ok_or(UNCLOSED)?;
    let (name, rest) = bytes.split_at_checked(close).ok_or(UNCLOSED)?;
    let rest = rest.get(1..).unwrap_or_default().trim_ascii_start();
    let ends = rest.is_empty() || rest.starts_with(b";");
    if !ends || name.iter().any(|byte| matches!(byte, b';' | b'\r' | b'\0' | b'$')) {
        return Err(SYNTAX);
    }
    reading.headers.push(Header { index: line.number.saturating_sub(1), name: bare(name) });
    Ok(())
}

fn read_setting(
    document: &Document,
    line: Line,
    text: Span,
    reading: &mut Reading,
    read_to: &mut usize,
) -> Result<(), &'static str> {
    let bytes = document.as_bytes();
    let statement = text.of(bytes);
    let label = statement.iter().position(|byte| ends_label(*byte)).unwrap_or(statement.len());
    let name = statement.get(..label).unwrap_or_default().trim_ascii_end();
    if name.is_empty() || RESERVED.iter().any(|word| name.eq_ignore_ascii_case(word.as_bytes())) {
        return Err(SYNTAX);
    }
    let mut rest = label;
    if statement.get(label) == Some(&b'[') {
        let offset = statement.iter().position(|byte| *byte == b']').ok_or(UNCLOSED)?;
        rest = offset.saturating_add(1);
    }
    let key = statement.get(..rest).unwrap_or_default().trim_ascii_end().to_vec();
    let blanks = statement.iter().skip(rest).take_while(|byte| is_blank(**byte)).count();
    rest = rest.saturating_add(blanks);
    match statement.get(rest) {
        Some(b'=') => {}
        None | Some(b';') if !key.ends_with(b"]") => {
            if !key.starts_with(b"#") {
                reading.problem(document, line.number, NO_VALUE, false);
            }
            return Ok(());
        }
        _ => return Err(SYNTAX),
    }
    let start = text.start.saturating_add(rest).saturating_add(1);
    let end = start.saturating_add(value_length(bytes.get(start..).unwrap_or_default())?);
    *read_to = end;
    if key.starts_with(b"#") {
        return Ok(());
    }
    let value_span = Span::new(start, end).trim(bytes, is_blank);
    let last = document.lines().partition_point(|line| line.span.start <= value_span.end.max(start));
    reading.settings.push(Setting {
        file: Arc::clone(document.file()),
        line: line.number,
        last_line: last.max(line.number),
        section: reading.section(),
        key,
        value: bare(value_span.of(bytes)),
        value_span,
        has_equals: true,
        comment_lines: Vec::new(),
    });
    Ok(())
}

/// Measures the value at the beginning of `rest`, up to the comment or the end of the line.
///
/// Outside quotes, `| & ^ ~ ! ( )` are operators and must form an expression.
fn value_length(rest: &[u8]) -> Result<usize, &'static str> {
    let (mut at, mut depth, mut operand, mut operators) = (0_usize, 0_usize, false, false);
    while let Some(byte) = rest.get(at) {
        let here = rest.get(at..).unwrap_or_default();
        let mut length = 1;
        match byte {
            b'\n' | b';' => break,
            b'\r' if here.starts_with(b"\r\n") => break,
            b'\r' | b'\0' | b'=' => return Err(SYNTAX),
            b'|' | b'&' | b'^' if operand => (operand, operators) = (false, true),
            b'~' | b'!' if !operand => operators = true,
            b'(' if !operand => (depth, operators) = (depth.saturating_add(1), true),
            b')' if operand && depth > 0 => depth = depth.saturating_sub(1),
            b'|' | b'&' | b'^' | b'~' | b'!' | b'(' | b')' => return Err(SYNTAX),
            b' ' | b'\t' => {}
            _ => {
                length = token_length(here).ok_or(UNCLOSED)?;
                operand = true;
            }
        }
        at = at.saturating_add(length);
    }
    if depth > 0 || (operators && !operand) {
        return Err(SYNTAX);
    }
    Ok(at)
}

/// Measures a quoted string, a `${name}` or a single byte; `None` when it is not closed.
fn token_length(text: &[u8]) -> Option<usize> {
    let close = match text {
        [b'"', ..] => return double_quoted_length(text),
        [b'\'', ..] => text.iter().skip(1).position(|byte| *byte == b'\'')?.checked_add(1)?,
        [b'$', b'{', ..] => {
            let line = text.split(|byte| *byte == b'\n').next()?;
            line.iter().position(|byte| *byte == b'}')?
        }
        _ => 0,
    };
    close.checked_add(1)
}

/// Measures a string in double quotes; `\"` does not end it unless the line ends there, as in `"C:\dir\"`.
fn double_quoted_length(text: &[u8]) -> Option<usize> {
    let mut at = 1_usize;
    loop {
        let length = match text.get(at..)? {
            [] => return None,
            [b'\\', b'"', b'\n' | b'\r', ..] | [b'\\', b'"'] => 1,
            [b'\\', _, ..] => 2,
            [b'"', ..] => return at.checked_add(1),
            _ => 1,
        };
        at = at.checked_add(length)?;
    }
}

/// Returns the text of a value that is one quoted string, and any other value as it is.
pub(crate) fn bare(value: &[u8]) -> Vec<u8> {
    let inside = value.get(1..value.len().saturating_sub(1)).unwrap_or_default();
    match value.first() {
        Some(b'\'') if value.len() > 1 && token_length(value) == Some(value.len()) => inside.to_vec(),
        Some(b'"') if token_length(value) == Some(value.len()) => {
            let mut text = Vec::with_capacity(inside.len());
            let mut rest = inside;
            while let [byte, after @ ..] = rest {
                rest = match rest {
                    [b'\\', escaped @ (b'"' | b'\\'), after @ ..] => {
                        text.push(*escaped);
                        after
                    }
                    _ => {
                        text.push(*byte);
                        after
                    }
                };
            }
            text
        }
        _ => value.to_vec(),
    }
}

/// Writes a value so that it is read back: as given, or in double quotes.
pub(crate) fn written(value: &[u8]) -> Vec<u8> {
    let quoted = matches!(value.first(), Some(b'"' | b'\'')) && token_length(value) == Some(value.len());
    let needs_none = |byte: &u8| {
        !matches!(
            byte,
            0..=0x1f
                | b';'
                | b'='
                | b'"'
                | b'\''
                | b'\\'
                | b'{'
                | b'}'
                | b'&'
                | b'|'
                | b'^'
                | b'~'
                | b'!'
                | b'('
                | b')'
        )
    };
    let plain = !value.is_empty() && value.trim_ascii() == value && value.iter().all(needs_none);
    if quoted || plain || is_expression(value) {
        return value.to_vec();
    }
    let mut text = vec![b'"'];
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text.push(b'"');
    text
}

/// Tells whether a value computes with PHP's constants, such as `E_ALL & ~E_DEPRECATED`.
fn is_expression(value: &[u8]) -> bool {
    let operator = |byte: &u8| matches!(byte, b'&' | b'|' | b'^' | b'~' | b'!' | b'(' | b')' | b' ');
    let constant = |word: &[u8]| {
        word.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
    };
    value.trim_ascii() == value
        && value.split(operator).all(constant)
        && value_length(value) == Ok(value.len())
        && !value.is_empty()
}

/// Compares keys: exactly, but for the quotes in `env["X"]`.
pub(crate) fn same_key(one: &[u8], other: &[u8]) -> bool {
    let parts = |key: &[u8]| {
        let (name, offset) = match key.iter().position(|byte| *byte == b'[') {
            Some(bracket) => key.split_at_checked(bracket).unwrap_or((key, b"")),
            None => (key, &b""[..]),
        };
        let inside = offset.strip_prefix(b"[").and_then(|offset| offset.strip_suffix(b"]"));
        (name.trim_ascii_end().to_vec(), inside.map(|inside| bare(inside.trim_ascii())))
    };
    parts(one) == parts(other)
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

const fn ends_label(byte: u8) -> bool {
    matches!(
        byte,
        b'=' | b'\n'
            | b'\r'
            | b'\t'
            | b';'
            | b'&'
            | b'|'
            | b'^'
            | b'$'
            | b'~'
            | b'('
            | b')'
            | b'{'
            | b'}'
            | b'!'
            | b'"'
            | b'['
            | b']'
            | 0
    )
}
