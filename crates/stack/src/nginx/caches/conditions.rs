//! What a variable of the configuration depends on: the source and the patterns of its `map`, the conditions of the `if` that
//! sets it, and those of the variables in them.

use std::collections::BTreeSet;

use super::super::configuration::Context;
use super::super::{Configuration, Directive};

/// How far variables are followed.
const MOST_VARIABLES: usize = 64;

/// Texts that decide over variables.
pub(in crate::nginx) struct Conditions {
    of: Vec<(String, String)>,
}

impl Conditions {
    /// Reads every `map` and every `set` within `if`.
    pub(in crate::nginx) fn read(configuration: &Configuration) -> Self {
        let mut of = Vec::new();
        for context in configuration.contexts() {
            let Some(block) = context.block() else { continue };
            match block.name.as_str() {
                "map" | "geo" => of.extend(mapped(block)),
                "if" => of.extend(set_by(&context, block)),
                _ => {}
            }
        }
        Self { of }
    }

    /// All texts that decide over a value with variables in it, in lower case: itself, and what its variables depend on.
    pub(in crate::nginx) fn behind(&self, value: &str) -> String {
        let mut text = value.to_lowercase();
        let mut next = variables(value);
        let mut known: BTreeSet<String> = next.iter().cloned().collect();
        while let Some(name) = next.pop() {
            for (_, condition) in self.of.iter().filter(|(of, _)| *of == name) {
                text.push(' ');
                text.push_str(&condition.to_lowercase());
                for variable in variables(condition) {
                    if known.len() < MOST_VARIABLES && known.insert(variable.clone()) {
                        next.push(variable);
                    }
                }
            }
        }
        text
    }
}

/// `map $http_cookie $skip { default 0; ~logged_in 1; }`: the source, and each pattern that does not lead to 0 or nothing.
fn mapped(block: &Directive) -> Option<(String, String)> {
    let name = block.arguments.last()?.strip_prefix('$')?.to_owned();
    let source = block.arguments.split_last().map(|(_, source)| source.join(" ")).unwrap_or_default();
    let tells = |one: &&Directive| !matches!(one.first(), None | Some("" | "0"));
    let patterns = block.children().iter().filter(|one| one.name != "default").filter(tells);
    let patterns: Vec<_> = patterns.map(|one| format!("{} {}", one.name, one.value())).collect();
    Some((name, format!("{source} {}", patterns.join(" "))))
}

/// `if ($http_cookie ~* "logged_in") { set $skip 1; }`: the condition, with those around it.
fn set_by(context: &Context<'_>, block: &Directive) -> Vec<(String, String)> {
    let sets = block.children().iter().filter(|one| one.name == "set");
    let tells = |one: &&Directive| !matches!(one.arguments.get(1).map(String::as_str), None | Some("" | "0"));
    let name = |one: &Directive| Some(one.first()?.strip_prefix('$')?.to_owned());
    let outer = context.around("if").filter(|outer| outer.line != block.line).map(Directive::value);
    let condition = format!("{} {}", block.value(), outer.unwrap_or_default());
    sets.filter(tells).filter_map(|one| Some((name(one)?, condition.clone()))).collect()
}

/// The names of the variables in a text, in lower case as Nginx knows them.
fn variables(text: &str) -> Vec<String> {
    let parts = text.split('$').skip(1).map(|part| part.strip_prefix('{').unwrap_or(part));
    let name = |part: &str| {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        part.get(..end).unwrap_or_default().to_lowercase()
    };
    parts.map(name).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::configuration;
    use super::*;

    #[test]
    fn a_variable_leads_to_the_cookies_that_decide_over_it() {
        let text = "http { map $http_cookie $by_cookie { default 0; ~*wordpress_logged_in_ 1; ~plain 0; }\n\
                    map $by_cookie$request_method $skip { default 1; 0GET ''; }\n\
                    server { set $other 0; if ($cookie_sid) { set $other 1; } } }";
        let configuration = configuration(text);
        let conditions = Conditions::read(&configuration);
        let skip = conditions.behind("$skip");
        assert!(skip.contains("$http_cookie") && skip.contains("wordpress_logged_in_"), "{skip}");
        assert!(!skip.contains("plain"), "a pattern that leads to 0 passes nothing by: {skip}");
        assert!(conditions.behind("${other}").contains("$cookie_sid"));
        assert_eq!(conditions.behind("$unknown"), "$unknown");
    }
}
