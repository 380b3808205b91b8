//! How PHP resolves the name of a class (php.net, "Name resolution rules").

use std::collections::BTreeMap;

/// The namespace that code is in, and what it imports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    namespace: String,
    imports: BTreeMap<String, String>,
}

impl Names {
    /// Begins a namespace; imports end with the one before.
    pub(crate) fn enter(&mut self, namespace: String) {
        *self = Self { namespace, imports: BTreeMap::new() };
    }

    /// `use PREFIX\NAME as ALIAS`.
    pub(crate) fn import(&mut self, prefix: Option<&str>, name: &str, alias: Option<&str>) {
        let name = name.trim_matches('\\');
        let full =
            prefix.map_or_else(|| name.to_owned(), |prefix| format!("{}\\{name}", prefix.trim_matches('\\')));
        let last = name.rsplit('\\').next().unwrap_or(name);
        self.imports.insert(alias.unwrap_or(last).to_ascii_lowercase(), full);
    }

    /// The full name of something declared here.
    pub(crate) fn declared(&self, name: &str) -> String {
        if self.namespace.is_empty() { name.to_owned() } else { format!("{}\\{name}", self.namespace) }
    }

    /// The full name of a class that is spoken of; `self`, `static` and `parent` as they are, in lower case.
    pub(crate) fn class(&self, name: &str) -> String {
        let name = name.trim();
        if let Some(full) = name.strip_prefix('\\') {
            return full.to_owned();
        }
        let lower = name.to_ascii_lowercase();
        if matches!(lower.as_str(), "self" | "static" | "parent") {
            return lower;
        }
        if let Some(rest) = lower.strip_prefix("namespace\\") {
            let rest = name.get(name.len() - rest.len()..).unwrap_or(rest);
            return self.declared(rest);
        }
        let (first, rest) = name.split_once('\\').map_or((name, None), |(first, rest)| (first, Some(rest)));
        match (self.imports.get(&first.to_ascii_lowercase()), rest) {
            (Some(import), Some(rest)) => format!("{import}\\{rest}"),
            (Some(import), None) => import.clone(),
            (None, _) => self.declared(name),
        }
    }
}
