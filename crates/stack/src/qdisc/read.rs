//! Asks rtnetlink for queueing disciplines and interfaces.

use host::{Host, HostError};
use model::Unread;

use super::Facts;

/// Reads the layer at this instant.
///
/// # Errors
/// When queueing disciplines cannot be listed. Interfaces that cannot be listed leave `links` empty.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let qdiscs = host.qdiscs().map_err(|error| HostError::unread(&error))?;
    Ok(Facts { qdiscs, links: host.links().unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    #[test]
    fn a_host_without_an_answer_is_unread() {
        assert!(read(&Tree::in_memory(1).at(0)).is_err());
    }

    #[test]
    fn disciplines_stay_readable_without_interfaces() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/.narrows/qdiscs.json", r#"[{"interface":"eth0","kind":"mq","parent":"root"}]"#);
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!((facts.qdiscs.len(), facts.links.len()), (1, 0));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let mut tree = Tree::in_memory(1);
            tree.put(0, "/.narrows/qdiscs.json", bytes.clone());
            tree.put(0, "/.narrows/links.json", bytes);
            let _ = read(&tree.at(0));
        }
    }
}
