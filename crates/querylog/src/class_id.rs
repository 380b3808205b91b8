//! The name of a class of queries: the MD5 sum of its fingerprint, as pt-query-digest prints it.

use std::fmt;

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};

/// MD5 of a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClassId([u8; 16]);

impl ClassId {
    /// The name of the class that has this fingerprint.
    pub fn of(fingerprint: &[u8]) -> ClassId {
        ClassId(Md5::digest(fingerprint).into())
    }

    /// The last 16 digits: the whole ID of pt-query-digest up to 3.0.10 and of tools built on go-mysql.
    pub fn short(&self) -> String {
        let long = self.to_string();
        long.get(16..).unwrap_or_default().to_owned()
    }

    /// The sum itself.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<[u8; 16]> for ClassId {
    fn from(sum: [u8; 16]) -> ClassId {
        ClassId(sum)
    }
}

/// 32 hexadecimal digits in upper case.
impl fmt::Display for ClassId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}
