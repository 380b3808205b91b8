//! One line of an access log.
//!
//! Nginx's `combined` (`ngx_http_log_module`) and Apache's (`mod_log_config`) write
//! `address - user [time] "request" status bytes "referer" "agent"`; Apache's `common` ends after the bytes, and its
//! `vhost_combined` starts with the server's name.

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Empty,
    Request { method: &'static str, target: String },
    OtherMethod,
    AbsoluteForm,
    NotUtf8,
    Torn,
}

pub(super) fn read_line(line: &[u8]) -> Line {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Line::Empty;
    }
    // Both servers escape quotes within fields, so that the first one opens the request.
    let Some((before, rest)) = split_at_quote(line) else { return Line::Torn };
    let Some((request, after)) = split_at_quote(rest) else { return Line::Torn };
    if !before.ends_with(b"] ") || !starts_with_status(after) {
        return Line::Torn;
    }
    request_line(&unescape(request))
}

fn request_line(line: &[u8]) -> Line {
    let mut words = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Line::Torn;
    };
    if !version.starts_with(b"HTTP/") || method.is_empty() || !method.iter().all(u8::is_ascii_uppercase) {
        return Line::Torn;
    }
    let method = match method {
        b"GET" => "GET",
        b"HEAD" => "HEAD",
        _ => return Line::OtherMethod,
    };
    match str::from_utf8(target) {
        Err(_) => Line::NotUtf8,
        Ok(target) if target.starts_with('/') => Line::Request { method, target: target.to_owned() },
        Ok(target) if target.contains("://") => Line::AbsoluteForm,
        Ok(_) => Line::Torn,
    }
}

/// What is before and after the first quote that no backslash escapes.
fn split_at_quote(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let quote = text.iter().position(|byte| match byte {
        _ if std::mem::take(&mut escaped) => false,
        b'\\' => {
            escaped = true;
            false
        }
        byte => *byte == b'"',
    })?;
    Some((&text[..quote], &text[quote + 1..]))
}

/// ` 200 …`: three digits, then at least a space, as a line that was cut off does not have.
fn starts_with_status(text: &[u8]) -> bool {
    matches!(text, [b' ', status @ .., ] if status.len() > 3
        && status[..3].iter().all(u8::is_ascii_digit) && status[3] == b' ')
}

/// Undoes `\xHH` of both servers, and `\"` and `\\` of Apache.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'\\', [b'x', high, low, ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                plain.push(hex(*high) << 4 | hex(*low));
                rest = &after[3..];
            }
            (b'\\', [byte @ (b'"' | b'\\'), ..]) => {
                plain.push(*byte);
                rest = &after[1..];
            }
            _ => plain.push(*first),
        }
    }
    plain
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        digit => digit.to_ascii_lowercase() - b'a' + 10,
    }
}
