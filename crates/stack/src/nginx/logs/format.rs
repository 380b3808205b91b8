//! A `log_format` compiled to what a line is taken apart with.
//!
//! Nginx writes a line as literal text with values in between (`ngx_http_log_module`). A value ends where the literal
//! after it begins: with `escape=default` no value holds a quote (`"` is written `\x22`), with `escape=json` one that a
//! value holds has a backslash before it, with `escape=none` the first place where the literal stands is taken.

use memchr::memchr;

use crate::nginx::Directive;

/// What is taken from a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    TimeLocal,
    TimeIso8601,
    Msec,
    Status,
    Request,
    RequestUri,
    Uri,
    BodyBytes,
    BytesSent,
    RequestTime,
    UpstreamResponseTime,
    UpstreamHeaderTime,
    UpstreamConnectTime,
    UpstreamBytesReceived,
    UpstreamResponseLength,
    UpstreamAddress,
    UpstreamStatus,
    CacheStatus,
}

/// How many fields there are.
const FIELDS: usize = Field::CacheStatus as usize + 1;

/// Variables, and the fields they are.
const VARIABLES: [(&str, Field); 19] = [
    ("time_local", Field::TimeLocal),
    ("time_iso8601", Field::TimeIso8601),
    ("msec", Field::Msec),
    ("status", Field::Status),
    ("request", Field::Request),
    ("request_uri", Field::RequestUri),
    ("uri", Field::Uri),
    ("document_uri", Field::Uri),
    ("body_bytes_sent", Field::BodyBytes),
    ("bytes_sent", Field::BytesSent),
    ("request_time", Field::RequestTime),
    ("upstream_response_time", Field::UpstreamResponseTime),
    ("upstream_header_time", Field::UpstreamHeaderTime),
    ("upstream_connect_time", Field::UpstreamConnectTime),
    ("upstream_bytes_received", Field::UpstreamBytesReceived),
    ("upstream_response_length", Field::UpstreamResponseLength),
    ("upstream_addr", Field::UpstreamAddress),
    ("upstream_status", Field::UpstreamStatus),
    ("upstream_cache_status", Field::CacheStatus),
];

/// The format that Nginx has built in.
const COMBINED: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent""#;

/// How values are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    /// `\x22` for a quote, or nothing at all.
    Never,
    /// A backslash before a quote.
    Backslash,
}

/// A value, and the literal after it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    field: Option<Field>,
    literal: Box<[u8]>,
}

/// A compiled `log_format`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    /// Its name.
    pub name: String,
    escape: Escape,
    lead: Box<[u8]>,
    pieces: Vec<Piece>,
    /// The pieces up to the last that holds something of interest.
    needed: usize,
    has: [bool; FIELDS],
}

/// The values of one line, by field.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Values<'a>([&'a [u8]; FIELDS]);

impl<'a> Values<'a> {
    pub(super) fn of(&self, field: Field) -> &'a [u8] {
        self.0.get(field as usize).copied().unwrap_or_default()
    }
}

impl Format {
    /// Nginx's own `combined`.
    pub fn combined() -> Self {
        Self::compile("combined", "default", COMBINED)
    }

    /// A directive `log_format NAME [escape=…] 'part' 'part' …`.
    pub(super) fn of(directive: &Directive) -> Option<Self> {
        let (name, parts) = directive.arguments.split_first()?;
        let (escape, parts) = match parts.split_first() {
            Some((first, rest)) if first.starts_with("escape=") => (first.split_at(7).1, rest),
            _ => ("default", parts),
        };
        Some(Self::compile(name, escape, &parts.concat()))
    }

    /// Compiles the text of a format. `escape` is `default`, `json` or `none`.
    pub fn compile(name: &str, escape: &str, text: &str) -> Self {
        let escape = if escape == "json" { Escape::Backslash } else { Escape::Never };
        let (lead, mut rest) = text.split_at(text.find('$').unwrap_or(text.len()));
        let mut pieces: Vec<Piece> = Vec::new();
        while let Some(variable) = rest.strip_prefix('$') {
            let (name, after) = variable_name(variable);
            let (literal, next) = after.split_at(after.find('$').unwrap_or(after.len()));
            let field = VARIABLES.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
            let literal: Box<[u8]> = literal.as_bytes().into();
            match pieces.last_mut() {
                // Nothing tells where one of two values ends and the next begins. Only a path is found in both together.
                Some(last) if last.literal.is_empty() => {
                    let is_path = |field: &Field| matches!(field, Field::RequestUri | Field::Uri);
                    *last = Piece { field: field.or(last.field).filter(is_path), literal };
                }
                _ => pieces.push(Piece { field, literal }),
            }
            rest = next;
        }
        let mut has = [false; FIELDS];
        pieces.iter().filter_map(|piece| piece.field).for_each(|field| {
            if let Some(has) = has.get_mut(field as usize) {
                *has = true;
            }
        });
        let needed = pieces.iter().rposition(|piece| piece.field.is_some()).map_or(0, |last| last + 1);
        Self { name: name.to_owned(), escape, lead: lead.as_bytes().into(), pieces, needed, has }
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.has.get(field as usize).copied().unwrap_or(false)
    }

