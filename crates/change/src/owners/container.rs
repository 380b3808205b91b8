//! Containers, whose kernel parameters belong to the runtime that starts them.

use host::Host;

use super::{Claim, file_text};

/// What makes a parameter of another network namespace last.
pub(crate) const RUNTIME_HOLDS_IT: &str = "not by narrows: the configuration of the container runtime or of the unit that makes the \
     network namespace must hold it (`docker run --sysctl`, `sysctls:` of compose, `securityContext.sysctls` of a pod)";
/// The inode of the first process-number namespace (`PROC_PID_INIT_INO`, include/linux/proc_ns.h).
const INITIAL_PID_NAMESPACE: &str = "pid:[4026531836]";

/// The claim of a container's runtime on every kernel parameter.
pub(super) fn claim(host: &dyn Host) -> Option<Claim> {
    let mounts = file_text(host, "/proc/self/mountinfo").unwrap_or_default();
    let (because, owner) = if is_read_only(&mounts) {
        ("/proc/sys is mounted read-only".to_owned(), "/proc/self/mountinfo")
    } else {
        let marker =
            ["/run/.containerenv", "/.dockerenv"].into_iter().find(|path| host.read(path).is_ok())?;
        if is_machine_from_an_image(host, &mounts) {
            return None;
        }
        (format!("{marker} says that this is a container"), marker)
    };
    Some(Claim::new(
        format!("{because}: kernel parameters belong to the container runtime"),
        owner,
        "set it where the container is started: `docker run --sysctl`, `sysctls:` of compose, or \
         `securityContext.sysctls` of a pod; parameters without a namespace are set on the host",
    ))
}

fn is_read_only(mountinfo: &str) -> bool {
    mountinfo.lines().any(|line| {
        let mut fields = line.split(' ').skip(4);
        fields.next() == Some("/proc/sys")
            && fields.next().is_some_and(|options| options.split(',').any(|option| option == "ro"))
    })
}

/// A virtual machine that was booted from an image which Docker made carries the marker too. It is no container:
/// it has the first process-number namespace, and its root is no overlay.
fn is_machine_from_an_image(host: &dyn Host, mountinfo: &str) -> bool {
    let overlay = mountinfo
        .lines()
        .filter(|line| line.split(' ').nth(4) == Some("/"))
        .any(|line| line.split_once(" - ").is_some_and(|(_, rest)| rest.starts_with("overlay ")));
    !overlay && host.link("/proc/self/ns/pid").is_ok_and(|namespace| namespace == INITIAL_PID_NAMESPACE)
}
