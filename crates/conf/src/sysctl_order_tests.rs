use super::*;

fn order(files: &[(&str, &str)]) -> SysctlOrder {
    let files: Vec<_> =
        files.iter().map(|(path, text)| SysctlFile { path, bytes: text.as_bytes() }).collect();
    order_sysctls(&files)
}

fn effective(order: &SysctlOrder, key: &str) -> Effective {
    order.effective(&SysctlKey::new(key)).expect("the files mention the key")
}

fn owner(effective: &Effective) -> String {
    let mut text =
        format!("{} by {}:{}", effective.value_text().unwrap_or("-".into()), effective.file, effective.line);
    for lost in &effective.overridden {
        text.push_str(&format!(", over {}:{}", lost.file, lost.line));
    }
    text
}

#[test]
fn debian_s_link_to_sysctl_conf_comes_in_its_place_by_name() {
    let order = order(&[
        ("/usr/lib/sysctl.d/50-pid-max.conf", "# vendor\nkernel.pid_max = 4194304\n"),
        ("/etc/sysctl.d/99-sysctl.conf", "kernel.pid_max = 65536\nvm.swappiness = 60\n"),
        ("/etc/sysctl.conf", "kernel.pid_max = 65536\nvm.swappiness = 60\n"),
        ("/etc/sysctl.d/99-web.conf", "vm.swappiness = 10\n"),
        ("/etc/sysctl.d/README.sysctl", "Kernel system variables configuration files\n"),
    ]);
    assert_eq!(
        owner(&effective(&order, "kernel.pid_max")),
        "65536 by /etc/sysctl.d/99-sysctl.conf:1, over /usr/lib/sysctl.d/50-pid-max.conf:2"
    );
    assert_eq!(
        owner(&effective(&order, "vm.swappiness")),
        "10 by /etc/sysctl.d/99-web.conf:1, over /etc/sysctl.d/99-sysctl.conf:2"
    );
    let ignored: Vec<_> = order.ignored().iter().map(|file| (&*file.file, &file.reason)).collect();
    assert_eq!(
        ignored,
        [
            ("/etc/sysctl.conf", &IgnoredReason::NotInADirectoryRead),
            ("/etc/sysctl.d/README.sysctl", &IgnoredReason::NotAConfigurationName),
        ]
    );
}

#[test]
fn base_names_decide_the_order_whatever_the_directory_and_the_order_given() {
    let order = order(&[
        ("/etc/sysctl.d/20-b.conf", "a.b = etc\n"),
        ("/usr/lib/sysctl.d/30-c.conf", "a.b = vendor\n"),
        ("/run/sysctl.d/10-a.conf", "a.b = run\n"),
    ]);
    assert_eq!(
        owner(&effective(&order, "a.b")),
        "vendor by /usr/lib/sysctl.d/30-c.conf:1, over /etc/sysctl.d/20-b.conf:1, over /run/sysctl.d/10-a.conf:1"
    );
}

#[test]
fn a_file_masks_its_namesakes_even_when_it_is_empty() {
    let order = order(&[
        ("/lib/sysctl.d/10-a.conf", "a.b = 1\n"),
        ("/usr/lib/sysctl.d/10-a.conf", "a.b = 1\n"),
        ("/etc/sysctl.d/10-a.conf", ""),
    ]);
    assert_eq!(order.effective(&SysctlKey::new("a.b")), None);
    assert_eq!(order.files(), [Arc::from("/etc/sysctl.d/10-a.conf")]);
    assert_eq!(order.ignored().len(), 2);
}

