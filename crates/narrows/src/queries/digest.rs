//! `narrows queries digest`.

use crate::arguments::queries::digest::Digest;
use crate::exit::{Exit, UsageError};

pub(crate) fn run(_arguments: &Digest) -> anyhow::Result<Exit> {
    Err(UsageError("not there yet".to_owned()).into())
}
