use super::*;

fn module(name: &str) -> Module {
    Module { name: name.to_owned() }
}

#[test]
fn a_module_that_is_there_counts_as_loaded_and_loading_it_again_changes_nothing() {
    let printk = module("printk");
    assert_eq!(printk.read().unwrap(), State::text("loaded"));
    printk.write(&State::text("loaded")).unwrap();
    assert_eq!(printk.read().unwrap(), State::text("loaded"));
}

#[test]
fn a_module_that_does_not_exist_is_refused_in_the_words_of_modprobe() {
    let none = module("narrows_has_no_module");
    let now = none.read().unwrap();
    assert_eq!(now, State::Absent);
    none.write(&State::Absent).unwrap();
    let wanted = none.wanted(&now, &Action::Load).unwrap();
    let error = none.write(&wanted).unwrap_err();
    assert!(error.to_string().contains("narrows_has_no_module"), "{error}");
    assert!(error.why.contains("modprobe"), "{error}");
    assert_eq!(none.read().unwrap(), State::Absent);
}

#[test]
fn what_is_part_of_the_kernel_cannot_be_unloaded() {
    let printk = module("printk");
    let error = printk.write(&State::Absent).unwrap_err();
    assert!(error.attempted.contains("unload the kernel module printk"), "{error}");
    assert!(error.help.is_some(), "{error}");
    assert_eq!(printk.read().unwrap(), State::text("loaded"));
}

#[test]
fn names_are_never_options_or_paths() {
    for name in ["", "..", "../../etc", "a/b"] {
        assert!(module(name).read().is_err(), "{name}");
        assert!(module(name).write(&State::text("loaded")).is_err(), "{name}");
    }
    let error = module("--version").write(&State::text("loaded")).unwrap_err();
    assert!(error.why.contains("--version"), "{error}");
    assert_eq!(module("tcp_bbr").shell(&State::text("loaded")), ["modprobe -- tcp_bbr"]);
    assert_eq!(module("$(reboot)").shell(&State::Absent), ["modprobe -r -- '$(reboot)'"]);
}

#[test]
fn only_loading_can_be_asked_for() {
    let bbr = module("tcp_bbr");
    assert!(bbr.wanted(&State::Absent, &Action::Set { value: "1".to_owned() }).is_err());
    assert!(bbr.write(&State::text("elsewhere")).is_err());
    assert_eq!(bbr.boot_lines(&State::text("loaded")), None);
}

#[test]
fn modules_that_are_part_of_the_kernel_are_found_in_either_spelling() {
    let list = "kernel/net/ipv4/tcp_cubic.ko\nkernel/block/mq-deadline.ko\n";
    for name in ["tcp_cubic", "tcp-cubic", "mq-deadline", "mq_deadline"] {
        assert!(lists(list, name), "{name}");
    }
    assert!(!lists(list, "cubic"));
    assert!(!lists("", "tcp_cubic"));
}
