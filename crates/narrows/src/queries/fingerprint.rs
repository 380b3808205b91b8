//! `narrows queries fingerprint`.

use crate::arguments::queries::fingerprint::Fingerprint;
use crate::exit::{Exit, UsageError};

pub(crate) fn run(_arguments: &Fingerprint) -> anyhow::Result<Exit> {
    Err(UsageError("not there yet".to_owned()).into())
}
