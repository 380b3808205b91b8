//! PHP code that another machine has.

use model::observation::number_text;
use model::{Change, ChangeKind, Derived, Missing, Observation, Outcome, Remedy, Severity};

use crate::composer::{Application, CodeMount};
use crate::nfs::rates::rates;
use crate::services::facts;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "composer.code-on-network-filesystem",
    title: "PHP code lies on a network file system",
    explains: &["cpu.load-high-while-idle", "nginx.first-byte-slow", "nfs.latency-high", "tasks.stuck"],
    refutes: &[],
    document: include_str!("code_on_network_filesystem.md"),
    test,
};

const MOUNTS: &str = "/proc/self/mountinfo";
/// Fewer operations per second than this make no one wait.
const LEAST_PER_S: f64 = 5.0;

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let all = &facts(&evidence.services.composer)?.applications;
    let far = |one: &'_ Application| one.mount.clone().filter(|mount| mount.network);
    let Some((application, mount)) = all.iter().find_map(|one| Some((one, far(one)?))) else {
        let line = match all.len() {
            0 => "no PHP application that Nginx leads to".to_owned(),
            count => format!("all code that Nginx leads to ({count}) is on file systems of this host"),
        };
        return Ok(Outcome::ruled_out(line));
    };
    let seen =
        Observation::new(MOUNTS, &application.root, format!("{} at {}", mount.filesystem, mount.mount_point));
    let line = format!("{} lies on {}", application.root, mount.filesystem);
    let outcome = match operations_per_s(evidence, &mount) {
        Ok(per_s) if per_s >= LEAST_PER_S => Outcome::confirmed(
            Severity::Latent,
            format!("{line}: {} operations/s over the network", number_text(per_s)),
        )
        .seen(operations(&mount, per_s)),
        Ok(per_s) => {
            let how = "look again at the busiest hour, or after a deployment: caches answer now";
            Outcome::consistent(Severity::Latent, format!("{line}, which is hardly asked now"))
                .seen(operations(&mount, per_s))
                .lacks(Missing::new("operations over the network while pages are made", how))
        }
        Err(missing) => Outcome::consistent(Severity::Latent, line).lacks(missing),
    };
    Ok(outcome.seen(seen).remedy(local(application, &mount)))
}

fn operations(mount: &CodeMount, per_s: f64) -> Observation {
    Observation::new("/proc/self/mountstats", format!("{} operations", mount.mount_point), per_s).unit("/s")
}

fn operations_per_s(evidence: &Evidence, mount: &CodeMount) -> Result<f64, Missing> {
    let span = evidence.span(|reading| &reading.nfs)?;
    let rates = rates(&span);
    let own = rates.iter().find(|one| one.mount.mount_point == mount.mount_point);
    own.map(crate::nfs::rates::Rates::per_s).ok_or_else(|| {
        Missing::new(
            format!("operations of {}", mount.mount_point),
            format!("{} counts none: compare with the code on a local disk", mount.filesystem),
        )
    })
}

fn local(application: &Application, mount: &CodeMount) -> Remedy {
    let place = format!("the deployment of {}", application.root);
    let target = Derived::new(
        "the code in the image or on a local disk; only uploads stay shared",
        "operations per request → 0",
    )
    .input("file system", &mount.filesystem, MOUNTS);
    let change = Change::new(ChangeKind::Elsewhere { place }, Some(mount.filesystem.clone()), target)
        .risks("every host needs the new code at a deployment, and updates in wp-admin reach one host only");
    Remedy::new("Keep executable code off the network", "NFS operations per request fall to 0").change(change)
}
