//! What is at the root of an interface, and what hangs below it.

use std::collections::BTreeSet;

use super::interface::kernel_error;
use super::qdisc_options::without_counters;
use crate::netlink::Refused;
use crate::netlink::traffic_control::{Entry, INGRESS, ROOT, classes, disciplines, root_filters};
use crate::state::Contents;
use crate::{ChangeError, QdiscState};

/// The handle of what the kernel attached by itself.
pub(super) const OF_THE_KERNEL: &str = "0:";
/// What the kernel holds for an interface that is down and never had another; it lists none.
const NONE_YET: &str = "noop";
/// Kinds whose classes someone made. Those of others come with the kind, one for each queue or band or flow.
const CLASSES_BY_HAND: [&str; 5] = ["htb", "hfsc", "drr", "qfq", "cbq"];

/// Reads what is attached, in the network namespace of the caller.
pub(super) fn read_root(attempted: &str, index: u32) -> Result<QdiscState, ChangeError> {
    let failed = |error| kernel_error(attempted, error);
    let found = disciplines(index).map_err(failed)?;
    let Some(root) = found.iter().find(|entry| entry.parent == ROOT) else {
        return Ok(QdiscState {
            kind: NONE_YET.to_owned(),
            handle: OF_THE_KERNEL.to_owned(),
            options: Contents::default(),
            below: vec![],
            configured: vec![],
        });
    };
    let classes = match CLASSES_BY_HAND.contains(&root.kind.as_str()) {
        true => classes(index).map_err(failed)?,
        false => vec![],
    };
    let filters = root_filters(index).map_err(failed)?;
    Ok(state(root, &found, &classes, filters.len()))
}

fn state(root: &Entry, all: &[Entry], classes: &[Entry], filters: usize) -> QdiscState {
    let below = all.iter().filter(|entry| entry.parent != ROOT && entry.parent != INGRESS);
    let (own, others): (Vec<_>, Vec<_>) =
        below.partition(|entry| entry.handle == 0 && entry.untold.is_empty());
    let own: BTreeSet<_> = own.iter().map(|entry| entry.kind.clone()).collect();
    let mut configured: Vec<_> = root.untold.iter().map(ToString::to_string).collect();
    configured.extend(classes.iter().map(|class| format!("class {}", identifier(class.handle))));
    configured.extend(
        others.iter().map(|entry| {
            format!("{} {} at {}", entry.kind, identifier(entry.handle), identifier(entry.parent))
        }),
    );
    if filters > 0 {
        configured.push("filters".to_owned());
    }
    QdiscState {
        kind: root.kind.clone(),
        handle: identifier(root.handle),
        options: Contents(without_counters(&root.kind, &root.options)),
        below: own.into_iter().collect(),
        configured,
    }
}

/// A handle as tc(8) writes it: `8001:` of a discipline, `1:10` of a class.
fn identifier(handle: u32) -> String {
    let (major, minor) = (handle >> 16, handle & 0xffff);
    if minor == 0 { format!("{major:x}:") } else { format!("{major:x}:{minor:x}") }
}

/// `8001:` as the kernel counts it.
pub(super) fn handle_number(attempted: &str, handle: &str) -> Result<u32, ChangeError> {
    let major = handle.strip_suffix(':').and_then(|digits| u16::from_str_radix(digits, 16).ok());
    major.map(|major| u32::from(major) << 16).ok_or_else(|| {
        ChangeError::new(attempted, format!("`{handle}` is no handle; it should read as `8001:`"))
    })
}

/// A refusal in the kernel's words, with what helps.
pub(super) fn refused(attempted: &str, kind: &str, refused: Refused) -> ChangeError {
    let mut error = ChangeError::io(attempted, &refused.error);
    if let Some(said) = &refused.said {
        error.why = format!("{} ({said})", error.why);
    }
    match refused.error.raw_os_error() {
        // Attaching only: nothing else names a kind.
        Some(libc::ENOENT) => error.help(format!(
            "the kernel has no such discipline loaded: modprobe sch_{kind}; Debian has it in linux-image"
        )),
        Some(libc::EPERM) => error.help("run it as root, with CAP_NET_ADMIN in the network namespace"),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(handle: u32, parent: u32, kind: &str) -> Entry {
        Entry { handle, parent, kind: kind.to_owned(), ..Entry::default() }
    }

    #[test]
    fn what_someone_put_below_the_root_is_told_from_what_the_kernel_put_there() {
        let root = entry(0x8001_0000, ROOT, "mq");
        let all = [
            root.clone(),
            entry(0, 0x8001_0001, "fq_codel"),
            entry(0, 0x8001_0002, "fq_codel"),
            entry(0x0010_0000, 0x8001_0003, "netem"),
            entry(0xffff_0000, INGRESS, "clsact"),
        ];
        let read = state(&root, &all, &[entry(0x0001_0010, ROOT, "htb")], 2);
        assert_eq!((read.kind.as_str(), read.handle.as_str()), ("mq", "8001:"));
        assert_eq!(read.below, ["fq_codel"]);
        assert_eq!(read.configured, ["class 1:10", "netem 10: at 8001:3", "filters"]);
    }

    #[test]
    fn a_handle_is_written_and_read_in_hexadecimal() {
        assert_eq!(handle_number("", "4e41:").unwrap(), 0x4e41_0000);
        assert_eq!(identifier(0x4e41_0000), "4e41:");
        for wrong in ["", ":", "4e41", "1:1:", "zz:", "10000:"] {
            assert!(handle_number("", wrong).is_err(), "{wrong}");
        }
    }
}
