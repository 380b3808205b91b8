//! Extended attributes: access control lists, security labels, capabilities, those of users (xattr(7)).

use std::collections::BTreeMap;
use std::os::fd::AsFd;

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;

use crate::Contents;

pub(super) type Attributes = BTreeMap<String, Contents>;

/// Longest list of names and longest value, in bytes (`XATTR_LIST_MAX` and `XATTR_SIZE_MAX`, linux/limits.h).
const LONGEST_BYTES: usize = 64 << 10;

/// Digests over a file's contents, which the kernel makes anew for new contents and refuses to be given
/// (Documentation/ABI/testing/evm, ima_appraise.c).
const OF_CONTENTS: [&str; 2] = ["security.ima", "security.evm"];

/// Whether an attribute is a label that the policy of a security module gives by the file's path and maker.
pub(super) fn is_label(name: &str) -> bool {
    name == "security.selinux" || name.starts_with("security.SMACK64")
}

/// The attributes of an open file; none where the file system has no such thing.
pub(super) fn read(file: impl AsFd) -> Result<Attributes, Errno> {
    let mut buffer = vec![0; LONGEST_BYTES];
    let length = match flistxattr(&file, buffer.as_mut_slice()) {
        Ok(length) => length,
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Attributes::new()),
        Err(errno) => return Err(errno),
    };
    let names = buffer.get(..length).unwrap_or_default().to_vec();
    let mut attributes = Attributes::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let name = std::str::from_utf8(name).map_err(|_| Errno::ILSEQ)?;
        if OF_CONTENTS.contains(&name) {
            continue;
        }
        match fgetxattr(&file, name, buffer.as_mut_slice()) {
            Ok(length) => {
                let value = buffer.get(..length).unwrap_or_default();
                attributes.insert(name.to_owned(), Contents(value.to_vec()));
            }
            // Listed by the file system, kept from us by a security module, or removed meanwhile.
            Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(attributes)
}

/// Gives a new file these attributes and takes those away that it has from its directory, such as a default access
/// control list. A label it was given stays where `wanted` has none, since no file can be without. The error names
/// the attribute.
pub(super) fn write(file: impl AsFd, wanted: &Attributes) -> Result<(), (String, Errno)> {
    let present = read(&file).map_err(|errno| ("extended attributes".to_owned(), errno))?;
    for (name, value) in wanted.iter().filter(|(name, value)| present.get(*name) != Some(value)) {
        fsetxattr(&file, name.as_str(), &value.0, XattrFlags::empty())
            .map_err(|errno| (name.clone(), errno))?;
    }
    for name in present.keys().filter(|name| !wanted.contains_key(*name) && !is_label(name)) {
        fremovexattr(&file, name.as_str()).map_err(|errno| (name.clone(), errno))?;
    }
    Ok(())
}
