//! Takes secrets out of PHP that configures something: names of constants, paths and sizes stay, any other string goes.

use super::REDACTED;

/// Whether a file of PHP may configure an application. Code that Composer or WordPress ships holds no secret.
pub(super) fn configures(path: &str) -> bool {
    let shipped = ["/vendor/", "/wp-includes/", "/wp-admin/", "/plugins/", "/themes/"];
    path.ends_with(".php") && !shipped.iter().any(|folder| path.contains(folder))
}

/// The bytes with what may be secret replaced, lines kept.
pub(super) fn without_secrets(bytes: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, after)) = rest.split_first() {
        let taken = match (first, after.first()) {
            (b'\'' | b'"' | b'`', _) => string(*first, rest, &mut clean),
            (b'#', _) | (b'/', Some(b'/')) => comment(rest, line_end(rest), &mut clean),
            (b'/', Some(b'*')) => comment(rest, block_end(rest), &mut clean),
            (b'<', Some(b'<')) if rest.starts_with(b"<<<") => {
                // What a heredoc holds cannot be told from what follows without its name: all of it goes.
                clean.extend_from_slice(format!("'{REDACTED}';\n").as_bytes());
                return clean;
            }
            _ => {
                clean.push(*first);
                1
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    clean
}

/// Copies a string, or what stands for it; gives how many bytes it takes.
fn string(quote: u8, rest: &[u8], clean: &mut Vec<u8>) -> usize {
    let mut end = 1;
    while let Some(byte) = rest.get(end) {
        match byte {
            b'\\' => end += 2,
            byte if *byte == quote => break,
            _ => end += 1,
        }
    }
    let inside = rest.get(1..end.min(rest.len())).unwrap_or_default();
    clean.push(quote);
    if is_name(clean) || is_harmless(inside) {
        clean.extend_from_slice(inside);
    } else {
        clean.extend_from_slice(REDACTED.as_bytes());
        let lines = inside.iter().filter(|byte| **byte == b'\n').count();
        clean.extend(std::iter::repeat_n(b'\n', lines));
    }
    if end < rest.len() {
        clean.push(quote);
    }
    end + 1
}

/// Whether the string that begins here is the first argument of `define(` or `defined(`.
fn is_name(before: &[u8]) -> bool {
    let code = before.split_last().map_or(before, |(_, code)| code).trim_ascii_end();
    let Some(code) = code.strip_suffix(b"(") else { return false };
    let code = code.trim_ascii_end();
    code.ends_with(b"define") || code.ends_with(b"defined")
}

/// A path, a size, a word of WordPress's own.
fn is_harmless(inside: &[u8]) -> bool {
    let path = inside.first() == Some(&b'/') || inside.ends_with(b".php");
    let path = path && inside.iter().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(byte));
    let digits = inside.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let size = (1..6).contains(&digits) && matches!(inside.get(digits..), Some(b"" | b"K" | b"M" | b"G"));
    inside.is_empty() || path || size || [&b"production"[..], b"staging", b"minor"].contains(&inside)
}

/// Keeps of a comment only that editing stops there, and its lines.
fn comment(rest: &[u8], end: usize, clean: &mut Vec<u8>) -> usize {
    let text = rest.get(..end).unwrap_or_default();
    let says_stop = String::from_utf8_lossy(text).to_ascii_lowercase().contains("stop editing");
    let block = text.starts_with(b"/*");
    clean.extend_from_slice(if block { b"/*" } else { b"#" });
    clean.extend_from_slice(if says_stop { b" stop editing " } else { b"" });
    clean.extend(text.iter().filter(|byte| **byte == b'\n'));
    clean.extend_from_slice(if block { b"*/" } else { b"" });
    end
}

fn line_end(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

fn block_end(rest: &[u8]) -> usize {
    rest.windows(2).skip(2).position(|pair| pair == b"*/").map_or(rest.len(), |at| at + 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_php_names_paths_and_sizes_stay() {
        let text = "<?php
define( 'DB_PASSWORD', 'hunt\\'er2' ); // was 'hunter1'
define(\"AUTH_KEY\",
  \"hunter3
hunter4\");
$o = ['key' => 'hunter5', 'HUNTER6'];
define('WP_MEMORY_LIMIT', '256M');
define('DISABLE_WP_CRON', true);
require_once '/etc/site.php';
/* That's all, stop editing! */
require_once ABSPATH . 'wp-settings.php';
";
        let expected = "<?php
define( 'DB_PASSWORD', 'redacted' ); #
define(\"AUTH_KEY\",
  \"redacted
\");
$o = ['redacted' => 'redacted', 'redacted'];
define('WP_MEMORY_LIMIT', '256M');
define('DISABLE_WP_CRON', true);
require_once '/etc/site.php';
/* stop editing */
require_once ABSPATH . 'wp-settings.php';
";
        assert_eq!(String::from_utf8(without_secrets(text.as_bytes())).unwrap(), expected);
        assert_eq!(without_secrets(b"<?php $a = <<<X\nhunter2\nX;\n"), b"<?php $a = 'redacted';\n");
        for torn in ["'", "\"\\", "/*", "/", "//", "<<<"] {
            let _ = without_secrets(torn.as_bytes());
        }
    }
}
