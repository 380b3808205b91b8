//! JSON as servers and clients print it.
//!
//! MariaDB writes conditions into JSON without escaping their quotes, backslashes and line ends, and clients put headings
//! around the document or write its line ends as `\n`. What is no JSON after unwrapping is read line by line: MariaDB prints
//! one member a line, so that a string ends where its line does.

use serde_json::Value;

use super::NoPlan;

/// The document without what a client prints around it.
pub(super) fn unwrapped(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').trim();
    let Some(start) = text.find('{') else { return text.to_owned() };
    let heading = text.get(..start).unwrap_or_default().trim();
    // A condition in braces is conceivable in a table of EXPLAIN, a heading of several columns in JSON is not.
    let is_heading = heading.lines().all(|line| {
        let word = line.trim_matches(['*', '|', '+', '-', ' ', '\t']).trim_end_matches(':');
        matches!(word.to_ascii_uppercase().as_str(), "" | "EXPLAIN" | "ANALYZE" | "1. ROW")
    });
    if !is_heading {
        return text.to_owned();
    }
    let end = text.rfind('}').map_or(text.len(), |end| end + 1);
    let document = text.get(start..end).unwrap_or_default();
    let batch = !document.contains('\n') && document.contains("\\n");
    if batch {
        document.replace("\\n", "\n").replace("\\t", "\t").replace("\\\\", "\\")
    } else {
        document.to_owned()
    }
}

/// Parses JSON, and what MariaDB takes for JSON.
pub(super) fn parse(text: &str) -> Result<Value, NoPlan> {
    serde_json::from_str(text)
        .or_else(|first| serde_json::from_str(&repaired(text)).map_err(|_| NoPlan::Syntax(first.to_string())))
}

/// The text with the strings of `"member": "string"` lines escaped.
fn repaired(text: &str) -> String {
    let mut result = String::with_capacity(text.len() + 64);
    let mut open: Option<String> = None;
    for line in text.lines() {
        let (member, rest) = match open.take() {
            Some(begun) => (String::new(), format!("{begun}\n{line}")),
            None => match member(line) {
                Some((member, rest)) => (member.to_owned(), rest.to_owned()),
                None => {
                    result.push_str(line);
                    result.push('\n');
                    continue;
                }
            },
        };
        result.push_str(&member);
        let (string, comma) = match rest.strip_suffix("\",") {
            Some(string) => (string, ","),
            None => match rest.strip_suffix('"') {
                Some(string) => (string, ""),
                None => {
                    open = Some(rest);
                    continue;
                }
            },
        };
        result.push_str(&Value::from(string).to_string());
        result.push_str(comma);
        result.push('\n');
    }
    result
}

/// Splits `  "name": "value…` into what stands before the value's quote and what follows it.
fn member(line: &str) -> Option<(&str, &str)> {
    let trimmed = line.trim_start();
    let (name, _) = trimmed.strip_prefix('"')?.split_once('"')?;
    let start = line.len() - trimmed.len() + name.len() + 2;
    let rest = line.get(start..)?.strip_prefix(": \"")?;
    Some((line.get(..start + 2)?, rest))
}
