//! An NFSv4.1 server and its client on one kernel, whose replies take their time on the way.

use std::fs;
use std::ops::Sub;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::stat::{Work, file_name};
use crate::faults::tools::{EXPORTFS, MODPROBE, MOUNT, MOUNTD, NFSD, TC, Tool};
use crate::faults::wait::wait_for;
use crate::faults::{Attempt, FaultError, Result, report_left_behind};
use crate::site::Site;

/// Where the client sees the export.
pub const MOUNT_POINT: &str = "/var/www/site";
/// The parameter by which a client says how many slots it asks for.
pub const SLOTS: &str = "/sys/module/nfs/parameters/max_session_slots";
const EXPORT: &str = "/srv/export";
const FSTAB: &str = "/etc/fstab";
const SERVER_THREADS: &str = "16";

/// Starts the server in a guest that is thrown away, with `files` small files. What it sends over loopback (source port
/// 2049) is late by `delay`; requests are not.
pub fn serve(files: usize, delay: Duration) -> Result<()> {
    MODPROBE.run(&["-a", "nfsd", "nfsv4", "sch_netem", "sch_prio", "cls_u32"])?;
    for folder in [EXPORT, MOUNT_POINT, "/var/lib/nfs/v4recovery", "/run/rpc_pipefs"] {
        fs::create_dir_all(folder).attempt(|| format!("make {folder}"))?;
    }
    MOUNT.run(&["-t", "tmpfs", "export", EXPORT])?;
    MOUNT.run(&["-t", "nfsd", "nfsd", "/proc/fs/nfsd"])?;
    MOUNT.run(&["-t", "rpc_pipefs", "rpc_pipefs", "/run/rpc_pipefs"])?;
    for path in (0..files).map(|index| Path::new(EXPORT).join(file_name(index))) {
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, "<?php return 1;\n"))
            .attempt(|| format!("write {}", path.display()))?;
    }
    let exports = format!("{EXPORT} *(rw,no_root_squash,no_subtree_check,fsid=0,insecure,async)\n");
    fs::write("/etc/exports", exports).attempt(|| "write /etc/exports".to_owned())?;
    EXPORTFS.run(&["-ra"])?;
    NFSD.run(&["-N", "3", SERVER_THREADS])?;
    MOUNTD.run(&["-N", "3"])?;
    delay_replies(delay)
}

fn delay_replies(delay: Duration) -> Result<()> {
    let all_to_band_0 = ["priomap"].into_iter().chain(["0"; 16]).collect::<Vec<_>>();
    let root = ["qdisc", "add", "dev", "lo", "root", "handle", "1:", "prio", "bands", "4"];
    TC.run(&[&root[..], &all_to_band_0].concat())?;
    let delay = format!("{}ms", delay.as_millis());
    let late = ["qdisc", "add", "dev", "lo", "parent", "1:4", "netem", "delay", &delay, "limit", "10000"];
    TC.run(&late)?;
    let to_band_3 = ["filter", "add", "dev", "lo", "parent", "1:", "protocol", "ip", "prio", "1", "u32"];
    TC.run(&[&to_band_3[..], &["match", "ip", "sport", "2049", "0xffff", "flowid", "1:4"]].concat())?;
    Ok(())
}

/// Has the next session ask for so many slots.
pub fn ask_for_slots(slots: u32) -> Result<()> {
    fs::write(SLOTS, slots.to_string()).attempt(|| format!("write {slots} to {SLOTS}"))
}

/// The export, mounted where narrows may change `/etc`, by a line of its fstab(5).
pub struct Client<'a> {
    site: &'a Site,
}

impl<'a> Client<'a> {
    /// Mounts it with these options besides the protocol's.
    pub fn mount(site: &'a Site, options: &str) -> Result<Self> {
        let client = Self { site };
        client.write_fstab(options)?;
        client.run(MOUNT, &[MOUNT_POINT])?;
        client.fill_caches()?;
        Ok(client)
    }

    /// Writes the line of fstab(5), for the next mount.
    pub fn write_fstab(&self, options: &str) -> Result<()> {
        self.site.write(FSTAB, &format!("127.0.0.1:/ {MOUNT_POINT} nfs4 vers=4.1,proto=tcp,{options} 0 0\n"))
    }

    /// Unmounts and mounts, as plans say when a mount takes no options while it is mounted.
    pub fn mount_anew(&self) -> Result<()> {
        wait_for(&format!("that nothing uses {MOUNT_POINT}"), || {
            Ok(self
                .site
                .command("umount")
                .arg(MOUNT_POINT)
                .output()
                .is_ok_and(|output| output.status.success())
                .then_some(()))
        })?;
        self.run(MOUNT, &[MOUNT_POINT])?;
        self.fill_caches()
    }

    /// What fstab(5) says.
    pub fn fstab(&self) -> Result<String> {
        self.site.read(FSTAB)
    }