    /// Whether its lines say when they were written.
    pub fn has_time(&self) -> bool {
        [Field::TimeLocal, Field::TimeIso8601, Field::Msec].into_iter().any(|field| self.has(field))
    }

    /// Takes a line apart. Values of an earlier line of the same format are overwritten; after a line that does not fit,
    /// they are those of both.
    pub(super) fn fit<'a>(&self, line: &'a [u8], values: &mut Values<'a>) -> bool {
        let Some(mut rest) = line.strip_prefix(&*self.lead) else { return false };
        for piece in self.pieces.iter().take(self.needed) {
            let Some(end) = self.end_of_value(rest, &piece.literal) else { return false };
            let (value, after) = rest.split_at(end);
            if let Some(field) = piece.field
                && let Some(place) = values.0.get_mut(field as usize)
            {
                *place = value;
            }
            rest = after.get(piece.literal.len()..).unwrap_or_default();
        }
        true
    }

    /// Where a value ends: at the literal after it, or with the line.
    fn end_of_value(&self, text: &[u8], literal: &[u8]) -> Option<usize> {
        let Some(first) = literal.first() else { return Some(text.len()) };
        let mut from = 0;
        loop {
            let at = from + memchr(*first, text.get(from..)?)?;
            let escaped = self.escape == Escape::Backslash && *first == b'"' && is_escaped(text, at);
            if !escaped && (literal.len() == 1 || text.get(at..)?.starts_with(literal)) {
                return Some(at);
            }
            from = at + 1;
        }
    }
}

/// Whether an odd number of backslashes stands before a place.
fn is_escaped(text: &[u8], at: usize) -> bool {
    let before = text.get(..at).unwrap_or_default();
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The name of a variable after its `$`, and what follows: `name…` or `{name}…`.
fn variable_name(text: &str) -> (&str, &str) {
    if let Some((name, after)) = text.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
        return (name, after);
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values<'a>(format: &Format, line: &'a str, fields: &[Field]) -> Option<Vec<&'a str>> {
        let mut values = Values::default();
        let fits = format.fit(line.as_bytes(), &mut values);
        fits.then(|| fields.iter().map(|field| str::from_utf8(values.of(*field)).unwrap()).collect())
    }

    #[test]
    fn a_line_of_combined_is_taken_apart() {
        let line = r#"::1 - bob [21/Nov/2026:21:20:12 +0000] "GET /a?b=\x22 HTTP/1.1" 200 612 "-" "curl""#;
        let fields = [Field::TimeLocal, Field::Request, Field::Status, Field::BodyBytes];
        let wanted = ["21/Nov/2026:21:20:12 +0000", r"GET /a?b=\x22 HTTP/1.1", "200", "612"];
        assert_eq!(values(&Format::combined(), line, &fields).unwrap(), wanted);
        assert_eq!(values(&Format::combined(), r#"::1 - - [21/Nov/2026:2"#, &fields), None);
    }

    #[test]
    fn a_quote_in_a_value_of_json_does_not_end_it() {
        let text =
            r#"{"uri":"$request_uri","agent":"$http_user_agent","status":$status,"rt":"$request_time"}"#;
        let format = Format::compile("json", "json", text);
        let line = r#"{"uri":"/a\"","status":500,\\","agent":"x\\","status":200,"rt":"0.1"}"#;
        let found = values(&format, line, &[Field::RequestUri, Field::Status, Field::RequestTime]).unwrap();
        assert_eq!(found, [r#"/a\"","status":500,\\"#, "200", "0.1"]);
    }

    #[test]
    fn names_in_braces_and_values_without_anything_between_are_known() {
        let format = Format::compile("odd", "default", "a${status}b $scheme://$host$request_uri $msec");
        let found = values(&format, "a404b http://h/x 1.5", &[Field::Status, Field::RequestUri, Field::Msec]);
        assert_eq!(found.unwrap(), ["404", "h/x", "1.5"]);
        assert!(format.has_time() && !format.has(Field::Request));
        let format = Format::compile("bad", "default", "$status$msec $request_time$");
        assert!(!format.has_time(), "nothing tells where the status ends");
    }
}
