//! Paths with `*`, `?` and `[…]`, as glob(3) expands them.

use host::Host;

/// More matches of one pattern than this are not read: a pattern may lie over a folder of anything.
const MOST: usize = 4096;

/// The paths that match, sorted; a path without a pattern is itself.
pub(crate) fn expand(host: &dyn Host, pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for component in pattern.split('/').filter(|component| !component.is_empty()) {
        let magic = component.contains(['*', '?', '[']);
        let step = |folder: String| match magic {
            false => vec![format!("{folder}/{component}")],
            true => {
                let names = host.list(if folder.is_empty() { "/" } else { &folder }).unwrap_or_default();
                let names = names.into_iter().filter(|name| matches(component.as_bytes(), name.as_bytes()));
                names.map(|name| format!("{folder}/{name}")).collect()
            }
        };
        found = found.into_iter().flat_map(step).take(MOST).collect();
    }
    found.sort();
    found
}

/// Whether a name matches a pattern. A leading dot must be written out.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let hidden = name.starts_with(b".") && !pattern.starts_with(b".");
    !hidden && matches_rest(pattern, name)
}

/// Goes back to the last `*` only, so that no pattern takes more than (pattern × name) steps.
fn matches_rest(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let rest = pattern.get(at..).unwrap_or_default();
        if let [b'*', ..] = rest {
            star = Some((at + 1, in_name));
            at += 1;
            continue;
        }
        match (name.get(in_name), rest) {
            (None, []) => return true,
            (Some(byte), _) if let Some(length) = one(rest, *byte) => {
                at += length;
                in_name += 1;
            }
            _ => {
                let Some((after, from)) = star.filter(|(_, from)| *from < name.len()) else { return false };
                star = Some((after, from + 1));
                (at, in_name) = (after, from + 1);
            }
        }
    }
}

/// How much of the pattern one byte takes; `None` where it does not fit.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => {
            let end = rest.iter().skip(1).position(|byte| *byte == b']')? + 1;
            let set = rest.get(..end)?;
            let (negated, set) = match set {
                [b'!' | b'^', set @ ..] => (true, set),
                set => (false, set),
            };
            let mut set = set.iter().copied().peekable();
            let mut inside = false;
            while let Some(low) = set.next() {
                let mut after = set.clone();
                let range = after.next() == Some(b'-') && after.peek().is_some();
                let high = if range { set.nth(1).unwrap_or(low) } else { low };
                inside |= (low..=high).contains(&byte);
            }
            (inside != negated).then_some(end + 2)
        }
        [b'\\', literal, ..] => (*literal == byte).then_some(2),
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_glob_matches_them() {
        let fits = |pattern: &str, name: &str| matches(pattern.as_bytes(), name.as_bytes());
        for (pattern, name) in [
            ("*.conf", "www.conf"),
            ("*", ""),
            ("w?w", "wow"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("*a*b*c", "xxaxxbxxc"),
            ("[]]", "]"),
            ("\\*", "*"),
            ("[a-]", "-"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*.conf", ".conf"), ("*.conf", "www.conf.bak"), ("[a-c]x", "dx"), ("[a", "a"), ("?", "")]
        {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn folders_and_files_are_expanded() {
        let mut tree = host::Tree::in_memory(1);
        for path in ["/etc/php/8.1/fpm/a.conf", "/etc/php/8.2/fpm/b.conf", "/etc/php/8.2/cli/c.conf"] {
            tree.put(0, path, "");
        }
        let found = expand(&tree.at(0), "/etc/php/*/fpm/*.conf");
        assert_eq!(found, ["/etc/php/8.1/fpm/a.conf", "/etc/php/8.2/fpm/b.conf"]);
        assert_eq!(expand(&tree.at(0), "/a/b"), ["/a/b"]);
        assert!(expand(&tree.at(0), "/none/*").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(pattern: Vec<u8>, name: Vec<u8>) {
            matches(&pattern, &name);
        }
    }
}
