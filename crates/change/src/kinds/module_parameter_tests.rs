use std::path::Path;

use super::*;
use crate::kinds::kernel_testing::{Restored, machine_alone, set, set_and_put_back, shell};

fn parameter(module: &str, parameter: &str) -> ModuleParameter {
    ModuleParameter { module: module.to_owned(), parameter: parameter.to_owned() }
}

#[test]
fn a_boolean_is_set_and_put_back() {
    let _alone = machine_alone();
    let time = parameter("printk", "time");
    for value in ["0", "1", "Y", "N"] {
        set_and_put_back(&time, value);
    }
}

/// The kernel keeps every byte that is written to a text parameter.
#[test]
fn a_text_is_set_and_put_back_without_a_newline() {
    let _alone = machine_alone();
    let path = parameter("firmware-class", "path");
    let restored = Restored::new(&path);
    for value in ["/lib/firmware/narrows", "", "/lib/firmware/other"] {
        let wanted = set(&path, value);
        path.write(&wanted).unwrap();
        assert_eq!(path.read().unwrap(), wanted);
        path.write(&restored.before).unwrap();
        assert_eq!(path.read().unwrap(), restored.before);
        shell(&path.shell(&wanted));
        assert_eq!(path.read().unwrap(), wanted);
    }
}

#[test]
fn a_parameter_for_the_next_load_only_is_refused() {
    let target = read_only();
    let before = target.read().unwrap();
    let error = target.write(&before).unwrap_err();
    assert!(error.to_string().contains("/etc/modprobe.d"), "{error}");
    assert_eq!(target.read().unwrap(), before);
}

/// Any parameter that is not writable; every kernel has some.
fn read_only() -> ModuleParameter {
    let modules = fs::read_dir("/sys/module").unwrap();
    let folders = modules.filter_map(|module| fs::read_dir(module.unwrap().path().join("parameters")).ok());
    let mut files = folders.flatten().map(|file| file.unwrap());
    let file = files.find(|file| {
        file.metadata().unwrap().permissions().mode() & 0o777 == 0o444
            && fs::read_to_string(file.path()).is_ok()
    });
    let file = file.expect("a module parameter of mode 0444 in /sys/module").path();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    parameter(&name(file.ancestors().nth(2).unwrap()), &name(&file))
}

#[test]
fn a_module_that_is_not_loaded_has_no_parameter_to_set() {
    let target = parameter("narrows_has_no_module", "slots");
    assert_eq!(target.read().unwrap(), State::Absent);
    let error = target.wanted(&State::Absent, &Action::Set { value: "1".to_owned() }).unwrap_err();
    assert!(error.to_string().contains("not loaded"), "{error}");
    assert!(target.write(&State::text("1")).is_err());
    target.write(&State::Absent).unwrap();
    assert!(parameter("printk", "no_such_parameter").read().is_err());
    assert!(parameter("printk", "../../../../etc/passwd").read().is_err());
}

#[test]
fn the_kernel_refuses_what_is_no_value() {
    let _alone = machine_alone();
    let error = parameter("printk", "time").write(&State::text("maybe")).unwrap_err();
    assert_eq!(error.errno, Some(libc::EINVAL));
}
