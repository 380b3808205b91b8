//! A congestion control that files ask for and the kernel does not have loaded.

use model::{Change, Derived, Missing, Outcome, Remedy, Severity};

use crate::settings::lines::{assignments, bare, in_effect, place, seen};
use crate::sockets::{bbr, parameters};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.congestion-control-unavailable",
    title: "The congestion control that files ask for is not loaded",
    explains: &[],
    refutes: &[],
    document: include_str!("congestion_control_unavailable.md"),
    test,
};

const CONTROL: &str = "net.ipv4.tcp_congestion_control";
const AVAILABLE: &str = "net.ipv4.tcp_available_congestion_control";

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let now = bbr::control(evidence)?;
    let Some(entry) = in_effect(assignments(evidence)?, CONTROL) else {
        return Ok(Outcome::ruled_out(format!("no file asks for one; {now} is in use")));
    };
    let wanted = bare(&entry.value);
    let observations = [CONTROL, AVAILABLE].into_iter().filter_map(|key| parameters::seen(evidence, key));
    let observations = observations.chain([seen(entry)]);
    if wanted == now {
        return Ok(Outcome::ruled_out(format!("{wanted} is asked for and in use")).seen_all(observations));
    }
    let available = evidence.settings.value(AVAILABLE).ok_or_else(|| parameters::absent(AVAILABLE))?;
    if available.split(' ').any(|name| name == wanted) {
        let summary = format!("{wanted} is loaded; it was not set, or set to {now} since");
        return Ok(Outcome::ruled_out(summary).seen_all(observations));
    }
    let summary = format!("{} asks for {wanted}; the kernel has {available} and uses {now}", place(entry));
    if !wanted.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(Outcome::confirmed(Severity::Hygiene, summary).seen_all(observations));
    }
    let module = format!("tcp_{wanted}");
    let target = Derived::new(&module, "the module of the algorithm, one a line")
        .input("asked for", &wanted, &place(entry))
        .input("available", available, &format!("/proc/sys {AVAILABLE}"));
    let control = Derived::new(&wanted, "what the file asks for, set again once the module is there")
        .input("asked for", &wanted, &place(entry))
        .input("now", now, &format!("/proc/sys {CONTROL}"));
    let control = Change::sysctl(CONTROL, Some(now.to_owned()), control)
        .persists_by(&place(entry))
        .owned_by(Some(place(entry)))
        .coupled_with(&format!("{module}, to be loaded first"))
        .restarts("none; running listeners use it for new connections");
    let moves = format!("`ss -ti` shows {wanted} on new connections");
    let remedy = Remedy::new(format!("Load {module} now and at boot, and use {wanted}"), moves);
    let remedy = remedy.change(bbr::module(&module, target)).change(control);
    Ok(Outcome::confirmed(Severity::Hygiene, summary).seen_all(observations).remedy(remedy))
}
