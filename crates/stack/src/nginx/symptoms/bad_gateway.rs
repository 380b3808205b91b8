//! Nginx answers 502.

use model::Missing;

use super::answers::answered;
use crate::nginx::ErrorKind;
use crate::{Evidence, Presence, Symptom};

pub(super) static SYMPTOM: Symptom = Symptom {
    id: "nginx.bad-gateway",
    title: "Nginx answers 502 Bad Gateway",
    document: include_str!("bad_gateway.md"),
    test,
};

/// Errors that end in this answer (`ngx_http_upstream_next`: all that is no timeout).
const KINDS: &[ErrorKind] = &[
    ErrorKind::QueueFull,
    ErrorKind::Refused,
    ErrorKind::NoSocket,
    ErrorKind::NotAllowed,
    ErrorKind::NoPort,
    ErrorKind::ClosedEarly,
    ErrorKind::NoLiveUpstream,
    ErrorKind::HeaderTooBig,
];

fn test(evidence: &Evidence) -> Result<Presence, Missing> {
    answered(evidence, 502, KINDS)
}
