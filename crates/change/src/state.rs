//! What a target holds, complete enough to put it back exactly.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// What a target holds at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// It is not there: a file that does not exist, a module that is not loaded, a namespace that has gone.
    Absent,
    /// A file that does not exist, in a directory that does not exist either. Written back, it takes the directories
    /// away again that were made for the file, where nothing else has come into them.
    AbsentBelow {
        /// The outermost directory that is missing, as an absolute path.
        directory: String,
    },
    /// One value as text, without the kernel's closing newline.
    Text {
        /// The value.
        value: String,
    },
    /// Several values that change together, such as the two halves of a pair.
    Values {
        /// Each value by its name.
        values: BTreeMap<String, String>,
    },
    /// A regular file.
    File(FileState),
    /// A symbolic link.
    Link {
        /// Where it points, as written.
        to: String,
    },
    /// A queueing discipline.
    Qdisc(QdiscState),
}

impl State {
    /// One value as text.
    pub fn text(value: impl Into<String>) -> Self {
        Self::Text { value: value.into() }
    }

    /// The state in a few words, for a person.
    pub fn shown(&self) -> String {
        match self {
            Self::Absent | Self::AbsentBelow { .. } => "absent".to_owned(),
            Self::Text { value } if value.is_empty() => "empty".to_owned(),
            Self::Text { value } => value.clone(),
            Self::Values { values } => {
                // What is given back beside the values is named by its path.
                let values = values.iter().filter(|(name, _)| !name.contains('/'));
                values.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
            }
            Self::File(file) => format!("{} bytes (sha256 {:.8}…)", file.contents.0.len(), file.sha256()),
            Self::Link { to } => format!("link to {to}"),
            Self::Qdisc(qdisc) => format!("{} {}", qdisc.kind, qdisc.handle),
        }
    }

    /// A short text that differs when the state does: the value itself where it is short, a digest of a file.
    /// A plan carries it instead of the state, so that no file's contents enter a plan.
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Absent => "absent".to_owned(),
            Self::AbsentBelow { directory } => format!("absent below {directory}"),
            Self::Text { value } => format!("text {value}"),
            Self::Values { values } => {
                let values: Vec<_> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("values {}", values.join(" "))
            }
            Self::File(file) => file.fingerprint(),
            Self::Link { to } => format!("link to {to}"),
            Self::Qdisc(qdisc) => {
                let QdiscState { kind, handle, options, below, configured } = qdisc;
                let parts = [&[hex(&options.0)], below.as_slice(), configured.as_slice()].concat();
                format!("qdisc {kind} {handle} {}", parts.join(" "))
            }
        }
    }
}

/// A regular file with all that a restore must give back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Its bytes.
    pub contents: Contents,
    /// The owner's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// Permission bits, as `0o644`.
    pub mode: u32,
    /// When it was last modified: seconds and nanoseconds since 1970, or [`FileState::MODIFIED_BY_WRITING`].
    pub modified: (i64, u32),
    /// Extended attributes by name: security labels, access control lists.
    pub attributes: BTreeMap<String, Contents>,
    /// How many names the file has (hard links); 0 for a state that was not read.
    #[serde(default)]
    pub links: u64,
}

impl FileState {
    /// The time of modification of a state that was not read: that of its writing. No file system can hold it, whereas
    /// second 0 of 1970 is what images that are built reproducibly give to their files.
    pub const MODIFIED_BY_WRITING: (i64, u32) = (i64::MIN, 0);

    /// The digest of its bytes, in hexadecimal.
    pub fn sha256(&self) -> String {
        sha256(&self.contents.0)
    }

    fn fingerprint(&self) -> String {
        let Self { uid, gid, mode, .. } = self;
        format!("file sha256:{} {uid}:{gid} {mode:04o}", self.sha256())
    }
}

/// A root queueing discipline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QdiscState {
    /// Its kind, such as `fq_codel`.
    pub kind: String,
    /// Its handle, as `8001:`; `0:` for the one that the kernel attached by itself.
    pub handle: String,
    /// Its options, as the kernel gives and takes them (`TCA_OPTIONS`).
    pub options: Contents,
    /// The kinds that the kernel put below it by itself, each once: those of the queues of an `mq`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub below: Vec<String>,
    /// What someone configured below it, and narrows cannot put back: `class 1:10`, `2 filters`, `netem 10: at 1:1`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configured: Vec<String>,
}

/// Bytes that are written to JSON as text where they are text, and in hexadecimal where not.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Contents(pub Vec<u8>);

impl std::fmt::Debug for Contents {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Written {
    Text(String),
    Hex(String),
}

impl Serialize for Contents {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => Written::Text(text.to_owned()).serialize(serializer),
            Err(_) => Written::Hex(hex(&self.0)).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Contents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Hex(digits) => unhex(&digits)
                .map(Self)
                .ok_or_else(|| serde::de::Error::custom("an even number of hexadecimal digits is expected")),
        }
    }
}

/// The digest of bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let [high, low] = pair else { return None };
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            u8::try_from(digit(high)? * 16 + digit(low)?).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_survive_json() {
        for bytes in [&b""[..], b"net.core.somaxconn = 4096\n", b"\xff\x00\xfe", "ä\r\n".as_bytes()] {
            let contents = Contents(bytes.to_vec());
            let json = serde_json::to_string(&contents).unwrap();
            assert_eq!(serde_json::from_str::<Contents>(&json).unwrap(), contents, "{json}");
        }
        assert!(serde_json::from_str::<Contents>(r#"{"hex":"abc"}"#).is_err());
    }
}
