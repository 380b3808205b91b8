use std::fs;

use super::*;
use crate::kinds::kernel_testing::{Restored, machine_alone, run, set, set_and_put_back, shell};

/// The interrupts of this machine, each with its whole name.
fn interrupts() -> Vec<IrqAffinity> {
    let table = fs::read_to_string("/proc/interrupts").unwrap();
    let cpus = table.lines().next().unwrap().split_whitespace().count();
    let interrupt = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let irq = words.first()?.strip_suffix(':')?.parse().ok()?;
        Some(IrqAffinity { irq, name: words.get(cpus + 1..)?.join(" ") })
    };
    table.lines().filter_map(interrupt).collect()
}

/// One that may be moved and shares its name with no other. Writing what it holds already finds out without moving it.
fn movable() -> IrqAffinity {
    let all = interrupts();
    let same =
        |one: &IrqAffinity| all.iter().filter(|other| one.drivers_name() == other.drivers_name()).count();
    let may_move = |irq: &IrqAffinity| irq.read().is_ok_and(|now| irq.write(&now).is_ok());
    let found = all.iter().find(|irq| same(irq) == 1 && may_move(irq));
    found.expect("an interrupt in /proc/interrupts that root may move").clone()
}

#[test]
fn an_interrupt_is_moved_and_put_back() {
    let _alone = machine_alone();
    set_and_put_back(&movable(), "0");
}

#[test]
fn an_interrupt_is_found_by_its_name_at_boot() {
    let _alone = machine_alone();
    let interrupt = movable();
    let _restored = Restored::new(&interrupt);
    let wanted = set(&interrupt, "0");
    shell(&IrqAffinity { irq: u32::MAX, ..interrupt.clone() }.boot_lines(&wanted).unwrap());
    assert_eq!(interrupt.read().unwrap(), wanted);
}

#[test]
fn the_lines_of_shell_make_the_same_change() {
    let _alone = machine_alone();
    let interrupt = movable();
    let restored = Restored::new(&interrupt);
    shell(&interrupt.shell(&set(&interrupt, "0")));
    assert_eq!(interrupt.read().unwrap(), State::text("0"));
    shell(&interrupt.shell(&restored.before));
    assert_eq!(interrupt.read().unwrap(), restored.before);
}

#[test]
fn a_number_that_now_is_another_interrupts_is_neither_read_nor_written() {
    let interrupt = IrqAffinity { name: "virtio99-input.0".to_owned(), ..movable() };
    for error in [interrupt.read().unwrap_err(), interrupt.write(&State::text("0")).unwrap_err()] {
        assert!(error.to_string().contains("the number now belongs to"), "{error}");
    }
    let none = IrqAffinity { irq: 4_000_000_000, name: "eth0".to_owned() };
    assert!(none.read().unwrap_err().why.contains("no interrupt of this number"));
    let boot = interrupt.boot_lines(&State::text("0")).unwrap();
    shell(&boot);
}

#[test]
fn chip_and_trigger_are_no_part_of_the_name() {
    for (written, name) in [
        ("PCI-MSI 65537-edge virtio2-input.0", "virtio2-input.0"),
        ("PCI-MSIX-0000:00:03.0 1-edge virtio2-input.0", "virtio2-input.0"),
        ("IO-APIC 16-fasteoi ehci_hcd:usb1, uhci_hcd:usb2", "ehci_hcd:usb1, uhci_hcd:usb2"),
        ("GICv3 27 Level arch_timer", "arch_timer"),
        ("virtio2-input.0", "virtio2-input.0"),
        ("my-edge", "my-edge"),
    ] {
        assert_eq!(IrqAffinity { irq: 1, name: written.to_owned() }.drivers_name(), name);
    }
}

#[test]
fn the_boot_script_finds_one_interrupt_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("interrupts");
    let rows = "           CPU0       CPU1\n 24:  1  0  PCI-MSI 1-edge      eth0-rx-0\n \
                25:  0  0  PCI-MSI 2-edge      xeth0-rx-0\n 26:  0  0  PCI-MSI 3-edge   twice\n \
                27:  0  0  PCI-MSI 4-edge   twice\n 28:  0  0  IO-APIC  16-fasteoi   usb1, it's \\usb2\n\
                NMI:  0  0   twice\n";
    fs::write(&table, rows).unwrap();
    for (name, number) in
        [("eth0-rx-0", "24\n"), ("rx-0", ""), ("twice", ""), ("usb1, it's \\usb2", "28\n"), ("none", "")]
    {
        let find = FIND.replace("/proc/interrupts", table.to_str().unwrap());
        let script = format!("name={} {find}", quoted(name));
        assert_eq!(run("sh", "dash", &["-c", &script]), number, "{name}");
    }
}

#[test]
fn lists_of_cpus_are_compared_as_sets() {
    let interrupt = IrqAffinity { irq: 24, name: "eth0".to_owned() };
    let set = |value: &str| interrupt.wanted(&State::text("0"), &Action::Set { value: value.to_owned() });
    assert_eq!(set("3,2,0-1, 8").unwrap(), State::text("0-3,8"));
    assert_eq!(interrupt.normal(&State::text("0,1,2,3,8")), State::text("0-3,8"));
    for other in ["", "all", "ff"] {
        assert!(set(other).is_err(), "{other}");
    }
    assert_eq!(interrupt.name(), "irq 24");
}

#[test]
fn refusals_say_what_they_mean() {
    let _alone = machine_alone();
    for errno in [libc::EIO, libc::EPERM] {
        let managed = ChangeError { errno: Some(errno), ..ChangeError::new("write", "refused") };
        assert!(explained(managed).to_string().contains("the kernel places this interrupt itself"));
    }
    for interrupt in interrupts() {
        let written = interrupt.write(&interrupt.read().unwrap());
        let explained = |error: &ChangeError| error.to_string().contains("places this interrupt itself");
        assert!(written.as_ref().err().is_none_or(explained), "{}: {written:?}", interrupt.name);
    }
    let interrupt = movable();
    let restored = Restored::new(&interrupt);
    let error = interrupt.write(&State::text("4000000")).unwrap_err();
    assert!(error.errno.is_some() && error.help.is_some(), "{error}");
    assert_eq!(interrupt.read().unwrap(), restored.before);
}
