//! A class loader that looks for the same missing classes again and again, on a machine whose memory is full: a file that
//! would fit is read from the disk time after time.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::faults::tools::MOUNT;
use crate::faults::wait::wait_within;
use crate::faults::{Attempt, FaultError, Result, kernel};
use crate::inside::settle;
use crate::parts::names::{Going, look_for, read_file, slab_mib, write_file};
use crate::scenario::{Guest, Scenario, World};
use crate::score::{Effect, Expected, Score};
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "dentry-growth",
    title: "missing classes, looked for again and again, push a file out of the page cache",
    world: World::Guest(Guest { cpus: 4, memory_mib: 512, disk: true, timeout_s: 600, ..Guest::PLAIN }),
    quick: false,
    run,
};

const CAUSE: &str = "memory.dentry-flood";
const RIVALS: &[&str] = &["memory.swap-thrash", "memory.slab-table-inconsistent"];
const KEY: &str = "vm.vfs_cache_pressure";
/// It fits into the memory of the guest, as long as nothing else wants much.
const FILE_MIB: usize = 360;
const READ_MIB_PER_S: f64 = 12.0;
/// 147 MiB of entries.
const MISSING: u64 = 800_000;
/// 27 % of the guest's memory.
const CROWD_MIB: f64 = 125.0;
/// How many are looked for before a shortage that is to be the same every time.
const MISSING_ONCE: u64 = 250_000;
/// The file is read so often in that shortage.
const READINGS: usize = 4;
/// Pages pushed out and read again within a second.
const PUSHED_OUT: u64 = 2000;
const GROWTH: Duration = Duration::from_secs(240);

/// An ext4 file system: the guest's own is no place for names that do not exist.
struct Disk {
    classes: PathBuf,
    file: PathBuf,
}

impl Disk {
    fn mount() -> Result<Self> {
        let root = Path::new("/srv/disk");
        let disk = Self { classes: root.join("classes"), file: root.join("file") };
        fs::create_dir_all(root).attempt(|| format!("make {}", root.display()))?;
        MOUNT.run(&["/dev/vda", "/srv/disk"])?;
        fs::create_dir(&disk.classes).attempt(|| format!("make {}", disk.classes.display()))?;
        write_file(&disk.file, FILE_MIB)?;
        Ok(disk)
    }

    /// Memory that the slab of entries keeps after a shortage, in MiB.
    fn kept_mib(&self) -> Result<f64> {
        set("vm/drop_caches", "3")?;
        look_for(&self.classes, 0..MISSING_ONCE)?;
        (0..READINGS).try_for_each(|_| read_file(&self.file))?;
        slab_mib()
    }
}

fn set(key: &str, value: &str) -> Result<()> {
    let path = format!("/proc/sys/{key}");
    fs::write(&path, value).attempt(|| format!("write {value} to {path}"))
}

/// Pages of files that were read again after they had been reclaimed.
fn refaults() -> Result<u64> {
    let text = kernel::read("/proc/vmstat")?;
    let count = text.lines().find_map(|line| line.strip_prefix("workingset_refault_file "));
    let count = count.and_then(|count| count.trim().parse().ok());
    count.ok_or_else(|| FaultError::new("/proc/vmstat does not count workingset_refault_file"))
}

fn run(score: &mut Score) -> Result<()> {
    settle()?;
    let disk = Disk::mount()?;
    let site = Site::machine()?;
    // What guides recommend, so that entries are kept.
    set("vm/vfs_cache_pressure", "50")?;
    set("vm/drop_caches", "3")?;
    read_file(&disk.file)?;
    let reader = Going::read_again(&disk.file, READ_MIB_PER_S);
    score.judge_twin(&site.check(&["--for", "4s"])?);
    drop(reader);

    let half = MISSING / 2;
    let loader = [Going::look_for(&disk.classes, 0..half), Going::look_for(&disk.classes, half..MISSING)];
    wait_within(GROWTH, "entries of most of the names", || Ok((slab_mib()? >= CROWD_MIB).then_some(())))?;
    let reader = Going::read_again(&disk.file, READ_MIB_PER_S);
    wait_within(GROWTH, "pages of the file read again because entries pushed them out", || {
        let before = refaults()?;
        std::thread::sleep(Duration::from_secs(1));
        Ok((refaults()? >= before + PUSHED_OUT && slab_mib()? >= CROWD_MIB).then_some(()))
    })?;
    score.judge(&site.check(&["--for", "5s"])?, CAUSE, RIVALS);
    site.plan_something(&["--for", "5s", "--only", CAUSE])?;
    drop((loader, reader));

    let fair = site.parameter(KEY)?;
    let before = disk.kept_mib()?;
    site.apply()?;
    let value = site.parameter(KEY)?;
    let after = disk.kept_mib()?;
    site.undo()?;
    score.restored = Some(site.parameter(KEY)? == fair);
    let undone = disk.kept_mib()?;
    let effect = |to: &str, before: f64, after: f64, expected| Effect {
        change: format!("{KEY} {fair} → {to}"),
        metric: format!("MiB of entries left after a shortage, at {to}"),
        before,
        after,
        undone: None,
        expected,
    };
    score
        .effects
        .push(Effect { undone: Some(undone), ..effect(&value, before, after, Expected::FallsTo(0.7)) });
    for (to, expected) in [("100", Expected::FallsTo(0.8)), ("500", Expected::FallsTo(0.4))] {
        set("vm/vfs_cache_pressure", to)?;
        let kept = disk.kept_mib()?;
        set("vm/vfs_cache_pressure", &fair)?;
        score.effects.push(effect(to, undone, kept, expected));
    }
    Ok(())
}
