//! Configurations of tests, from their text.

use host::Tree;

use super::{Configuration, tree};

/// The configuration of one file, `/etc/nginx/nginx.conf`.
pub(super) fn configuration(text: &str) -> Configuration {
    const FILE: &str = "/etc/nginx/nginx.conf";
    let mut host = Tree::in_memory(1);
    host.put(0, FILE, text);
    let place = tree::Place { file: FILE.to_owned(), ..tree::Place::default() };
    let configuration = tree::read(&host.at(0), &place);
    assert!(configuration.problems.is_empty(), "{:?}", configuration.problems);
    configuration
}
