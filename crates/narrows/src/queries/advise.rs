//! `narrows queries advise`.

use crate::arguments::queries::advise::Advise;
use crate::exit::{Exit, UsageError};

pub(crate) fn run(_arguments: &Advise) -> anyhow::Result<Exit> {
    Err(UsageError("not there yet".to_owned()).into())
}
