//! stand-in
use crate::ChangeError;
use crate::plan::Activation;
pub(crate) enum ActivationOutcome {
    Done,
    NotRunning,
}
pub(crate) fn activate(_: &Activation) -> Result<ActivationOutcome, ChangeError> {
    if true { Ok(ActivationOutcome::Done) } else { Ok(ActivationOutcome::NotRunning) }
}
