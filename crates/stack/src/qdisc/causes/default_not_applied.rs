//! The default discipline was changed after interfaces came up.

use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::qdisc::rates::{is_hardware, is_root, leaf_kinds};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "qdisc.default-not-applied",
    title: "The default queueing discipline is not in use",
    explains: &[],
    refutes: &[],
    document: include_str!("default_not_applied.md"),
    test,
};

const KEY: &str = "net.core.default_qdisc";
/// What kernels attach by themselves, or by this key as BBR guides set it; any other was attached by someone on purpose.
const AUTOMATIC: [&str; 3] = ["pfifo_fast", "fq_codel", "fq"];
/// What kernels are built with: such a default may be no one's choice.
const BUILT_IN: [&str; 2] = ["pfifo_fast", "fq_codel"];

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let facts = evidence.latest(|reading| &reading.qdisc)?;
    let Some(default) = evidence.settings.value(KEY) else {
        return Err(Missing::new(KEY, "read /proc/sys/net/core/default_qdisc on the host"));
    };
    evidence.latest(|reading| &reading.nic)?.hardware()?;
    let roots = facts.qdiscs.iter().filter(|qdisc| is_root(qdisc) && is_hardware(evidence, &qdisc.interface));
    let mut looked_at = 0;
    let other = roots.inspect(|_| looked_at += 1).find_map(|root| {
        let leaves = leaf_kinds(facts, &root.interface);
        let kinds = if root.kind == "mq" { leaves } else { vec![root.kind.as_str()] };
        let strange = kinds.into_iter().find(|kind| *kind != default && AUTOMATIC.contains(kind))?;
        Some((root, strange))
    });
    match other {
        None if looked_at == 0 => {
            Ok(Outcome::ruled_out("no interface with hardware in this network namespace"))
        }
        None => Ok(Outcome::ruled_out(format!("no interface was left behind: the default is {default}"))),
        Some((root, strange)) => {
            let line = format!("{} has {strange}, {KEY} is {default}", root.interface);
            let seen =
                Observation::new("RTM_GETQDISC", format!("{} root", root.interface), root.kind.as_str());
            let seen_default = Observation::new("/proc/sys", KEY, default);
            Ok(verdict(evidence, line, &root.interface, root.kind == "mq", strange, default)
                .seen(seen)
                .seen(seen_default))
        }
    }
}

/// With an owner, someone meant the default to act. Without one, someone may have meant the interface.
fn verdict(
    evidence: &Evidence,
    line: String,
    interface: &str,
    mq: bool,
    strange: &str,
    default: &str,
) -> Outcome {
    let owner = evidence.settings.owner(KEY);
    if owner.is_none() && BUILT_IN.contains(&default) {
        return Outcome::consistent(Severity::Hygiene, line).lacks(Missing::new(
            format!("who chose {strange}"),
            "the default is the kernel's own; `tc qdisc` may have been called on purpose",
        ));
    }
    let (value, formula) = match mq {
        true => ("mq", "mq, attached anew, puts the default below"),
        false => (default, "the default, attached anew"),
    };
    let target = Derived::new(value, formula)
        .input("default", default, owner.as_deref().unwrap_or(KEY))
        .input("attached", strange, "RTM_GETQDISC");
    let change =
        Change::new(ChangeKind::Qdisc { interface: interface.to_owned() }, Some(strange.to_owned()), target)
            .persists_by("the key in /etc/sysctl.d, which acts on interfaces that come up after it is set")
            .risks("packets queued at that moment are lost");
    let promise =
        format!("{interface} shows {default}; pacing costs fewer timers with fq, and works without it");
    Outcome::confirmed(Severity::Hygiene, line)
        .remedy(Remedy::new(format!("Attach {default} to {interface}"), promise).change(change))
}
