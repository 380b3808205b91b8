//! Whole blocks of Nginx, put in and taken out.

use crate::document::Span;
use crate::edit_error::EditError;
use crate::nginx::NginxDocument;
use crate::nginx_edit::{Outline, remove_span, values, written};

const NOT_ONE_BLOCK: &str = "name, arguments and lines are not one block of Nginx";

impl NginxDocument {
    /// Has a block of this name and with these arguments stand in a block, or at the top of the file, and hold these lines.
    ///
    /// `block` is a path as for [`NginxDocument::get`]; `arguments` and `lines` are as written in the file, each line one
    /// of the block, indented further than it by the lines' own blanks. A new block goes where a new directive would.
    /// Nothing changes when it is there and holds the same.
    ///
    /// # Errors
    ///
    /// A path that fits nothing or several, lines that would not be read back as given, a block with these arguments that
    /// holds something else, or a file that Nginx refuses.
    pub fn set_block(
        &mut self,
        block: &[impl AsRef<str>],
        directive: &str,
        arguments: &str,
        lines: &[impl AsRef<str>],
    ) -> Result<(), EditError> {
        let parent = self.parent_to_edit(block, directive)?;
        let wanted = self.wanted_block(directive, arguments, lines)?;
        if let Some(index) = self.find_whole_block(parent, &wanted) {
            let outline = self.outline();
            let depth = outline.get(index).map_or(0, |(depth, _)| *depth);
            let held = outline.iter().skip(index).take(wanted.len());
            let same = held.zip(&wanted).all(|(own, given)| own.1 == given.1 && own.0 == given.0 + depth)
                && outline.get(index.saturating_add(wanted.len())).is_none_or(|after| after.0 <= depth);
            return match same {
                true => Ok(()),
                false => Err(self.unwritable(
                    directive,
                    "a block with these arguments stands there and holds something else",
                )),
            };
        }
        let place = crate::nginx_place::place_of_new(self, parent, directive, None);
        let mut expected = self.outline();
        let depth =
            parent.and_then(|parent| expected.get(parent)).map_or(0, |(depth, _)| depth.saturating_add(1));
        let at = place.index.min(expected.len());
        let deeper = wanted.into_iter().map(|(own, words)| (own.saturating_add(depth), words));
        expected.splice(at..at, deeper);
        let indentation = String::from_utf8_lossy(place.indentation().unwrap_or_default()).into_owned();
        let text = text(directive, arguments, lines, &indentation);
        let mut document = self.document.clone();
        document.replace(Span::new(place.at, place.at), &place.text(text.as_bytes()))?;
        self.take(document, &expected, directive)
    }

    /// Takes a block out of a block, or of the top of the file, with all that it holds. Nothing changes when it is not there.
    ///
    /// # Errors
    ///
    /// A path that fits nothing or several, or a file that Nginx refuses.
    pub fn remove_block(
        &mut self,
        block: &[impl AsRef<str>],
        directive: &str,
        arguments: &str,
    ) -> Result<(), EditError> {
        let parent = self.parent_to_edit(block, directive)?;
        let wanted = self.wanted_block(directive, arguments, &[""; 0])?;
        let Some((index, old)) = self
            .find_whole_block(parent, &wanted)
            .and_then(|index| Some((index, self.directives.get(index)?.span)))
        else {
            return Ok(());
        };
        let mut expected = self.outline();
        let inside = self.directives.iter().skip(index).take_while(|one| one.span.start < old.end).count();
        expected.drain(index..index.saturating_add(inside));
        let mut document = self.document.clone();
        remove_span(&mut document, old)?;
        self.take(document, &expected, directive)
    }

    fn find_whole_block(&self, parent: Option<usize>, wanted: &Outline) -> Option<usize> {
        let words = &wanted.first()?.1;
        let mut own = self.children(parent);
        own.find(|(_, one)| one.block.is_some() && values(&one.words) == *words).map(|(index, _)| index)
    }

    /// Reads the block as it is to stand in the file: itself first, then what it holds.
    fn wanted_block(
        &self,
        directive: &str,
        arguments: &str,
        lines: &[impl AsRef<str>],
    ) -> Result<Outline, EditError> {
        let read = Self::new("block", text(directive, arguments, lines, ""));
        let outline = read.outline();
        let single = read.problems().is_empty()
            && read.children(None).count() == 1
            && read
                .directives
                .first()
                .is_some_and(|one| one.block.is_some() && one.name() == directive.as_bytes())
            && !crate::nginx_lexer::holds_lua(directive.as_bytes());
        if single { Ok(outline) } else { Err(self.unwritable(directive, NOT_ONE_BLOCK)) }
    }
}

