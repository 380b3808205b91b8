//! The boot script, for what no file of the system's own keeps: interrupts, steering, rings, queues, disciplines.

use model::Edit;

use super::lower::{Ground, Step, edit_step, file};
use crate::owners::Claim;
use crate::{Action, ChangeError, Phase, Target};

const SCRIPT: &str = "/etc/narrows/boot.sh";
const UNIT: &str = "/etc/systemd/system/narrows-boot.service";
const LINK: &str = "/etc/systemd/system/multi-user.target.wants/narrows-boot.service";

/// Where a timer of the host is linked from so that it starts at boot; `None` for any other file.
pub(super) fn timer_link(unit: &str) -> Option<String> {
    let name = unit.strip_prefix("/etc/systemd/system/")?;
    let plain = name.ends_with(".timer") && !name.contains('/') && !name.starts_with('.');
    plain.then(|| format!("/etc/systemd/system/timers.target.wants/{name}"))
}

/// Whether a link is one of those that a plan makes: that of the boot script, and those of timers.
pub(super) fn is_our_link(from: &str, to: &str) -> bool {
    (from, to) == (LINK, UNIT) || timer_link(to).is_some_and(|link| link == from)
}

/// The steps that do an action again at every boot: a block of the script, the unit that runs it, and the link that
/// starts the unit. The script need not be executable, since the unit names the shell.
///
/// # Errors
/// When the present state cannot be read, or the target takes no such value.
pub(super) fn steps(ground: &Ground<'_>, target: &Target, action: &Action) -> Result<Vec<Step>, Claim> {
    let kind = target.kind();
    let to = kind.wanted(&ground.states.read(target)?, action)?;
    let lines = kind.boot_lines(&to).filter(|lines| !lines.is_empty()).ok_or_else(|| {
        ChangeError::new(format!("keep {} over a boot", kind.name()), "there is no way known to do it")
    })?;
    let block = Edit::Block { name: kind.name(), lines: Some(lines) };
    let link = Action::Link { to: UNIT.to_owned() };
    Ok(vec![
        edit_step(SCRIPT, vec![block], Phase::Lasting),
        edit_step(UNIT, unit(), Phase::Lasting),
        Step { target: file(LINK), action: link, phase: Phase::Lasting },
    ])
}

/// The unit waits for udev to have settled: before, an interface may be there under another name, or not at all
/// (systemd-udev-settle.service(8)).
fn unit() -> Vec<Edit> {
    let lines = [
        "[Unit]",
        "Description=Values that narrows set and that no other file keeps over a boot",
        "Wants=systemd-udev-settle.service",
        "After=systemd-udev-settle.service network.target",
        "ConditionPathExists=/etc/narrows/boot.sh",
        "[Service]",
        "Type=oneshot",
        "ExecStart=/bin/sh /etc/narrows/boot.sh",
        "[Install]",
        "WantedBy=multi-user.target",
    ];
    let lines = lines.map(str::to_owned).to_vec();
    vec![Edit::Block { name: "narrows-boot.service".to_owned(), lines: Some(lines) }]
}
