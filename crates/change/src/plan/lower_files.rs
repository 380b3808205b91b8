//! Edits of configuration files and of systemd units.

use model::{Edit, Presence};

use super::lower::{self, Ground, Step, edit_step};
use super::{Activation, ActivationKind};
use super::{activation, boot};
use crate::checker::checker_of;
use crate::owners::{Claim, claim_of_managed_file, read_file, set_by_later_drop_in};
use crate::{Action, ChangeError, Phase};

/// Files that are read at boot or when something is plugged in. An edit of them acts then, so it belongs to what makes
/// a change last.
const READ_AT_BOOT: [&str; 7] = [
    "/etc/sysctl.d/",
    "/etc/sysctl.conf",
    "/etc/modprobe.d/",
    "/etc/modules-load.d/",
    "/etc/modules",
    "/etc/fstab",
    "/etc/systemd/network/",
];

type Lowered = Result<(Vec<Step>, Vec<Activation>), Claim>;

/// An edit of a file, at the end of the links that lead to it.
pub(super) fn file(ground: &Ground<'_>, path: &str, edits: &[Edit]) -> Lowered {
    let path = ground.states.resolve(path)?;
    let bytes = read_file(ground.host, &path)?.unwrap_or_default();
    if let Some(claim) = claim_of_managed_file(&path, &bytes).or_else(|| unchecked(&path, edits)) {
        return Err(claim);
    }
    let phase = match READ_AT_BOOT.iter().any(|place| path.starts_with(place)) {
        true => Phase::Lasting,
        false => Phase::Now,
    };
    let reloads = activation::of(ground.host, &path, edits);
    let edits: Vec<_> = edits.iter().filter(|edit| !is_gone(edit, &path, &bytes)).cloned().collect();
    if edits.is_empty() {
        return Ok((vec![], vec![]));
    }
    let link = started_at_boot(&path, &edits);
    let edit = edit_step(&path, from_the_end(edits), phase);
    Ok((std::iter::once(edit).chain(link).collect(), reloads))
}

/// The link that `systemctl enable` makes for a timer whose edits say that it is wanted by `timers.target`.
fn started_at_boot(path: &str, edits: &[Edit]) -> Option<Step> {
    let wanted = |edit: &Edit| {
        matches!(edit, Edit::Systemd { section, key, value: Some(value) }
            if section == "Install" && key == "WantedBy" && value == "timers.target")
    };
    let link = boot::timer_link(path).filter(|_| edits.iter().any(wanted))?;
    let to = Action::Link { to: path.to_owned() };
    Some(Step { target: lower::file(&link), action: to, phase: Phase::Lasting })
}

/// A service's file that no program checks before the service takes it up, as where Nginx was started with one of its own: a
/// fault in it would be found when the service does not come back.
pub(super) fn unchecked(path: &str, edits: &[Edit]) -> Option<Claim> {
    let test = edits.iter().find_map(|edit| match edit {
        Edit::Nginx { .. } => Some("nginx -t -c FILE"),
        Edit::Haproxy { .. } => Some("haproxy -c -f FILE"),
        Edit::OptionFile { .. } => Some("mariadbd --defaults-file=FILE --help --verbose"),
        _ => None,
    })?;
    checker_of(path).is_none().then(|| Claim {
        because: format!("narrows does not know how {path} is checked, nor which service reads it"),
        owner: None,
        instead: format!(
            "make the edit by hand, check it with the program's own test (`{test}`), and have it read"
        ),
    })
}

/// Whether an edit takes out a line of sysctl.d(5) whose parameter does not stand in the file any more.
fn is_gone(edit: &Edit, path: &str, bytes: &[u8]) -> bool {
    let Edit::Sysctl { key, value: None, line: Some(_) } = edit else { return false };
    let document = conf::SysctlDocument::new(path, bytes);
    document.last(&conf::SysctlKey::new(key)).is_none()
}

/// Edits in an order in which none moves the line of another: those that name a line first, the last line first.
pub(crate) fn from_the_end(mut edits: Vec<Edit>) -> Vec<Edit> {
    edits.sort_by_key(|edit| match edit {
        Edit::Sysctl { line: Some(line), .. } => (0, std::cmp::Reverse(*line)),
        _ => (1, std::cmp::Reverse(0)),
    });
    edits
}

/// Options of a mount as edits of its line of fstab(5).
pub(super) fn fstab_edits(mount_point: &str, set: &[String], remove: &[String]) -> Vec<Edit> {
    let edit =
        |option: &str, to| Edit::Fstab { mount_point: mount_point.to_owned(), option: option.to_owned(), to };
    let removed = remove.iter().map(|option| edit(option, Presence::Removed));
    let set = set.iter().map(|option| match option.split_once('=') {
        Some((name, value)) => edit(name, Presence::Set { value: Some(value.to_owned()) }),
        None => edit(option, Presence::Set { value: None }),
    });
    removed.chain(set).collect()
}

/// The section of a drop-in that limits a unit; `None` for units that take no drop-in of a host's.
pub(super) fn section(unit: &str) -> Option<&'static str> {
    if unit.contains('/') {
        return None;
    }
    match unit.rsplit_once('.')?.1 {
        "service" => Some("Service"),
        "slice" => Some("Slice"),
        "socket" => Some("Socket"),
        "mount" => Some("Mount"),
        "timer" => Some("Timer"),
        _ => None,
    }
}

/// Our drop-in of a unit.
pub(super) fn drop_in(unit: &str) -> String {
    format!("/etc/systemd/system/{unit}.d/90-narrows.conf")
}

/// Settings of a unit. Limits of its control group hold after a `daemon-reload`; all others when it is started anew.
pub(super) fn unit(ground: &Ground<'_>, unit: &str, settings: &[String]) -> Lowered {
    let Some(section) = section(unit) else {
        return Err(ChangeError::new(format!("set {unit}"), "it takes no drop-in of the host").into());
    };
    let mut edits = vec![];
    let mut restart = false;
    for (key, value) in settings.iter().filter_map(|setting| setting.split_once('=')) {
        if let Some(claim) = set_by_later_drop_in(ground.host, unit, key) {
            return Err(claim);
        }
        // A timer reckons its next time anew when systemd rereads its files.
        restart |= section != "Timer"
            && !["CPU", "Memory", "IO", "Tasks", "Allowed"].iter().any(|group| key.starts_with(group));
        edits.push(Edit::Systemd {
            section: section.to_owned(),
            key: key.to_owned(),
            value: Some(value.to_owned()),
        });
    }
    let mut reloads = vec![Activation { unit: unit.to_owned(), how: ActivationKind::DaemonReload }];
    if restart {
        reloads.push(Activation { unit: unit.to_owned(), how: ActivationKind::Restart });
    }
    Ok((vec![edit_step(&drop_in(unit), edits, Phase::Now)], reloads))
}