#[test]
fn an_explicit_key_beats_a_later_glob_and_an_exclusion_keeps_globs_away() {
    let order = order(&[
        ("/etc/sysctl.d/20-rp.conf", "net.ipv4.conf.hub0.rp_filter = 1\n-net.ipv4.conf.all.rp_filter\n"),
        ("/etc/sysctl.d/30-rp.conf", "net.ipv4.conf.*.rp_filter = 2\n"),
    ]);
    assert_eq!(
        owner(&effective(&order, "net.ipv4.conf.hub0.rp_filter")),
        "1 by /etc/sysctl.d/20-rp.conf:1, over /etc/sysctl.d/30-rp.conf:1"
    );
    let all = effective(&order, "net.ipv4.conf.all.rp_filter");
    assert_eq!((all.value, all.line), (None, 2));
    let eth0 = effective(&order, "net.ipv4.conf.eth0.rp_filter");
    assert_eq!(owner(&eth0), "2 by /etc/sysctl.d/30-rp.conf:1");
    assert_eq!(eth0.by_glob, Some(SysctlKey::new("net.ipv4.conf.*.rp_filter")));
}

#[test]
fn an_exclusion_cancels_an_earlier_assignment_and_a_later_assignment_cancels_the_exclusion() {
    let order = order(&[("/etc/sysctl.d/a.conf", "a.b = 1\n-a.b\nc.d = 1\n-c.d\nc.d = 2\n")]);
    assert_eq!(owner(&effective(&order, "a.b")), "- by /etc/sysctl.d/a.conf:2, over /etc/sysctl.d/a.conf:1");
    assert_eq!(effective(&order, "c.d").value.as_deref(), Some(&b"2"[..]));
}

#[test]
fn the_last_glob_applied_wins_and_a_repeated_one_keeps_its_place() {
    let moved = order(&[("/etc/sysctl.d/a.conf", "n.*.x = 1\nn.e*.x = 2\nn.*.x = 3\n")]);
    assert_eq!(effective(&moved, "n.eth0.x").line, 3);
    let kept = order(&[("/etc/sysctl.d/a.conf", "n.*.x = 1\nn.e*.x = 2\n-n.*.x = 1\n")]);
    let eth0 = effective(&kept, "n.eth0.x");
    assert_eq!((eth0.value_text().as_deref(), eth0.line), (Some("2"), 2));
    assert!(effective(&kept, "n.lo.x").ignore_errors);
}

#[test]
fn both_spellings_of_a_key_are_one_key() {
    let order = order(&[("/etc/sysctl.d/a.conf", "net.core.somaxconn = 1\nnet/core/somaxconn = 2\n")]);
    assert_eq!(order.explicit().len(), 1);
    assert_eq!(effective(&order, "net.core.somaxconn").line, 2);
}

/// Recorded from systemd-sysctl 252 of Debian 12, run on these files over a stand-in for `/proc/sys`.
#[test]
fn the_values_are_those_the_real_program_was_seen_to_write() {
    let etc = "net.ipv4.conf.*.rp_filter = 2\nnet.ipv4.conf.e*.rp_filter = 3\nnet.ipv4.conf.*.rp_filter = 2\n\
               kernel.a = 1\n-kernel.a\nvm.b = 1\rvm.c = 2\0";
    let run = "net.ipv4.conf.*.y = 1\nnet.ipv4.conf.e*.y = 2\nnet.ipv4.conf.*.y = 3\n-net.ipv4.conf.h*.y\n\
               = 5\n-\nfoo bar\n";
    let order = order(&[
        ("/etc/sysctl.d/10.conf", etc),
        ("/run/sysctl.d/05.conf", run),
        ("/usr/lib/sysctl.d/10.conf", "vm.b = masked\n"),
        ("/etc/sysctl.d/.zz.conf", "vm.b = hidden\n"),
        ("/etc/sysctl.d/zz.config", "vm.b = nosuffix\n"),
    ]);
    let value = |key: &str| effective(&order, key).value_text().map(Cow::into_owned);
    for (key, written) in [
        ("net.ipv4.conf.eth0.y", Some("3")),
        ("net.ipv4.conf.hub0.y", Some("3")),
        ("net.ipv4.conf.all.y", Some("3")),
        ("net.ipv4.conf.hub0.rp_filter", Some("2")),
        ("net.ipv4.conf.eth0.rp_filter", Some("3")),
        ("kernel.a", None),
        ("vm.b", Some("1")),
        ("vm.c", Some("2")),
    ] {
        assert_eq!(value(key).as_deref(), written, "{key}");
    }
    assert_eq!(order.unread().len(), 3);
}
