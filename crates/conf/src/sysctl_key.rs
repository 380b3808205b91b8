//! Names of kernel parameters, as systemd-sysctl normalises and matches them.

use std::fmt;

/// The normalised name of a kernel parameter: its path under `/proc/sys`, such as `net/ipv4/ip_forward`.
///
/// sysctl.d(5) of systemd 252: either `/` or `.` may separate. If the first separator is a slash, the rest is
/// left as it stands; if it is a dot, dots and slashes change places. So `net.ipv4.conf.enp3s0/200.forwarding`
/// and `net/ipv4/conf/enp3s0.200/forwarding` are one key. systemd's `sysctl_normalize` (src/basic/sysctl-util.c)
/// then also drops doubled, leading and trailing slashes and `.` components.
///
/// `Display` prints the dotted form; bytes that are not UTF-8 print as U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SysctlKey(Vec<u8>);

impl SysctlKey {
    /// Normalises a key as written in a file or on a command line, without a leading `-`.
    pub fn new(written: impl AsRef<[u8]>) -> Self {
        let written = written.as_ref();
        let dotted = written.iter().find(|byte| matches!(byte, b'.' | b'/')) == Some(&b'.');
        let path: Vec<u8> = if dotted {
            written.iter().map(|byte| swap_separator(*byte)).collect()
        } else {
            written.to_vec()
        };
        let components: Vec<&[u8]> = path
            .split(|byte| *byte == b'/')
            .filter(|component| !component.is_empty() && *component != b".")
            .collect();
        Self(components.join(&b'/'))
    }

    /// Returns the path under `/proc/sys`, with slashes and no leading slash.
    pub fn as_path(&self) -> &[u8] {
        &self.0
    }

    /// Tells whether nothing is left of the name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether the key is a pattern: it holds `*`, `?` or `[` (systemd's `string_is_glob`).
    pub fn is_glob(&self) -> bool {
        self.0.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
    }

    /// Tells whether this pattern matches the path of `key`.
    ///
    /// glob(7): the pattern is matched component by component, so that `*` and `?` never match a slash, nor a
    /// dot that begins a component. `[…]` holds characters and ranges, `!` or `^` negates it, a backslash makes
    /// the next character literal. Character classes such as `[:digit:]` are not known here.
    pub fn matches(&self, key: &Self) -> bool {
        let mut patterns = self.0.split(|byte| *byte == b'/');
        let mut names = key.0.split(|byte| *byte == b'/');
        loop {
            match (patterns.next(), names.next()) {
                (None, None) => return true,
                (Some(pattern), Some(name)) if component_matches(pattern, name) => {}
                _ => return false,
            }
        }
    }
}

impl fmt::Display for SysctlKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dotted: Vec<u8> = self.0.iter().map(|byte| swap_separator(*byte)).collect();
        formatter.write_str(&String::from_utf8_lossy(&dotted))
    }
}

const fn swap_separator(byte: u8) -> u8 {
    match byte {
        b'.' => b'/',
        b'/' => b'.',
        other => other,
    }
}

/// Matches one component in time proportional to pattern times name, whatever the number of stars.
fn component_matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && matches!(pattern.first(), Some(b'*' | b'?' | b'[')) {
        return false;
    }
    let (mut rest, mut left) = (pattern, name);
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', after @ ..] = rest {
            retry = Some((after, left));
            rest = after;
            continue;
        }
        if rest.is_empty() && left.is_empty() {
            return true;
        }
        if let Some((after_rest, after_left)) = match_one(rest, left) {
            (rest, left) = (after_rest, after_left);
            continue;
        }
        let Some((after_star, [_, shorter @ ..])) = retry else { return false };
        retry = Some((after_star, shorter));
        (rest, left) = (after_star, shorter);
    }
}