fn text(directive: &str, arguments: &str, lines: &[impl AsRef<str>], indentation: &str) -> String {
    let unit = if indentation.starts_with('\t') { "\t" } else { "    " };
    let held = lines.iter().map(|line| format!("{indentation}{unit}{}\n", line.as_ref()));
    let held: String = held.collect();
    let head = format!("{directive} {}", arguments.trim());
    format!("{} {{\n{held}{indentation}}}", head.trim_end())
}

/// Writes a word so that Nginx reads it back: bare, or in double quotes.
pub fn nginx_word(word: &str) -> String {
    if word.is_empty() || word.starts_with('#') || word.contains('$') && word.contains('{') {
        return format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""));
    }
    String::from_utf8_lossy(&written(word.as_bytes())).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "http {\n    sendfile on;\n\n    server {\n        listen 80;\n    }\n}\n";
    const MAP: [&str; 2] = ["default 0;", "~*logged_in 1;"];

    fn edited(
        file: &str,
        edit: impl FnOnce(&mut NginxDocument) -> Result<(), EditError>,
    ) -> Result<String, EditError> {
        let mut document = NginxDocument::new("nginx.conf", file);
        edit(&mut document)?;
        Ok(String::from_utf8(document.into_bytes()).unwrap())
    }

    #[test]
    fn a_block_comes_below_the_last_directive_is_found_again_and_goes() {
        let set = |file: &str| edited(file, |it| it.set_block(&["http"], "map", "$http_cookie $skip", &MAP));
        let with = set(FILE).unwrap();
        let block = "    map $http_cookie $skip {\n        default 0;\n        ~*logged_in 1;\n    }\n";
        assert_eq!(with, FILE.replace("on;\n", &format!("on;\n{block}")));
        assert_eq!(set(&with).unwrap(), with);
        let gone = edited(&with, |it| it.remove_block(&["http"], "map", "$http_cookie $skip")).unwrap();
        assert_eq!(gone, FILE);
        assert_eq!(edited(FILE, |it| it.remove_block(&["http"], "map", "$a $b")).unwrap(), FILE);
    }

    #[test]
    fn a_new_file_and_a_block_on_one_line_take_a_block() {
        let top = edited("# head\n", |it| it.set_block(&[""; 0], "map", "$a $b", &["default 0;"])).unwrap();
        assert_eq!(top, "# head\nmap $a $b {\n    default 0;\n}\n");
        let line =
            edited("http { gzip on; }\n", |it| it.set_block(&["http"], "map", "$a $b", &["default 0;"]));
        assert!(NginxDocument::new("x", line.unwrap()).problems().is_empty());
    }

    #[test]
    fn what_is_no_single_block_and_what_stands_there_otherwise_is_refused() {
        let set =
            |file: &str, lines: &[&str]| edited(file, |it| it.set_block(&["http"], "map", "$a $b", lines));
        assert!(set(FILE, &["} evil {"]).is_err());
        assert!(set(FILE, &["default 0"]).is_err());
        let with = set(FILE, &["default 0;"]).unwrap();
        assert!(set(&with, &["default 1;"]).is_err());
        assert!(set(&with, &["default 0;", "x 1;"]).is_err());
        let more = edited(&with, |it| it.set_block(&["http"], "map", "$a $c", &["default 1;"])).unwrap();
        assert_eq!(more.matches("map $a").count(), 2);
    }

    #[test]
    fn one_more_directive_of_a_name_stands_beside_the_others() {
        let add = |file: &str, value: &str| {
            edited(file, |it| it.add_arguments(&["http", "server"], "add_header", value))
        };
        let one = add(FILE, "Link \"<https://a>; rel=preconnect\"").unwrap();
        let two = add(&one, "Link \"<https://b>; rel=preconnect\"").unwrap();
        assert_eq!(two.matches("add_header Link").count(), 2);
        assert_eq!(add(&two, "Link \"<https://a>; rel=preconnect\"").unwrap(), two);
    }

    #[test]
    fn words_are_read_back_as_they_were() {
        for word in ["~", "\\.php$", "a b", "a;b", "^/x{2}$", "${a}b", "", "#a", "say \"x\"", "\\d+"] {
            let document = NginxDocument::new("x", format!("location {};", nginx_word(word)));
            let read = document.directives().first().map(|one| one.arguments()[0].value.clone());
            assert_eq!(read.as_deref(), Some(word.as_bytes()), "{word:?}");
        }
    }
}
