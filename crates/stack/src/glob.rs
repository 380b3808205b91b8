//! The files of a host that a pattern of glob(7) names.

use host::Host;

/// The paths that fit a pattern, sorted, at most so many; a path that is no pattern is given back as it is. `root` is put
/// before every folder that is listed, and is no part of the pattern nor of the paths.
pub fn paths(host: &dyn Host, root: &str, pattern: &str, most: usize) -> Vec<String> {
    if !conf::is_pattern(pattern.as_bytes()) {
        return vec![pattern.to_owned()];
    }
    let mut found = vec![String::new()];
    let mut parts = pattern.split('/').filter(|part| !part.is_empty()).peekable();
    while let Some(part) = parts.next() {
        if !conf::is_pattern(part.as_bytes()) {
            found.iter_mut().for_each(|path| *path = format!("{path}/{part}"));
            continue;
        }
        let last = parts.peek().is_none();
        let mut next = Vec::new();
        for folder in &found {
            let names = host.list(&format!("{root}{folder}")).unwrap_or_default();
            let mut fitting: Vec<_> =
                names.into_iter().filter(|name| conf::name_fits(part.as_bytes(), name.as_bytes())).collect();
            fitting.sort_unstable();
            let room = most.saturating_sub(next.len());
            next.extend(fitting.into_iter().take(room).map(|name| format!("{folder}/{name}")));
        }
        found = next;
        if last {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    #[test]
    fn a_pattern_names_what_lies_there_in_order() {
        let mut tree = Tree::in_memory(1);
        for path in ["/etc/n/b.conf", "/etc/n/a.conf", "/etc/n/c.txt", "/etc/n/.x.conf", "/etc/m/z/q.conf"] {
            tree.put(0, path, "");
        }
        let host = tree.at(0);
        assert_eq!(paths(&host, "", "/etc/n/*.conf", 9), ["/etc/n/a.conf", "/etc/n/b.conf"]);
        assert_eq!(paths(&host, "/etc", "/n/*.conf", 1), ["/n/a.conf"]);
        assert_eq!(paths(&host, "", "/etc/*/z/*.conf", 9), ["/etc/m/z/q.conf"]);
        assert_eq!(paths(&host, "", "/etc/none/*", 9), Vec::<String>::new());
        assert_eq!(paths(&host, "", "/etc/n/b.conf", 9), ["/etc/n/b.conf"]);
    }
}
