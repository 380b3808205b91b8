//! The CPUs an interrupt may go to: `/proc/irq/N/smp_affinity_list`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{cpu_set, kernel_file};
use crate::shell::{comment, quoted};
use crate::{Action, ChangeError, Kind, State};

/// Prints the number of the one interrupt whose row ends with `$name`; nothing where several do.
const FIND: &str = r#"awk 'BEGIN { tail = " " ENVIRON["name"] }
    $1 ~ /^[0-9]+:$/ {
        row = $0; gsub(/[ \t]+/, " ", row); sub(/ $/, "", row); at = length(row) - length(tail)
        if (at > 0 && substr(row, at + 1) == tail) { irq = $1; count++ }
    }
    END { if (count == 1) { sub(/:/, "", irq); print irq } }' /proc/interrupts"#;

/// The CPUs an interrupt may go to: `/proc/irq/N/smp_affinity_list` (Documentation/core-api/irq/irq-affinity.rst).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IrqAffinity {
    /// Its number.
    pub irq: u32,
    /// Its name in `/proc/interrupts`, by which it is found after a boot. Chip and trigger may stand before it.
    pub name: String,
}

impl IrqAffinity {
    fn path(&self) -> PathBuf {
        Path::new("/proc/irq").join(self.irq.to_string()).join("smp_affinity_list")
    }

    /// What drivers call it. The words for chip and trigger in front of it are other ones on other kernels.
    fn drivers_name(&self) -> String {
        let words: Vec<_> = self.name.split_whitespace().collect();
        let triggers = ["-edge", "-level", "-fasteoi"];
        let is_trigger = |word: &&str| {
            matches!(*word, "Edge" | "Level") || triggers.iter().any(|trigger| word.ends_with(trigger))
        };
        let behind = words.iter().position(is_trigger).and_then(|at| words.get(at + 1..));
        behind.filter(|rest| !rest.is_empty()).unwrap_or(&words).join(" ")
    }

    /// Makes sure that the number still is this interrupt's: a driver that reloads gets others. The error has ENOENT
    /// where it is not.
    fn check_name(&self) -> Result<(), ChangeError> {
        let table = kernel_file::read("the table of interrupts", Path::new("/proc/interrupts"))?;
        let name = self.drivers_name();
        let attempted = || format!("find interrupt {} ({name})", self.irq);
        let why = match row(&table, self.irq) {
            Some(row) if row.ends_with(&format!(" {name}")) => return Ok(()),
            Some(row) => {
                format!("the number now belongs to {}", row.rsplit(' ').next().unwrap_or("another"))
            }
            None => "there is no interrupt of this number".to_owned(),
        };
        let moved = ChangeError::new(attempted(), why)
            .help("its driver was reloaded or changed its queues: plan anew");
        Err(ChangeError { errno: Some(libc::ENOENT), ..moved })
    }
}

impl Kind for IrqAffinity {
    fn name(&self) -> String {
        format!("irq {}", self.irq)
    }

    fn read(&self) -> Result<State, ChangeError> {
        self.check_name()?;
        kernel_file::read(&self.name(), &self.path()).map(State::text)
    }

    fn write(&self, state: &State) -> Result<(), ChangeError> {
        let cpus = kernel_file::value_of(&self.name(), state)?;
        self.check_name()?;
        kernel_file::write(&self.name(), &self.path(), cpus).map_err(explained)
    }

    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError> {
        let cpus = kernel_file::value_to_set(&self.name(), now, action)?;
        let list = cpu_set::list(cpus).filter(|list| !list.is_empty());
        list.map(State::text).ok_or_else(|| {
            let attempted = format!("set {} to {cpus:?}", self.name());
            ChangeError::new(attempted, "it holds a list of CPUs such as `0-3,8`")
        })
    }

    fn normal(&self, state: &State) -> State {
        kernel_file::respelled(state, |cpus| {
            cpu_set::list(cpus).unwrap_or_else(|| kernel_file::single_blanks(cpus))
        })
    }

    fn shell(&self, to: &State) -> Vec<String> {
        let cpus = kernel_file::value_of(&self.name(), to);
        cpus.map(|cpus| kernel_file::line(&self.path(), cpus)).into_iter().collect()
    }

    fn boot_lines(&self, to: &State) -> Option<Vec<String>> {
        let name = self.drivers_name();
        let Ok(cpus) = kernel_file::value_of(&name, to) else { return Some(vec![]) };
        let lines = [
            format!("# The CPUs of interrupt {}.", comment(&name)),
            format!("irq=$(name={} {FIND})", quoted(&name)),
            r#"if [ -n "$irq" ]; then"#.to_owned(),
            format!(r#"    printf '%s\n' {} > "/proc/irq/$irq/smp_affinity_list""#, quoted(cpus)),
            format!("else echo {} >&2; fi", quoted(&format!("narrows: not one interrupt is named {name}"))),
        ];
        Some(lines.join("\n").lines().map(str::to_owned).collect())
    }
}

/// The row of an interrupt with single blanks.
fn row(table: &str, irq: u32) -> Option<String> {
    let label = format!("{irq}:");
    let row = table.lines().find(|line| line.split_whitespace().next() == Some(&label))?;
    Some(kernel_file::single_blanks(row))
}

/// What the kernel means by its refusal (`write_irq_affinity` in kernel/irq/proc.c). An interrupt that it does not let
/// go is EPERM to newer kernels and EIO to others.
fn explained(error: ChangeError) -> ChangeError {
    let managed = "the kernel places this interrupt itself, as it does for managed ones: leave it out";
    let helps = [
        (libc::EIO, managed),
        (libc::EPERM, managed),
        (libc::EINVAL, "none of these CPUs is online: see /sys/devices/system/cpu/online"),
        (libc::EOVERFLOW, "this host cannot have CPUs of such numbers"),
        (libc::ERANGE, "this host cannot have CPUs of such numbers"),
        (libc::ENOSPC, "these CPUs have no interrupt vector left: choose others"),
        (libc::EBUSY, "it is just being moved: try again"),
    ];
    kernel_file::help_on(error, &helps)
}

#[cfg(test)]
#[path = "irq_affinity_tests.rs"]
mod tests;
