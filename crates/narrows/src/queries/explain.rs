//! `narrows queries explain`.

use crate::arguments::queries::explain::Explain;
use crate::exit::{Exit, UsageError};

pub(crate) fn run(_arguments: &Explain) -> anyhow::Result<Exit> {
    Err(UsageError("not there yet".to_owned()).into())
}
