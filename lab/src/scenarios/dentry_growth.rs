//! explore
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::faults::tools::MOUNT;
use crate::faults::{Attempt, Result, kernel};
use crate::inside::settle;
use crate::parts::names::{Going, look_for, read_file, slab_mib, write_file};
use crate::scenario::{Guest, Scenario, World};
use crate::score::Score;
use crate::site::Site;

pub(super) const SCENARIO: Scenario = Scenario {
    name: "dentry-growth",
    title: "names that do not exist, looked for again and again while memory is short",
    world: World::Guest(Guest { cpus: 2, memory_mib: 512, disk: true, ..Guest::PLAIN }),
    quick: false,
    run,
};

fn run(_score: &mut Score) -> Result<()> {
    let disk = Path::new("/srv/disk");
    fs::create_dir_all(disk).attempt(|| "x".to_owned())?;
    MOUNT.run(&["/dev/vda", "/srv/disk"])?;
    let classes = disk.join("classes");
    fs::create_dir_all(&classes).attempt(|| "x".to_owned())?;
    let file = disk.join("big");
    write_file(&file, 350)?;
    let site = Site::guest()?;
    eprintln!("{}", kernel::read("/proc/meminfo")?);
    for p in ["100", "50", "500", "200", "100"] {
        fs::write("/proc/sys/vm/vfs_cache_pressure", p).unwrap();
        fs::write("/proc/sys/vm/drop_caches", "3").unwrap();
        let t = std::time::Instant::now();
        look_for(&classes, 0..250_000)?;
        let b = slab_mib()?;
        let u = t.elapsed();
        read_file(&file)?;
        eprintln!("{p}: {b} -> {} lookups {u:?} read {:?}", slab_mib()?, t.elapsed() - u);
    }
    fs::write("/proc/sys/vm/drop_caches", "3").unwrap();
    let reader = Going::read_again(&file, 5.0);
    let flood = [Going::look_for_more(&classes, 0), Going::look_for_more(&classes, 1 << 40)];
    for i in 0..9 {
        std::thread::sleep(Duration::from_secs(8));
        let v = kernel::read("/proc/vmstat")?;
        let v: Vec<_> = v
            .lines()
            .filter(|l| {
                l.starts_with("allocstall")
                    || l.starts_with("workingset_ref")
                    || l.starts_with("workingset_act")
                    || l.starts_with("slabs_scanned")
                    || l.starts_with("pgscan_")
            })
            .collect();
        let m = kernel::read("/proc/meminfo")?;
        let m: Vec<_> = m
            .lines()
            .filter(|l| {
                ["MemT", "MemF", "MemA", "SRec", "Cached", "Active", "Inact"].iter().any(|p| l.starts_with(p))
            })
            .collect();
        eprintln!("{i} slab {} {v:?} {m:?} {}", slab_mib()?, kernel::read("/proc/pressure/memory")?);
    }
    eprintln!("{}", site.succeeds(&["check", "--for", "4s", "--fail-on", "never"])?);
    drop(flood);
    drop(reader);
    Ok(())
}
