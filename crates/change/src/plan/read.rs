//! Plans that were written to a file and come back.

use super::{Plan, SCHEMA, forbidden};
use crate::ChangeError;

impl Plan {
    /// Reads a plan and makes sure that it is whole: its schema, its hash, and that it holds nothing forbidden.
    ///
    /// # Errors
    /// With line and column where it is no plan, and with what is wrong where it is one that must not be applied.
    pub fn from_json(bytes: &[u8]) -> Result<Self, ChangeError> {
        let attempted = "read the plan";
        let plan: Self = serde_json::from_slice(bytes).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let words = error.to_string();
            let words = words.rsplit_once(" at line ").map_or(words.as_str(), |(words, _)| words);
            ChangeError::new(attempted, format!("{place}: {words}")).help("make it anew with `narrows plan`")
        })?;
        if plan.schema != SCHEMA {
            let why = format!("its schema is {:?}, and this narrows reads {SCHEMA:?}", plan.schema);
            return Err(ChangeError::new(attempted, why).help("make it anew with `narrows plan`"));
        }
        plan.verify_hash()?;
        for change in &plan.changes {
            if let Some(found) = change.operations.iter().find_map(forbidden) {
                return Err(ChangeError::new(format!("use {} of the plan", change.id), found.because)
                    .help(found.instead));
            }
        }
        Ok(plan)
    }
}