fn match_one<'a, 'b>(pattern: &'a [u8], name: &'b [u8]) -> Option<(&'a [u8], &'b [u8])> {
    let (byte, name_rest) = name.split_first()?;
    match pattern {
        [b'?', rest @ ..] => Some((rest, name_rest)),
        [b'[', inside @ ..] => match bracket_matches(inside, *byte) {
            Some((true, rest)) => Some((rest, name_rest)),
            Some((false, _)) => None,
            None => (*byte == b'[').then_some((inside, name_rest)),
        },
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (literal == byte).then_some((rest, name_rest)),
        [] => None,
    }
}

/// Matches `byte` against what follows `[`; `None` when no `]` closes it, which makes the `[` a literal.
fn bracket_matches(inside: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (negated, mut rest) = match inside {
        [b'!' | b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut found = false;
    let mut first = true;
    loop {
        let (low, after) = match rest {
            [b']', after @ ..] if !first => return Some((found != negated, after)),
            [b'\\', literal, after @ ..] | [literal, after @ ..] => (*literal, after),
            [] => return None,
        };
        first = false;
        (found, rest) = match after {
            [b'-', high, after @ ..] if *high != b']' => (found || (low..=*high).contains(&byte), after),
            after => (found || low == byte, after),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(written: &str) -> String {
        String::from_utf8_lossy(SysctlKey::new(written).as_path()).into_owned()
    }

    fn matches(pattern: &str, key: &str) -> bool {
        SysctlKey::new(pattern).matches(&SysctlKey::new(key))
    }

    #[test]
    fn the_first_separator_decides_what_the_others_mean() {
        assert_eq!(path("kernel.domainname"), "kernel/domainname");
        assert_eq!(path("kernel/domainname"), "kernel/domainname");
        assert_eq!(path("net.ipv4.conf.enp3s0/200.forwarding"), "net/ipv4/conf/enp3s0.200/forwarding");
        assert_eq!(path("net/ipv4/conf/enp3s0.200/forwarding"), "net/ipv4/conf/enp3s0.200/forwarding");
    }

    #[test]
    fn superfluous_slashes_and_dot_components_go() {
        assert_eq!(path("/net//ipv4/./ip_forward/"), "net/ipv4/ip_forward");
        assert_eq!(path("net..ipv4.ip_forward."), "net/ipv4/ip_forward");
    }

    #[test]
    fn printing_a_key_gives_a_name_that_normalises_to_it() {
        let key = SysctlKey::new("net/ipv4/conf/enp3s0.200/forwarding");
        assert_eq!(key.to_string(), "net.ipv4.conf.enp3s0/200.forwarding");
        assert_eq!(SysctlKey::new(key.to_string()), key);
    }

    #[test]
    fn a_star_stays_within_its_component() {
        assert!(matches("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.eth0.rp_filter"));
        assert!(matches("net.ipv4.conf.*.rp_filter", "net.ipv4.conf.enp3s0/200.rp_filter"));
        assert!(!matches("net.ipv4.*.rp_filter", "net.ipv4.conf.eth0.rp_filter"));
        assert!(!matches("net.ipv4.conf.*", "net.ipv4.conf.eth0.rp_filter"));
    }

    #[test]
    fn question_marks_brackets_and_escapes_follow_glob_7() {
        assert!(matches("net/ipv?/conf", "net/ipv4/conf"));
        assert!(matches("net/ipv[4-6]/conf", "net/ipv6/conf"));
        assert!(matches("net/ipv[!4]/conf", "net/ipv6/conf"));
        assert!(!matches("net/ipv[^6]/conf", "net/ipv6/conf"));
        assert!(matches("a/[]x]*", "a/]tail"));
        assert!(matches(r"a/\*", "a/*"));
        assert!(!matches(r"a/\*", "a/b"));
        assert!(matches("a/[", "a/["));
        assert!(!matches("a/*", "a/.hidden"));
    }

    #[test]
    fn many_stars_do_not_explode() {
        let pattern = SysctlKey::new(format!("{}b", "*a".repeat(2000)));
        assert!(!pattern.matches(&SysctlKey::new("a".repeat(4000))));
    }
}
