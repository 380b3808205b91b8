//! stand-in
use crate::ChangeError;
pub(crate) struct Program;
impl Program {
    pub(crate) fn new(_: &str, _: Vec<String>) -> Self {
        Self
    }
}
pub(crate) fn run(_: &Program) -> Result<String, ChangeError> {
    Err(ChangeError::new("run", "no"))
}
