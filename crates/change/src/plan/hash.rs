//! What binds a plan to its host and to the state it was made from.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Activation, Plan, PlanHost};
use crate::state::hex;
use crate::{ChangeError, Operation};

/// What the digest covers: all that decides what is written and which services are reloaded, nothing measured.
#[derive(Serialize)]
struct Covered<'a> {
    host: &'a PlanHost,
    changes: Vec<(&'a str, &'a [Operation], &'a [Activation])>,
}

impl Plan {
    /// The digest of a plan's host and operations: `sha256:` and 64 hexadecimal digits.
    ///
    /// # Errors
    /// When the operations cannot be written as JSON.
    pub fn digest(&self) -> Result<String, ChangeError> {
        let changes = self.changes.iter();
        let covered = Covered {
            host: &self.host,
            changes: changes
                .map(|change| (change.id.as_str(), &*change.operations, &*change.reloads))
                .collect(),
        };
        let json = serde_json::to_vec(&covered)
            .map_err(|error| ChangeError::new("compute the hash of the plan", error.to_string()))?;
        Ok(format!("sha256:{}", hex(&Sha256::digest(&json))))
    }

    /// Makes sure that no one changed the operations after the plan was made.
    ///
    /// # Errors
    /// When the hash in the plan is not that of its operations.
    pub fn verify_hash(&self) -> Result<(), ChangeError> {
        let digest = self.digest()?;
        if digest == self.hash {
            return Ok(());
        }
        Err(ChangeError::new(
            "use the plan",
            format!("its hash is {}, and that of its contents is {digest}: it was changed", self.hash),
        )
        .help("make it anew with `narrows plan`; choose changes with --only instead of editing the file"))
    }
}

#[cfg(test)]
#[path = "hash_tests.rs"]
mod tests;
