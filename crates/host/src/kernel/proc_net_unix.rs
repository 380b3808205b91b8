//! Listening Unix sockets from the text of `/proc/net/unix`, for when asking `sock_diag` would load a module.
//!
//! The file has no queue lengths, but a connection that waits to be accepted has a line of its own: it bears
//! its listener's path, belongs to no file yet (inode 0), and is shown as connecting (state 02) (`unix_seq_show`
//! and `unix_stream_connect` in `net/unix/af_unix.c`). Counting those gives the accept queue.

use std::collections::HashMap;
use std::str;

use super::{Family, FromProc, Listener};

/// `__SO_ACCEPTCON` in the flags column.
const ACCEPTS_CONNECTIONS: u32 = 1 << 16;
/// `SS_CONNECTING`.
const CONNECTING: u8 = 2;

struct Line<'a> {
    flags: u32,
    state: u8,
    inode: u64,
    path: &'a [u8],
}

/// Reads the listening sockets. `waiting` is exact unless two listeners bear the same path (one of them
/// unlinked): each then shows the connections that wait for either. There is no backlog.
#[must_use]
pub fn listeners(text: &[u8]) -> FromProc<Vec<Listener>> {
    let mut lines_skipped = 0_u64;
    let mut waiting: HashMap<&[u8], u32> = HashMap::new();
    let mut listening = Vec::new();
    for line in
        text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"Num "))
    {
        match parse(line) {
            Some(line) if line.flags & ACCEPTS_CONNECTIONS != 0 => listening.push(line),
            Some(line) if line.state == CONNECTING && line.inode == 0 && !line.path.is_empty() => {
                let count = waiting.entry(line.path).or_default();
                *count = count.saturating_add(1);
            }
            Some(_) => {}
            None => lines_skipped = lines_skipped.saturating_add(1),
        }
    }
    let listener = |line: Line<'_>| Listener {
        family: Family::Unix,
        local: String::from_utf8_lossy(line.path).into_owned(),
        port: None,
        inode: line.inode,
        waiting: waiting.get(line.path).copied().unwrap_or(0),
        backlog: None,
    };
    FromProc { answer: listening.into_iter().map(listener).collect(), lines_skipped }
}

/// `Num: RefCount Protocol Flags Type St Inode Path`; the path may be missing, and may contain blanks.
fn parse(line: &[u8]) -> Option<Line<'_>> {
    let mut rest = line;
    field(&mut rest)?.strip_suffix(":")?;
    let flags = field(&mut rest).and_then(|_| field(&mut rest)).and_then(|_| field(&mut rest))?;
    let flags = u32::from_str_radix(flags, 16).ok()?;
    let state = field(&mut rest).and_then(|_| field(&mut rest))?;
    let state = u8::from_str_radix(state, 16).ok()?;
    let inode = field(&mut rest)?.parse().ok()?;
    Some(Line { flags, state, inode, path: rest.strip_prefix(b" ").unwrap_or(rest) })
}

/// Takes the next word off `rest`, with the blanks before it.
fn field<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let line = rest.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    let (word, after) = line.split_at_checked(end)?;
    *rest = after;
    str::from_utf8(word).ok().filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const UNIX: &[u8] = b"\
Num       RefCount Protocol Flags    Type St Inode Path
ffff8880a: 00000002 00000000 00010000 0001 01 21001 /run/php/php8.2-fpm.sock
ffff8880b: 00000002 00000000 00000000 0001 02     0 /run/php/php8.2-fpm.sock
ffff8880c: 00000002 00000000 00000000 0001 02     0 /run/php/php8.2-fpm.sock
ffff8880d: 00000003 00000000 00000000 0001 03 21007 /run/php/php8.2-fpm.sock
ffff8880e: 00000003 00000000 00000000 0001 03 21008
ffff8880f: 00000002 00000000 00010000 0005 01 21009 @/odd name
what is this
";

    #[test]
    fn connections_not_yet_accepted_are_counted_by_path() {
        let FromProc { answer, lines_skipped } = listeners(UNIX);
        assert_eq!(lines_skipped, 1);
        let seen: Vec<_> =
            answer.iter().map(|each| (each.local.as_str(), each.inode, each.waiting)).collect();
        assert_eq!(seen, [("/run/php/php8.2-fpm.sock", 21001, 2), ("@/odd name", 21009, 0)]);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = listeners(&bytes);
        }

        #[test]
        fn nearly_right_lines_never_panic(line in "f{0,3}:? [0-9]{0,9} 0 [0-9]{0,9} 1 [0-9é]{0,3} [0-9]{0,22}( .*)?") {
            let _ = listeners(line.as_bytes());
        }
    }
}
