//! A congestion control that files ask for and the kernel does not have loaded.

use model::{Change, ChangeKind, Derived, Missing, Outcome, Remedy, Severity};

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
    let module = format!("tcp_{wanted}");
    let target = Derived::new(&module, "the module of the algorithm, one a line")
        .input("asked for", &wanted, &place(entry))
        .input("available", available, &format!("/proc/sys {AVAILABLE}"));
    let edit = format!("add the line {module}");
    let change = Change::new(
        ChangeKind::File { path: bbr::MODULES_FILE.to_owned(), edit, edits: vec![] },
        None,
        target,
    )
    .persists_by(bbr::MODULES_FILE)
    .coupled_with("net.ipv4.tcp_congestion_control is set again once the module is there")
    .restarts("none; `modprobe` loads it now")
    .risks("a kernel built without it has no such module; in a container only the host can load it");
    let remedy =
        Remedy::new(format!("Load {module} at boot"), format!("`ss -ti` shows {wanted} on new connections"));
    Ok(Outcome::confirmed(Severity::Hygiene, summary).seen_all(observations).remedy(remedy.change(change)))
}
