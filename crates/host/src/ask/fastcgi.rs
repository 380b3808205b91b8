//! FastCGI 1.0, as a client that asks one thing of a PHP-FPM pool and closes the connection.

use super::{Connection, MOST_BYTES};
use crate::HostError;

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 8;
const REQUEST: u16 = 1;

const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;

/// What a pool answered.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    /// Header and body, as a CGI program writes them.
    output: Vec<u8>,
    /// What it wrote to its error stream.
    errors: Vec<u8>,
    /// Whether the end of the request was said.
    ended: bool,
}

/// The status page of a pool: `?json&full`.
pub(super) fn status(address: &str, path: &str) -> Result<Vec<u8>, HostError> {
    get(address, path, path, "json&full")
}

/// The body that a pool answers to a request for a script.
pub(super) fn get(address: &str, script: &str, name: &str, query: &str) -> Result<Vec<u8>, HostError> {
    let failed = |reason: String| HostError::Io { path: format!("{address} {name}"), reason };
    let mut connection = Connection::open(address)?;
    connection.send(&request(script, name, query))?;
    let bytes = connection.receive(|bytes| read(bytes).is_none_or(|answer| answer.ended))?;
    let answer = read(&bytes).ok_or_else(|| failed("it does not speak FastCGI".to_owned()))?;
    match (answer.ended, bytes.len() >= MOST_BYTES) {
        (true, _) => body(address, name, &answer),
        (false, true) => Err(failed(format!("its answer does not end within {} MiB", MOST_BYTES >> 20))),
        (false, false) => Err(failed("it closed the connection within its answer".to_owned())),
    }
}

/// The records of a GET request without a body, all at once.
fn request(script: &str, name: &str, query: &str) -> Vec<u8> {
    let uri = format!("{name}?{query}");
    let mut parameters = Vec::new();
    for (key, value) in [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_SOFTWARE", "narrows"),
        ("SERVER_NAME", "localhost"),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("REQUEST_METHOD", "GET"),
        ("SCRIPT_FILENAME", script),
        ("SCRIPT_NAME", name),
        ("REQUEST_URI", &uri),
        ("QUERY_STRING", query),
    ] {
        parameter(&mut parameters, key, value);
    }
    let responder = [0, 1, 0, 0, 0, 0, 0, 0];
    [record(BEGIN_REQUEST, &responder), record(PARAMS, &parameters), record(PARAMS, &[]), record(STDIN, &[])]
        .concat()
}

fn parameter(parameters: &mut Vec<u8>, key: &str, value: &str) {
    for text in [key, value] {
        match u8::try_from(text.len()) {
            Ok(length) if length < 0x80 => parameters.push(length),
            _ => {
                let length = u32::try_from(text.len()).unwrap_or(u32::MAX) | 0x8000_0000;
                parameters.extend(length.to_be_bytes());
            }
        }
    }
    parameters.extend_from_slice(key.as_bytes());
    parameters.extend_from_slice(value.as_bytes());
}

/// A record; content beyond what fits into one is cut off, which no path is long enough for.
fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let content = content.get(..usize::from(u16::MAX)).unwrap_or(content);
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes();
    let request = REQUEST.to_be_bytes();
    let header = [VERSION, kind, request[0], request[1], length[0], length[1], 0, 0];
    [&header, content].concat()
}

/// Puts the records together that have arrived whole; `None` for what is no FastCGI.
fn read(mut bytes: &[u8]) -> Option<Answer> {
    let mut answer = Answer::default();
    while !answer.ended {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            let begun = bytes.first().is_none_or(|version| *version == VERSION);
            return begun.then_some(answer);
        };
        let [version, kind, _, _, high, low, padding, _] = *header;
        if version != VERSION {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        let Some(after) = rest.get(length + usize::from(padding)..) else { return Some(answer) };
        let content = rest.get(..length).unwrap_or_default();
        match kind {
            STDOUT => answer.output.extend_from_slice(content),
            STDERR => answer.errors.extend_from_slice(content),
            END_REQUEST => answer.ended = true,
            _ => {}
        }
        bytes = after;
    }
    Some(answer)
}

/// The body of an answer whose header says that all went well.
fn body(address: &str, name: &str, answer: &Answer) -> Result<Vec<u8>, HostError> {
    let refused = |reason: String| HostError::Unsupported { path: format!("{address} {name}"), reason };
    let output = &answer.output;
    let blank = |ending: &[u8]| {
        let at = output.windows(ending.len()).position(|window| window == ending)?;
        Some((at, at + ending.len()))
    };
    let Some((end, start)) = blank(b"\r\n\r\n").or_else(|| blank(b"\n\n")) else {
        return Err(refused(format!("its answer has no end of its header{}", said(&answer.errors))));
    };
    let header = String::from_utf8_lossy(output.get(..end).unwrap_or_default()).into_owned();
    let status = header.lines().find_map(|line| line.strip_prefix("Status:")).map(str::trim);
    match status.filter(|status| !status.starts_with("200")) {
        Some(status) => Err(refused(format!("PHP-FPM answered {status}{}", said(&answer.errors)))),
        None => Ok(output.get(start..).unwrap_or_default().to_vec()),
    }
}

/// The beginning of what a pool wrote to its error stream, in one line.
fn said(errors: &[u8]) -> String {
    let text = String::from_utf8_lossy(errors.get(..errors.len().min(200)).unwrap_or_default());
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if line.trim().is_empty() { String::new() } else { format!(": {}", line.trim()) }
}

#[cfg(test)]
mod tests;
