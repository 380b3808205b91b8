//! Edits of the configuration as it takes effect, each in the file and the block where it belongs.

use std::collections::BTreeMap;

use conf::nginx_word;
use model::{Change, ChangeKind, Derived, DirectiveEdit, Edit};

use super::super::configuration::Context;
use super::super::{Configuration, Directive};

/// Edits of one configuration, by the file they are made in.
pub(in crate::nginx) struct Edits<'a> {
    configuration: &'a Configuration,
    files: BTreeMap<String, (Vec<Edit>, Vec<String>)>,
}

impl<'a> Edits<'a> {
    /// None yet.
    pub(in crate::nginx) fn of(configuration: &'a Configuration) -> Self {
        Self { configuration, files: BTreeMap::new() }
    }

    /// Gives a directive these arguments in a block: the one that has effect there where there is one, else a new one.
    pub(in crate::nginx) fn set(
        &mut self,
        context: &Context<'_>,
        existing: Option<&Directive>,
        name: &str,
        arguments: &str,
    ) {
        let to = DirectiveEdit::Arguments { arguments: arguments.to_owned() };
        self.edit(context, existing, name, None, to, format!("{name} {arguments};"));
    }

    /// Gives a directive that stands there one parameter, such as `max_size=1g`.
    pub(in crate::nginx) fn parameter(
        &mut self,
        context: &Context<'_>,
        existing: &Directive,
        (name, value): (&str, &str),
    ) {
        let to = DirectiveEdit::Parameter { name: name.to_owned(), value: value.to_owned() };
        let words = format!("{} {name}={value}", existing.name);
        self.edit(context, Some(existing), &existing.name, existing.first(), to, words);
    }

    /// Adds a directive of which a block may have several.
    pub(in crate::nginx) fn one_more(&mut self, context: &Context<'_>, name: &str, arguments: &str) {
        let to = DirectiveEdit::OneMore { arguments: arguments.to_owned() };
        self.edit(context, None, name, None, to, format!("{name} {arguments};"));
    }

    /// Adds a block.
    pub(in crate::nginx) fn block(
        &mut self,
        context: &Context<'_>,
        (name, arguments): (&str, &str),
        lines: &[String],
    ) {
        let to = DirectiveEdit::Block { arguments: arguments.to_owned(), lines: Some(lines.to_vec()) };
        let words = format!("{name} {arguments} {{ {} }}", lines.join(" "));
        self.edit(context, None, name, None, to, words);
    }

    /// Takes a directive out.
    pub(in crate::nginx) fn remove(&mut self, context: &Context<'_>, existing: &Directive) {
        let words = format!("take {} out of line {}", existing.name, existing.line);
        self.edit(context, Some(existing), &existing.name, existing.first(), DirectiveEdit::Removed, words);
    }

    fn edit(
        &mut self,
        context: &Context<'_>,
        existing: Option<&Directive>,
        name: &str,
        first_argument: Option<&str>,
        to: DirectiveEdit,
        words: String,
    ) {
        let (file, place) = match existing {
            Some(existing) => (existing.file.clone(), context.home(existing)),
            None => {
                let own = context.block().map_or(&self.configuration.file, |block| &block.file);
                (own.clone(), context.clone())
            }
        };
        let block = path(self.configuration, &place, &file);
        let edit = Edit::Nginx {
            block,
            directive: name.to_owned(),
            first_argument: first_argument.map(str::to_owned),
            to,
        };
        let (edits, all) = self.files.entry(file).or_default();
        if !edits.contains(&edit) {
            edits.push(edit);
            all.push(words);
        }
    }

    /// One change for each file, with the reason and the numbers of all of them. Files of a container are left to a person:
    /// what is written there goes with the container.
    pub(in crate::nginx) fn changes(self, reason: &Derived, risk: &str) -> Vec<Change> {
        let own = self.configuration.root.is_empty();
        let change = |(path, (edits, words)): (String, (Vec<Edit>, Vec<String>))| {
            let edits = if own { edits } else { vec![] };
            let target = Derived { value: words.join(" "), ..reason.clone() };
            let what = ChangeKind::File { path: path.clone(), edit: words.join(" "), edits };
            Change::new(what, None, target)
                .persists_by(&path)
                .restarts("nginx reloads, after `nginx -t`")
                .risks(risk)
        };
        self.files.into_iter().map(change).collect()
    }
}

/// The block `http`, where variables and caches are defined.
pub(in crate::nginx) fn http(configuration: &Configuration) -> Option<Context<'_>> {
    configuration.blocks(&["http"]).into_iter().next()
}

/// The blocks of a file that lead to a block, or to the level of an included file.
fn path(configuration: &Configuration, place: &Context<'_>, file: &str) -> Vec<String> {
    let blocks = place.all_blocks();
    let inside = blocks.iter().rev().take_while(|block| block.file == file).count();
    let own = blocks.iter().skip(blocks.len().saturating_sub(inside));
    own.map(|block| element(configuration, block)).collect()
}

/// A block as `conf::NginxDocument` is asked for it; a server among several of its file by its names and addresses.
fn element(configuration: &Configuration, block: &Directive) -> String {
    let words = |directive: &Directive| {
        let arguments = directive.arguments.iter().map(|argument| format!(" {}", nginx_word(argument)));
        format!("{}{}", directive.name, arguments.collect::<String>())
    };
    if block.name != "server" {
        return words(block);
    }
    let inside = configuration.directives.iter().flat_map(Directive::children);
    let same_file = inside.filter(|one| one.name == "server" && one.file == block.file);
    if same_file.count() < 2 {
        return "server".to_owned();
    }
    let tells =
        |one: &&Directive| ["listen", "server_name"].contains(&one.name.as_str()) && one.file == block.file;
    let held = block.children().iter().filter(tells).map(|one| format!("{}; ", words(one)));
    format!("server {{ {}}}", held.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::configuration;
    use super::*;

    #[test]
    fn an_edit_names_the_server_among_several_and_quotes_what_needs_it() {
        let text = "http { server { listen 80; server_name a; location ~ \\.php$ { fastcgi_cache Z; fastcgi_pass x; } }\n\
                    server { listen 80; server_name b; fastcgi_cache Z; location ~ \"^/x{2}$\" { fastcgi_pass x; } } }";
        let configuration = configuration(text);
        let mut edits = Edits::of(&configuration);
        for (_, context) in super::super::passing(&configuration) {
            edits.set(&context, None, "fastcgi_cache_lock", "on");
            let cache = context.get("fastcgi_cache");
            edits.set(&context, cache, "fastcgi_cache", "off");
        }
        let [change] = &edits.changes(&Derived::new("", ""), "none")[..] else { panic!("one file") };
        let ChangeKind::File { edits, .. } = &change.what else { panic!("a file") };
        let mut document = conf::NginxDocument::new("x", text);
        for edit in edits {
            let Edit::Nginx { block, directive, to: DirectiveEdit::Arguments { arguments }, .. } = edit
            else {
                panic!("{edit:?}")
            };
            document.set_arguments(block, directive, None, arguments).unwrap();
        }
        let text = String::from_utf8(document.into_bytes()).unwrap();
        assert_eq!(
            (text.matches("fastcgi_cache_lock on").count(), text.matches("fastcgi_cache off").count()),
            (2, 2)
        );
    }
}
