//! Blocks of lines in a script, each between two comments that name it.

use conf::{Document, Span};

use super::attempted;
use crate::ChangeError;

/// Has a block hold these lines, where it stands or at the end, or takes it out with its comments.
pub(super) fn edited(
    path: &str,
    bytes: &[u8],
    name: &str,
    lines: Option<&[String]>,
) -> Result<Vec<u8>, ChangeError> {
    let attempted = attempted(path, &format!("the block {name:?}"));
    let (begin, end) = (format!("# begin {name}"), format!("# end {name}"));
    let bad = |line: &str| line.contains(['\n', '\r', '\0']) || line == begin || line == end;
    let given = lines.unwrap_or_default();
    if name.trim().is_empty() || name.contains(['\n', '\r', '\0']) || given.iter().any(|line| bad(line)) {
        return Err(ChangeError::new(attempted, "a name or a line of it is not one line"));
    }
    let mut document = Document::new(path, bytes);
    let whole = lines.map(|lines| {
        let all = [std::slice::from_ref(&begin), lines, std::slice::from_ref(&end)].concat();
        all.into_iter().map(|line| line + "\n").collect::<String>()
    });
    match (place(&document, &begin, &end), whole) {
        (Place::None, None) => {}
        (Place::None, Some(whole)) => document.append_line(whole.trim_end_matches('\n').as_bytes()),
        (Place::At(span), whole) => document
            .replace(span, whole.unwrap_or_default().as_bytes())
            .map_err(|error| ChangeError::new(&attempted, error.to_string()))?,
        (Place::Torn(line), _) => {
            return Err(ChangeError::new(attempted, format!("it begins on line {line} and does not end"))
                .help(format!("end it with a line `{end}`, or take its lines out")));
        }
    }
    Ok(document.into_bytes())
}

enum Place {
    None,
    At(Span),
    /// The line of a beginning without an end.
    Torn(usize),
}

fn place(document: &Document, begin: &str, end: &str) -> Place {
    let is = |line: &conf::Line, text: &str| {
        document.get(line.span).is_some_and(|bytes| bytes.trim_ascii() == text.as_bytes())
    };
    let mut lines = document.lines().iter().skip_while(|line| !is(line, begin));
    let Some(first) = lines.next() else { return Place::None };
    match lines.find(|line| is(line, end)) {
        Some(last) => Place::At(Span::new(first.span.start, last.span.end + last.ending.as_bytes().len())),
        None => Place::Torn(first.number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATH: &str = "/etc/narrows/boot.sh";

    fn block(bytes: &[u8], name: &str, lines: Option<&[&str]>) -> Result<String, ChangeError> {
        let lines: Option<Vec<String>> =
            lines.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect());
        Ok(String::from_utf8(edited(PATH, bytes, name, lines.as_deref())?).unwrap())
    }

    #[test]
    fn a_block_comes_at_the_end_is_replaced_in_place_and_goes() {
        let one = block(b"# head\n", "irq 24", Some(&["if true; then", "fi"])).unwrap();
        assert_eq!(one, "# head\n# begin irq 24\nif true; then\nfi\n# end irq 24\n");
        let two = block(one.as_bytes(), "irq 25", Some(&["if true; then", "fi"])).unwrap();
        let again = block(two.as_bytes(), "irq 24", Some(&["true"])).unwrap();
        let expected =
            "# head\n# begin irq 24\ntrue\n# end irq 24\n# begin irq 25\nif true; then\nfi\n# end irq 25\n";
        assert_eq!(again, expected);
        let gone = block(again.as_bytes(), "irq 25", None).unwrap();
        assert_eq!(block(gone.as_bytes(), "irq 24", None).unwrap(), "# head\n");
    }

    #[test]
    fn a_block_without_an_end_is_left_alone() {
        let error = block(b"# begin irq 24\ntrue\n", "irq 24", Some(&["false"])).unwrap_err();
        assert!(error.to_string().contains("begins on line 1 and does not end"), "{error}");
        assert!(block(b"", "a\nb", None).is_err());
        assert!(block(b"", "a", Some(&["# end a"])).is_err());
    }
}
