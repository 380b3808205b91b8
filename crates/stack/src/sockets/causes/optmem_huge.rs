//! A limit of ancillary memory that lets any process pin memory of the kernel.

use model::observation::number_text;
use model::{Change, Derived, Missing, Outcome, Remedy, Severity};

use crate::settings::edits;
use crate::sockets::{parameters, transport};
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "sockets.optmem-huge",
    title: "Any user may pin megabytes of kernel memory per socket",
    explains: &[],
    refutes: &[],
    document: include_str!("optmem_huge.md"),
    test,
};

const KEY: &str = "net.core.optmem_max";
/// From here on a socket can pin megabytes.
const HUGE_BYTES: i64 = 1 << 20;
/// The default since Linux 6.8, and enough for MSG_ZEROCOPY on any.
const DEFAULT: i64 = 131_072;
/// The default before it, on 64 bits.
const FORMER_DEFAULT: i64 = 20_480;
/// The first kernel with the larger default.
const SINCE: (u32, u32) = (6, 8);

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let bytes = parameters::number(evidence, KEY)?;
    let seen = parameters::seen(evidence, KEY);
    if bytes <= DEFAULT {
        return Ok(Outcome::ruled_out(format!("{KEY} is {bytes} bytes")).seen_all(seen));
    }
    if bytes < HUGE_BYTES {
        let missing = Missing::new(
            "whether a process sends with MSG_ZEROCOPY",
            "its notifications count here; without one the kernel's own value is enough",
        );
        let summary = format!("{KEY} is {} kB, more than any kernel's own", bytes >> 10);
        return Ok(Outcome::consistent(Severity::Hygiene, summary).lacks(missing).seen_all(seen));
    }
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let mib = bytes as f64 / f64::from(1 << 20);
    let summary = format!("each socket of any user may pin {} MiB of kernel memory", number_text(mib));
    let former = transport::kernel_version(evidence).is_some_and(|version| version < SINCE);
    let own = if former { FORMER_DEFAULT } else { DEFAULT };
    let target = Derived::new(own, "the kernel's own value: 20480 before Linux 6.8, 131072 since")
        .input("now", bytes, &format!("/proc/sys {KEY}"))
        .input("kernel", evidence.host.kernel.as_deref().unwrap_or("unknown"), "/proc/sys/kernel/osrelease");
    let change = Change::sysctl(KEY, evidence.settings.value(KEY).map(str::to_owned), target)
        .owned_by(evidence.settings.owner(KEY))
        .risks("a process that sends with MSG_ZEROCOPY needs 64 to 128 kB: sendmsg fails with ENOBUFS below");
    let remedy = Remedy::new("Give optmem_max its value back", "a socket can pin that much and no more");
    let remedy = edits::restore(evidence, KEY, change).into_iter().fold(remedy, Remedy::change);
    Ok(Outcome::confirmed(Severity::Hygiene, summary).seen_all(seen).remedy(remedy))
}
