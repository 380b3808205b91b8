//! A receive buffer that starts smaller than the kernel's own.

use model::{Change, Derived, Missing, Outcome, Remedy, Severity};

use crate::sockets::{parameters, transport};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.receive-default-lowered",
    title: "Receive buffers start smaller than the kernel would start them",
    explains: &[],
    refutes: &[],
    document: include_str!("receive_default_lowered.md"),
    test,
};

const KEY: &str = "net.ipv4.tcp_rmem";
/// The second value since Linux 4.20.
const DEFAULT: u64 = 131_072;
/// The second value before it, which guides still copy.
const FORMER_DEFAULT: u64 = 87_380;
/// The first kernel with the larger value.
const SINCE: (u32, u32) = (4, 20);

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let limits = evidence.settings.numbers(KEY).and_then(|limits| <[u64; 3]>::try_from(limits).ok());
    let [least, default, largest] = limits.ok_or_else(|| parameters::absent(KEY))?;
    let seen = parameters::seen(evidence, KEY);
    if default >= DEFAULT {
        let summary = format!("receive buffers start with {default} bytes, the kernel's {DEFAULT} or more");
        return Ok(Outcome::ruled_out(summary).seen_all(seen));
    }
    let version = transport::kernel_version(evidence);
    if version.is_some_and(|version| version < SINCE) && default == FORMER_DEFAULT {
        return Ok(Outcome::ruled_out(format!("{default} bytes are this kernel's own start")).seen_all(seen));
    }
    let summary = format!(
        "receive buffers start with {default} bytes instead of {DEFAULT}: the first window is smaller"
    );
    if version.is_none() && default == FORMER_DEFAULT {
        let missing = Missing::new("the kernel's version", "read /proc/sys/kernel/osrelease as well");
        return Ok(Outcome::consistent(Severity::Folklore, summary).lacks(missing).seen_all(seen));
    }
    let target = Derived::new(
        format!("{least} {DEFAULT} {}", largest.max(DEFAULT)),
        "the second value is the kernel's own",
    )
    .input("start", default, &format!("/proc/sys {KEY}"))
    .input("kernel", evidence.host.kernel.as_deref().unwrap_or("unknown"), "/proc/sys/kernel/osrelease");
    let change = Change::sysctl(KEY, evidence.settings.value(KEY).map(str::to_owned), target)
        .owned_by(evidence.settings.owner(KEY))
        .restarts("none; new connections start with it")
        .risks("none known: it is the kernel's own value");
    let remedy =
        Remedy::new("Give receive buffers the kernel's start back", "the window of a SYN-ACK is 64 kB again")
            .change(change);
    Ok(Outcome::confirmed(Severity::Folklore, summary).seen_all(seen).remedy(remedy))
}
