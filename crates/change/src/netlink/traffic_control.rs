//! Queueing disciplines of one interface: what is attached, and attaching at its root.
//!
//! Layouts: `include/uapi/linux/{rtnetlink,pkt_sched}.h`, man 8 tc.

use host::kernel::KernelError;
use host::kernel::netlink::{Attributes, Netlink, encode_attribute, text, u32_at};

use super::{Refused, request};

const RTM_NEWQDISC: u16 = 36;
const RTM_DELQDISC: u16 = 37;
const RTM_GETQDISC: u16 = 38;
const RTM_GETTCLASS: u16 = 42;
const RTM_GETTFILTER: u16 = 46;

const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_CREATE: u16 = 0x400;

/// `struct tcmsg`: family, interface, handle, parent, info.
const HEADER_BYTES: usize = 20;
const TCA_KIND: u16 = 1;
const TCA_OPTIONS: u16 = 2;
const TCA_STAB: u16 = 8;
const TCA_INGRESS_BLOCK: u16 = 13;
const TCA_EGRESS_BLOCK: u16 = 14;

/// `TC_H_ROOT`: the parent of what is attached to the interface itself.
pub(crate) const ROOT: u32 = 0xffff_ffff;
/// `TC_H_INGRESS`, which `TC_H_CLSACT` equals: what sees packets as they come in.
pub(crate) const INGRESS: u32 = 0xffff_fff1;

/// A dump that the kernel marks as interrupted is asked for again this often.
const ATTEMPTS: usize = 4;

/// A queueing discipline or a class, as the kernel lists it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) handle: u32,
    pub(crate) parent: u32,
    pub(crate) kind: String,
    /// `TCA_OPTIONS`, which each kind lays out its own way; empty where it gives none.
    pub(crate) options: Vec<u8>,
    /// What is set on it that the kernel does not tell in full.
    pub(crate) untold: Vec<&'static str>,
}

/// The queueing disciplines of an interface, but for those that the kernel hides.
pub(crate) fn disciplines(interface: u32) -> Result<Vec<Entry>, KernelError> {
    entries("rtnetlink dump of queueing disciplines", RTM_GETQDISC, interface)
}

/// The classes of the queueing disciplines of an interface.
pub(crate) fn classes(interface: u32) -> Result<Vec<Entry>, KernelError> {
    entries("rtnetlink dump of traffic classes", RTM_GETTCLASS, interface)
}

/// The filters of the queueing discipline at the root. The kernel may list more entries than were made, never fewer.
pub(crate) fn root_filters(interface: u32) -> Result<Vec<Entry>, KernelError> {
    entries("rtnetlink dump of traffic filters", RTM_GETTFILTER, interface)
}

/// Attaches a queueing discipline at the root in one step: packets meet the old or the new one, never none.
pub(crate) fn attach_root(interface: u32, kind: &str, handle: u32, options: &[u8]) -> Result<(), Refused> {
    let mut body = header(interface, handle, ROOT);
    encode_attribute(&mut body, TCA_KIND, &[kind.as_bytes(), &[0]].concat());
    if !options.is_empty() {
        encode_attribute(&mut body, TCA_OPTIONS, options);
    }
    request(RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &body)
}

/// Takes the queueing discipline at the root away. If the interface is up, the kernel attaches its default at once.
pub(crate) fn remove_root(interface: u32) -> Result<(), Refused> {
    request(RTM_DELQDISC, 0, &header(interface, 0, ROOT))
}

fn header(interface: u32, handle: u32, parent: u32) -> Vec<u8> {
    [0, interface, handle, parent, 0].iter().flat_map(|word| word.to_ne_bytes()).collect()
}

fn entries(query: &str, kind: u16, interface: u32) -> Result<Vec<Entry>, KernelError> {
    let mut netlink = Netlink::open(query, None)?;
    for _ in 0..ATTEMPTS {
        let mut found = Vec::new();
        let interrupted = netlink.dump(query, kind, &header(interface, 0, 0), &mut |message| {
            match read_entry(message.payload) {
                Some((of, entry)) if of == interface => found.push(entry),
                Some(_) => {}
                None => {
                    return Err(KernelError::Malformed { query: query.to_owned(), offset: message.offset });
                }
            }
            Ok(())
        })?;
        if !interrupted {
            return Ok(found);
        }
    }
    let source = rustix::io::Errno::AGAIN.into();
    Err(KernelError::Io { query: query.to_owned(), source })
}

/// The interface and the entry of one message.
fn read_entry(bytes: &[u8]) -> Option<(u32, Entry)> {
    let word = |at| u32_at(bytes, at);
    let mut entry = Entry { handle: word(8)?, parent: word(12)?, ..Entry::default() };
    for attribute in Attributes::new(bytes.get(HEADER_BYTES..)?) {
        match attribute.ok()? {
            (TCA_KIND, value) => entry.kind = text(value),
            (TCA_OPTIONS, value) => entry.options = value.to_vec(),
            (TCA_STAB, _) => entry.untold.push("a size table"),
            (TCA_INGRESS_BLOCK | TCA_EGRESS_BLOCK, _) => entry.untold.push("a shared filter block"),
            _ => {}
        }
    }
    Some((word(4)?, entry))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_entry(&bytes);
        }

        #[test]
        fn an_entry_is_read_back(interface: u32, handle: u32, parent: u32, kind in "[a-z_]{1,12}", options in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut bytes = header(interface, handle, parent);
            encode_attribute(&mut bytes, TCA_KIND, kind.as_bytes());
            encode_attribute(&mut bytes, TCA_OPTIONS, &options);
            let entry = Entry { handle, parent, kind, options, untold: vec![] };
            prop_assert_eq!(read_entry(&bytes), Some((interface, entry)));
        }
    }
}
