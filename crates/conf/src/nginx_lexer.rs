//! The words of an Nginx configuration, and the raw text of its Lua blocks.
//!
//! The rules are those of `ngx_conf_read_token` (src/core/ngx_conf_file.c of Nginx 1.22), and for
//! `*_by_lua_block` those of ngx_http_lua_lex.rl of the Lua module: strings, long brackets and comments of Lua
//! may hold braces.

use crate::document::Span;

/// One word, with the place where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NginxWord {
    /// Where it stands, quotes included.
    pub span: Span,
    /// What Nginx makes of it: without quotes, escapes undone.
    pub value: Vec<u8>,
}

/// How a run of words ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// `;`
    Semicolon,
    /// `{`
    Open,
    /// `}`, with no word before it.
    Close,
    /// The end of the text, with no word before it.
    Text,
}

/// Words up to a `;`, a brace or the end of the text.
pub(crate) struct Statement {
    pub(crate) words: Vec<NginxWord>,
    pub(crate) ending: Ending,
    /// Just past the `;` or brace.
    pub(crate) end: usize,
}

/// What Nginx refuses the file for, and where it stands.
pub(crate) type Refusal = (usize, &'static str);

/// Reads the words from `start` on, passing over comments.
pub(crate) fn statement(bytes: &[u8], start: usize) -> Result<Statement, Refusal> {
    let (mut words, mut at) = (Vec::new(), start);
    loop {
        let ends = |ending, words| Ok(Statement { words, ending, end: at.saturating_add(1) });
        match bytes.get(at) {
            None if words.is_empty() => return Ok(Statement { words, ending: Ending::Text, end: at }),
            None => return Err((start_of(&words), "the directive is not ended by `;` or a block")),
            Some(b';' | b'{') if words.is_empty() => {
                return Err((at, "no directive stands before `;` or `{`"));
            }
            Some(b';') => return ends(Ending::Semicolon, words),
            Some(b'{') => return ends(Ending::Open, words),
            Some(b'}') if words.is_empty() => return ends(Ending::Close, words),
            Some(b'}') => return Err((at, "the directive before `}` is not ended by `;`")),
            Some(b'#') => at = end_of_line(bytes, at),
            Some(byte) if is_space(*byte) => at = at.saturating_add(1),
            Some(_) => {
                let word = word(bytes, at)?;
                at = word.span.end;
                words.push(word);
            }
        }
    }
}

fn start_of(words: &[NginxWord]) -> usize {
    words.first().map_or(0, |word| word.span.start)
}

/// Reads the one word that begins at `start`.
fn word(bytes: &[u8], start: usize) -> Result<NginxWord, Refusal> {
    let quote = bytes.get(start).copied().filter(|byte| matches!(byte, b'"' | b'\''));
    let mut at = start.saturating_add(usize::from(quote.is_some()));
    let mut variable = false;
    while let Some(byte) = bytes.get(at).copied() {
        let ends = match quote {
            Some(quote) => byte == quote,
            None => is_space(byte) || matches!(byte, b';' | b'{'),
        };
        match byte {
            b'{' if variable => {}
            b'\\' => (at, variable) = (at.saturating_add(1), false),
            _ if ends => break,
            _ => variable = byte == b'$',
        }
        at = at.saturating_add(1);
    }
    let Some(quote) = quote else {
        let span = Span::new(start, at.min(bytes.len()));
        return Ok(NginxWord { span, value: unescaped(span.of(bytes)) });
    };
    if bytes.get(at) != Some(&quote) {
        return Err((start, "a quote is not closed"));
    }
    let span = Span::new(start, at.saturating_add(1));
    match bytes.get(span.end) {
        Some(b';' | b'{' | b')') | None => {}
        Some(byte) if is_space(*byte) => {}
        Some(_) => return Err((span.end, "no blank stands after a closing quote")),
    }
    Ok(NginxWord { span, value: unescaped(Span::new(start.saturating_add(1), at).of(bytes)) })
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        let (read, after) = match rest {
            [b'\\', escaped @ (b'"' | b'\'' | b'\\'), after @ ..] => (*escaped, after),
            [b'\\', b't', after @ ..] => (b'\t', after),
            [b'\\', b'r', after @ ..] => (b'\r', after),
            [b'\\', b'n', after @ ..] => (b'\n', after),
            _ => (*byte, after),
        };
        value.push(read);
        rest = after;
    }
    value
}

/// Tells whether what a directive's braces hold is Lua.
pub(crate) fn holds_lua(name: &[u8]) -> bool {
    name.ends_with(b"_by_lua_block")
}

/// Returns the offset past the `}` that closes the Lua block whose text begins at `start`.
pub(crate) fn end_of_lua(bytes: &[u8], start: usize) -> Result<usize, Refusal> {
    let (mut at, mut depth) = (start, 1_usize);
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let length = match rest {
            [b'{', ..] => {
                depth = depth.saturating_add(1);
                1
            }
            [b'}', ..] if depth == 1 => return Ok(at.saturating_add(1)),
            [b'}', ..] => {
                depth = depth.saturating_sub(1);
                1
            }
            [b'-', b'-', comment @ ..] => match long_bracket(comment) {
                Some(length) => length.saturating_add(2),
                None => end_of_line(rest, 0),
            },
            [quote @ (b'"' | b'\''), ..] => lua_string(rest, *quote),
            _ => long_bracket(rest).unwrap_or(1),
        };
        at = at.saturating_add(length.max(1));
    }
    Err((start, "a Lua block is not closed"))
}

/// Measures a string of Lua, which a line feed ends unless it is escaped.
fn lua_string(text: &[u8], quote: u8) -> usize {
    let mut at = 1_usize;
    while let Some(byte) = text.get(at) {
        at = at.saturating_add(if *byte == b'\\' { 2 } else { 1 });
        if *byte == quote || *byte == b'\n' {
            break;
        }
    }
    at
}

/// Measures `[[…]]`, `[=[…]=]` and so on.
fn long_bracket(text: &[u8]) -> Option<usize> {
    let after = text.strip_prefix(b"[")?;
    let level = after.iter().take_while(|byte| **byte == b'=').count();
    let open = level.saturating_add(2);
    (after.get(level) == Some(&b'[')).then_some(())?;
    let close = [&b"]"[..], &b"=".repeat(level), b"]"].concat();
    let inside = text.get(open..)?.windows(open).position(|window| window == close)?;
    Some(open.saturating_add(inside).saturating_add(open))
}

fn end_of_line(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at.saturating_add(rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len()))
}

pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
