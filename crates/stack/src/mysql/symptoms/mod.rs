//! What is felt or seen in this layer, one file each.

use model::Missing;

use super::view::{View, servers};
use crate::{Evidence, Presence, Symptom, services};

mod queries_queue;
mod slow_queries;
mod too_many_connections;

/// Every symptom of the layer.
pub(super) const SYMPTOMS: &[&Symptom] =
    &[&too_many_connections::SYMPTOM, &queries_queue::SYMPTOM, &slow_queries::SYMPTOM];

/// The first server at which it is present, else the first at all.
///
/// # Errors
/// What is missing of one, where it is present at no other.
fn worst<'a>(
    evidence: &'a Evidence,
    of: impl Fn(&View<'a>) -> Result<Presence, Missing>,
) -> Result<Presence, Missing> {
    let running: Vec<_> = servers(evidence)?.into_iter().filter(View::runs).collect();
    if running.is_empty() {
        return match services::facts(&evidence.services.mysql)?.unread.first() {
            Some(unread) => Err(Missing::new(unread.why.clone(), unread.how_to_enable.clone())),
            None => Ok(Presence::new(false, "no database server here")),
        };
    }
    let mut found: Vec<_> = running.iter().map(of).collect();
    let present = |one: &Result<Presence, Missing>| one.as_ref().is_ok_and(|presence| presence.present);
    let at = found.iter().position(present).or_else(|| found.iter().position(Result::is_err)).unwrap_or(0);
    found.swap_remove(at)
}
