//! Drives an experiment.

use serde::{Deserialize, Serialize};

use super::{Arm, Block, Place, Schedule};

/// Something that can be measured with and without a change.
pub trait Subject {
    /// Why it could not be.
    type Error;

    /// Makes the change, unless it is there.
    ///
    /// # Errors
    /// When it could not be made; then it is not there.
    fn with(&mut self) -> Result<(), Self::Error>;

    /// Takes the change back, unless it is not there.
    ///
    /// # Errors
    /// When it could not be taken back.
    fn without(&mut self) -> Result<(), Self::Error>;

    /// Measures one block.
    ///
    /// # Errors
    /// When nothing could be measured.
    fn measure(&mut self, place: Place) -> Result<Block, Self::Error>;
}

/// A block and its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Its place.
    #[serde(flatten)]
    pub place: Place,
    /// What it measured.
    #[serde(flatten)]
    pub block: Block,
}

/// Measures all blocks of a schedule, and takes the change back in the end.
///
/// # Errors
/// The subject's first one. The change is taken back then as well; where that fails too, its error counts more.
pub fn run<S: Subject>(subject: &mut S, schedule: Schedule) -> Result<Vec<Measured>, S::Error> {
    let measured = schedule.map(|place| block(subject, place)).collect();
    subject.without()?;
    measured
}

fn block<S: Subject>(subject: &mut S, place: Place) -> Result<Measured, S::Error> {
    match place.arm {
        Arm::Without => subject.without()?,
        Arm::With => subject.with()?,
    }
    Ok(Measured { place, block: subject.measure(place)? })
}

#[cfg(test)]
mod tests;
