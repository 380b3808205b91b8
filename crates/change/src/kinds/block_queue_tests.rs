use std::fs::File;

use super::*;
use crate::kinds::kernel_testing::{run, set, set_and_put_back, shell};

/// A loop device of a file of its own, detached when dropped.
struct LoopDevice {
    path: String,
    _file: tempfile::NamedTempFile,
}

impl LoopDevice {
    fn new() -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        File::options().write(true).open(file.path()).unwrap().set_len(1 << 20).unwrap();
        let path = run("losetup", "mount", &["--find", "--show", file.path().to_str().unwrap()]);
        Self { path: path.trim().to_owned(), _file: file }
    }

    fn queue(&self, attribute: &str) -> BlockQueue {
        let device = self.path.strip_prefix("/dev/").unwrap().to_owned();
        BlockQueue { device, attribute: attribute.to_owned() }
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        let _ = std::process::Command::new("losetup").args(["--detach", &self.path]).status();
    }
}

#[test]
fn an_attribute_is_set_and_put_back() {
    let device = LoopDevice::new();
    set_and_put_back(&device.queue("read_ahead_kb"), "512");
    set_and_put_back(&device.queue("rotational"), "1");
}

#[test]
fn the_scheduler_is_the_one_in_brackets() {
    assert_eq!(chosen("none [mq-deadline] kyber"), "mq-deadline");
    assert_eq!(chosen("[none]"), "none");
    assert_eq!(chosen("none"), "none");
    let scheduler = LoopDevice::new();
    let scheduler = (scheduler.queue("scheduler"), scheduler);
    set_and_put_back(&scheduler.0, "mq-deadline");
    let error = scheduler.0.write(&State::text("elevator")).unwrap_err();
    assert_eq!(error.errno, Some(libc::EINVAL));
    assert!(error.help.as_deref().is_some_and(|help| help.contains("mq-deadline")), "{error}");
}

#[test]
fn names_that_lead_out_of_sysfs_are_refused() {
    for (device, attribute) in [("..", "x"), ("loop0", "../../../vm"), ("", "scheduler"), ("loop0", "")] {
        let target = BlockQueue { device: device.to_owned(), attribute: attribute.to_owned() };
        assert!(target.read().is_err(), "{}", target.name());
        assert!(target.write(&State::text("1")).is_err(), "{}", target.name());
    }
}

#[test]
fn the_lines_of_shell_make_the_same_change() {
    let device = LoopDevice::new();
    let target = device.queue("read_ahead_kb");
    for value in ["1024", "256"] {
        let wanted = set(&target, value);
        shell(&target.shell(&wanted));
        assert_eq!(target.read().unwrap(), wanted);
        assert_eq!(target.boot_lines(&wanted), Some(target.shell(&wanted)));
    }
}
