//! Builds the host of a case in the documents beside causes and symptoms.

use host::Tree;
use stack::document::{Case, Document};
use stack::{Evidence, reading};

const SECONDS_BETWEEN_INSTANTS: usize = 10;

fn instants(document: &Document, case: &Case) -> usize {
    let stated = case.blocks.iter().flat_map(|block| block.text.lines());
    let stated = stated.filter_map(|line| line.strip_prefix("instants ")?.trim().parse().ok()).next();
    let blocks = document.shared.iter().chain(&case.blocks);
    let named = blocks.filter_map(|block| block.attribute("at")?.parse::<usize>().ok()).max();
    stated.unwrap_or(named.unwrap_or(0).max(1) + 1)
}

/// The evidence that a case's host gives.
pub(crate) fn evidence(document: &Document, case: &Case) -> Evidence {
    let count = instants(document, case);
    let mut tree = Tree::in_memory(count);
    for block in document.shared.iter().chain(&case.blocks) {
        let Some(path) = block.attribute("path") else { continue };
        let at = block.attribute("at").and_then(|at| at.parse::<usize>().ok());
        let range = at.map_or(0..count, |at| at..at + 1);
        if block.attribute("at").is_none() {
            tree.remove(path);
        }
        for instant in range.filter(|instant| *instant < count) {
            match block.kind {
                "file" => tree.put(instant, path, block.text),
                "link" => tree.put_link(instant, path, block.text.trim()),
                _ => {}
            }
        }
    }
    let timed =
        case.blocks.iter().chain(&document.shared).any(|b| b.attribute("path") == Some("/proc/uptime"));
    for instant in 0..count {
        if !timed {
            tree.put(
                instant,
                "/proc/uptime",
                format!("{}.00 0.00\n", 1000 + SECONDS_BETWEEN_INSTANTS * instant),
            );
        }
    }
    reading::read_tree(&tree).unwrap()
}