    /// Fills the cache of names, and that of attributes where there is one.
    fn fill_caches(&self) -> Result<()> {
        self.run(Tool { program: "find", package: "findutils" }, &[MOUNT_POINT, "-size", "+0"]).map(drop)
    }

    fn run(&self, tool: Tool, arguments: &[&str]) -> Result<String> {
        let shown = || format!("run {} {}", tool.program, arguments.join(" "));
        let output = self.site.command(tool.program).args(arguments).output().attempt(shown)?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()).attempt(shown),
        }
    }

    fn workers(&self, work: Work) -> Result<Command> {
        let this = std::env::current_exe().attempt(|| "find the running program".to_owned())?;
        let mut command = self.site.command(this);
        command.args(["stat", "--folder", MOUNT_POINT, "--workers", &work.workers.to_string()]);
        command.args(["--files", &work.files.to_string(), "--rounds", &work.rounds.to_string()]);
        command.args(["--pause-ms", &work.pause.as_millis().to_string()]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command)
    }

    /// Has workers look at files until the guard is dropped.
    pub fn load(&self, work: Work) -> Result<Load> {
        self.workers(work)?.spawn().map(Load).attempt(|| "start workers".to_owned())
    }

    /// Has workers look at files, and tells what their rounds and the operations they caused took.
    pub fn measure(&self, work: Work) -> Result<Measured> {
        let before = self.operations()?;
        let output = self.workers(work)?.output().attempt(|| "run workers".to_owned())?;
        if !output.status.success() {
            return Err(FaultError::new(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        let rounds: Vec<f64> =
            serde_json::from_slice(&output.stdout).attempt(|| "understand what workers print".to_owned())?;
        let round_s = rounds.iter().sum::<f64>() / rounds.len() as f64;
        Ok(Measured { round_s, operations: self.operations()? - before })
    }

    /// All operations since the mount (statistics version 1.1 of `/proc/self/mountstats`).
    fn operations(&self) -> Result<Operations> {
        let text = self.site.read("/proc/self/mountstats")?;
        let marker = format!(" mounted on {MOUNT_POINT} with fstype nfs");
        let own = text.lines().skip_while(|line| !line.contains(&marker)).skip(1);
        let own = own.take_while(|line| !line.starts_with("device "));
        let rows = own.skip_while(|line| !line.contains("per-op statistics")).skip(1);
        Ok(rows.filter_map(row).fold(Operations::default(), Operations::plus))
    }
}

/// `NAME: operations transmissions timeouts sent received queue rtt execute errors`.
fn row(line: &str) -> Option<Operations> {
    let (_, numbers) = line.split_once(':')?;
    let column = |index| numbers.split_whitespace().nth(index)?.parse().ok();
    Some(Operations { count: column(0)?, queue_ms: column(5)?, rtt_ms: column(6)? })
}

/// Operations of a mount, and the time of all of them together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Operations {
    /// How many.
    pub count: f64,
    /// Time queued for a slot, in ms.
    pub queue_ms: f64,
    /// Time from transmission to reply, in ms.
    pub rtt_ms: f64,
}

impl Operations {
    fn plus(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            queue_ms: self.queue_ms + other.queue_ms,
            rtt_ms: self.rtt_ms + other.rtt_ms,
        }
    }
}

impl Sub for Operations {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.plus(Self { count: -other.count, queue_ms: -other.queue_ms, rtt_ms: -other.rtt_ms })
    }
}

/// What workers met.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// The mean time of a worker's round, in seconds.
    pub round_s: f64,
    /// The operations of all workers.
    pub operations: Operations,
}

impl Measured {
    /// The mean time queued for a slot, in ms an operation.
    pub fn queue_ms(&self) -> f64 {
        self.operations.queue_ms / self.operations.count
    }

    /// The mean time from transmission to reply, in ms.
    pub fn rtt_ms(&self) -> f64 {
        self.operations.rtt_ms / self.operations.count
    }
}

/// Workers that go on until this is dropped.
pub struct Load(Child);

impl Drop for Load {
    fn drop(&mut self) {
        // The workers are killed with the process that forked them.
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            report_left_behind(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_of_two_readings_give_the_mean_of_what_came_in_between() {
        let read = |text: &str| text.lines().filter_map(row).fold(Operations::default(), Operations::plus);
        let before =
            read("\t     GETATTR: 10 10 0 1590 2400 40 200 250 0\n\t      ACCESS: 0 0 0 0 0 0 0 0 0");
        let after =
            read("\t     GETATTR: 30 30 0 4770 7200 140 1200 1400 0\n\t      ACCESS: 0 0 0 0 0 0 0 0 0");
        let measured = Measured { round_s: 1.0, operations: after - before };
        assert_eq!((measured.queue_ms(), measured.rtt_ms()), (5.0, 50.0));
        assert_eq!(row("opts: rw,vers=4.1"), None);
    }
}
