//! Patterns of file names as glob(7) has them, which the `include` of Nginx and of PHP-FPM takes.

/// Tells whether a word is a pattern and not just a path. Nginx asks the same way (`strpbrk(file, "*?[")`).
pub fn is_pattern(path: &[u8]) -> bool {
    path.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['))
}

/// Tells whether a file name fits one component of a pattern.
///
/// `*`, `?`, `[a-z]`, `[!a]` and `\` are read as glob(7) says; a leading dot is matched only by a dot. `/` is like any other
/// byte: split the path first. The work is bounded by the product of both lengths.
pub fn name_fits(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    let (mut at, mut read) = (0, 0);
    // Where the last `*` stood, and how much of the name it has taken so far.
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() {
        let rest = pattern.get(at..).unwrap_or_default();
        if rest.first() == Some(&b'*') {
            star = Some((at, read));
            at += 1;
            continue;
        }
        let byte = name.get(read).copied().unwrap_or_default();
        match (one(rest, byte), star) {
            (Some(length), _) => (at, read) = (at + length, read + 1),
            (None, Some((star_at, taken))) => {
                star = Some((star_at, taken + 1));
                (at, read) = (star_at + 1, taken + 1);
            }
            (None, None) => return false,
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// How many bytes of a pattern one byte of a name fits; `None` where it does not.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'[', rest @ ..] => match class(rest, byte) {
            Some((fits, length)) => fits.then_some(length + 1),
            None => (byte == b'[').then_some(1),
        },
        [plain, ..] => (*plain == byte).then_some(1),
    }
}

/// Whether a byte is in the class whose text begins after `[`, and how long that text is; `None` where no `]` ends it.
fn class(text: &[u8], byte: u8) -> Option<(bool, usize)> {
    let negated = matches!(text.first(), Some(b'!' | b'^'));
    let start = usize::from(negated);
    // A `]` in the first place stands for itself.
    let end = text.iter().skip(start + 1).position(|byte| *byte == b']')? + start + 1;
    let mut members = text.get(start..end)?;
    let mut fits = false;
    while let [first, after @ ..] = members {
        (fits, members) = match after {
            [b'-', last, rest @ ..] => (fits || (*first..=*last).contains(&byte), rest),
            _ => (fits || *first == byte, after),
        };
    }
    Some((fits != negated, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_as_glob_says() {
        let fits = |pattern: &str, name: &str| name_fits(pattern.as_bytes(), name.as_bytes());
        for (pattern, name) in [
            ("*", "default"),
            ("*.conf", "a.conf"),
            ("*.conf", "a.b.conf"),
            ("?0-*.conf", "50-mod.conf"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]]x", "]x"),
            ("a\\*", "a*"),
            (".*", ".htaccess"),
            ("a[", "a["),
            ("a**b", "a--b"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("*", ".hidden"),
            ("?hidden", ".hidden"),
            ("*.conf", "a.conf.bak"),
            ("*.conf", "conf"),
            ("[!a-c]x", "ax"),
            ("a\\*", "ab"),
            ("", "a"),
            ("a", ""),
        ] {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends_soon() {
        assert!(!name_fits("*a".repeat(200).as_bytes(), "a".repeat(199).as_bytes()));
        assert!(name_fits("*a".repeat(100).as_bytes(), "a".repeat(4000).as_bytes()));
    }

    #[test]
    fn a_pattern_is_told_from_a_path() {
        assert!(is_pattern(b"sites-enabled/*") && is_pattern(b"a[0-9]"));
        assert!(!is_pattern(b"mime.types"));
    }
}
