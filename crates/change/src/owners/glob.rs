//! Shell patterns of `*` and `?`, as udev and TuneD match names of devices.

/// Whether a pattern matches a whole name.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return name.is_empty() };
    let rest = pattern.get(first.len_utf8()..).unwrap_or_default();
    if first == '*' {
        let ends = name.char_indices().map(|(at, _)| at).chain([name.len()]);
        return ends.into_iter().any(|at| matches(rest, name.get(at..).unwrap_or_default()));
    }
    let Some(letter) = name.chars().next().filter(|letter| first == '?' || *letter == first) else {
        return false;
    };
    matches(rest, name.get(letter.len_utf8()..).unwrap_or_default())
}

/// Whether a list of patterns takes a name in; `!` before a pattern takes a name out, and a list of nothing else takes
/// in all others.
pub(super) fn list_matches<'a>(patterns: impl IntoIterator<Item = &'a str>, name: &str) -> bool {
    let (mut positive, mut taken) = (false, false);
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if matches(pattern, name) => return false,
            Some(_) => {}
            None => {
                positive = true;
                taken |= matches(pattern, name);
            }
        }
    }
    taken || !positive
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        assert!(matches("en*", "enp1s0") && matches("*", "x") && matches("eth?", "eth0"));
        assert!(!matches("eth?", "eth10") && !matches("en", "enp1s0"));
        assert!(list_matches(["!sd*"], "nvme0n1") && !list_matches(["!sd*"], "sda"));
        assert!(list_matches(["eth0", "eth1"], "eth1") && !list_matches(["eth0"], "eth1"));
    }
}
