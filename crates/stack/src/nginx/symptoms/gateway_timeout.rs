//! Nginx answers 504.

use model::Missing;

use super::answers::answered;
use crate::nginx::ErrorKind;
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "nginx.gateway-timeout",
    title: "Nginx answers 504 Gateway Time-out",
    document: include_str!("gateway_timeout.md"),
    test,
};

/// Errors that end in this answer (`NGX_HTTP_UPSTREAM_FT_TIMEOUT`).
const KINDS: &[ErrorKind] = &[ErrorKind::AnswerTimedOut, ErrorKind::ConnectTimedOut];

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    answered(evidence, 504, KINDS)
}
