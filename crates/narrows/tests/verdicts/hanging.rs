//! Reads that hang. narrows promises to end within its window and two seconds, whatever is mounted where it reads.

use std::path::Path;
use std::time::Duration;

use super::check::{Checked, check};
use crate::faults::silent_fuse::SilentFuse;
use crate::faults::tools::machine_alone;
use crate::faults::{Fault, FaultError, Health, Result};

const WINDOW: Duration = Duration::from_secs(2);
const PROMISED: Duration = Duration::from_secs(2);
/// What starting a debug build under `nsenter` may take on a machine whose CPUs others use.
const SLACK: Duration = Duration::from_secs(3);

#[test]
fn a_silent_sysctl_d_costs_the_settings_and_nothing_else() -> Result<()> {
    let (fault, checked) = under_a_silent(Path::new("/etc/sysctl.d"))?;
    names(&checked, "/etc/sysctl.d")?;
    assert!(fault.requests() > 0);
    Ok(())
}

#[test]
fn a_silent_etc_costs_settings_and_services_and_nothing_of_the_kernel() -> Result<()> {
    let (fault, checked) = under_a_silent(Path::new("/etc"))?;
    names(&checked, "/etc/sysctl.d")?;
    names(&checked, "/etc/fstab")?;
    assert!(fault.requests() > 0);
    Ok(())
}

#[test]
fn a_window_shorter_than_the_wait_for_a_silent_etc_names_it_too() -> Result<()> {
    let _alone = machine_alone()?;
    let fault = SilentFuse::start(Health::Broken, Path::new("/etc"))?;
    fault.wait_until_established()?;
    let checked = in_time(&fault, Duration::from_millis(200))?;
    names(&checked, "/etc/fstab")?;
    only_files_unread(&checked);
    Ok(())
}

#[test]
fn a_silent_mount_point_of_fstab_is_not_even_asked() -> Result<()> {
    let _alone = machine_alone()?;
    let directory = tempfile::tempdir().map_err(|error| FaultError::new(error.to_string()))?;
    let fault = SilentFuse::start(Health::Broken, directory.path())?;
    fault.wait_until_established()?;
    let line =
        format!("server:/export {} nfs4 rw,soft,lookupcache=positive 0 0\n", directory.path().display());
    fault.replace_file(c"/etc/fstab", &line)?;
    let asked_before = fault.requests();
    let checked = in_time(&fault, WINDOW)?;
    assert_eq!(fault.requests(), asked_before, "narrows touched a mount point of fstab");
    assert!(checked.unread_layers().is_empty(), "{:?}", checked.report.unread);
    Ok(())
}

/// The mount is found stuck if anything of narrows is, so the machine is this test's alone.
fn under_a_silent(directory: &Path) -> Result<(SilentFuse, Checked)> {
    let _alone = machine_alone()?;
    let fault = SilentFuse::start(Health::Broken, directory)?;
    fault.wait_until_established()?;
    let checked = in_time(&fault, WINDOW)?;
    only_files_unread(&checked);
    Ok((fault, checked))
}

fn only_files_unread(checked: &Checked) {
    const BY_FILES: [&str; 9] =
        ["settings", "nginx", "php-fpm", "opcache", "composer", "wordpress", "cron", "mysql", "proxysql"];
    let layers = checked.unread_layers();
    assert!(layers.iter().all(|layer| BY_FILES.contains(layer)), "{:?}", checked.report.unread);
}

fn in_time(fault: &SilentFuse, window: Duration) -> Result<Checked> {
    let checked = check(fault, &["--for", &format!("{}ms", window.as_millis())])?;
    println!("{} silent: ended after {:.2} s", fault.directory().display(), checked.took.as_secs_f64());
    assert!(checked.took <= window + PROMISED + SLACK, "{:?}", checked.took);
    assert!((0..=1).contains(&checked.exit_code), "exit code {}", checked.exit_code);
    Ok(checked)
}

fn names(checked: &Checked, path: &str) -> Result<()> {
    let unread = &checked.report.unread;
    match unread.iter().any(|unread| unread.layer == "settings" && unread.why.contains(path)) {
        true => Ok(()),
        false => Err(FaultError::new(format!("NOT READ does not name {path}: {unread:?}"))),
    }
}
