//! TODO of its builder.

use crate::arguments::prove::Prove;
use crate::exit::{Exit, UsageError};

/// TODO
pub(crate) fn run(_arguments: &Prove) -> anyhow::Result<Exit> {
    Err(UsageError("this is not built yet".to_owned()).into())
}
