use model::{ChangeKind, Edit, Presence, Remedy, Severity, Verdict};

use super::testing::*;
use super::*;
use crate::{Action, Phase, Target};

fn somaxconn(severity: Severity, value: &str) -> model::report::CauseReport {
    asking("sockets.accept-queue-overflow", severity, vec![sysctl(SOMAXCONN, "128", value)])
}

fn irq(number: u32, cpus: &str) -> model::Change {
    let what = ChangeKind::IrqAffinity { irq: number, name: format!("virtio0-input.{number}") };
    changing(what, "0-3", cpus)
}

fn irqs(tree: &mut host::Tree) {
    for number in [24, 25] {
        tree.put(0, &format!("/proc/irq/{number}/smp_affinity_list"), "0-3\n");
    }
}

fn everything(tree: &mut host::Tree) -> model::report::Report {
    irqs(tree);
    tree.put(0, "/proc/500/comm", "irqbalance\n");
    tree.put(0, "/proc/500/cmdline", "/usr/sbin/irqbalance\0--foreground\0");
    tree.put(0, "/etc/default/irqbalance", "IRQBALANCE_ARGS=\"--hintpolicy=ignore\"\n");
    tree.put(0, "/sys/module/nfs/parameters/max_session_slots", "64\n");
    let swappiness = Edit::Sysctl { key: "vm.swappiness".to_owned(), value: None, line: Some(2) };
    tree.put(0, "/etc/sysctl.d/50-web.conf", "# web\nvm.swappiness = 1\nnet.core.somaxconn = 128\n");
    report(vec![
        somaxconn(Severity::Breaking, "4096"),
        asking("irq.skew", Severity::Limiting, vec![irq(24, "1"), irq(25, "2")]),
        asking(
            "nfs.slot-exhaustion",
            Severity::Limiting,
            vec![changing(
                ChangeKind::ModuleParameter { name: "nfs.max_session_slots".to_owned() },
                "64",
                "128",
            )],
        ),
        asking(
            "sockets.congestion-control",
            Severity::Latent,
            vec![changing(ChangeKind::Module { name: "tcp_bbr".to_owned() }, "absent", "tcp_bbr")],
        ),
        asking(
            "settings.overridden",
            Severity::Latent,
            vec![editing("/etc/sysctl.d/50-web.conf", vec![swappiness])],
        ),
    ])
}

#[test]
fn a_parameter_is_set_now_and_kept_by_our_file() {
    let plan = planned(&tree(&[]), &report(vec![somaxconn(Severity::Breaking, "4096")]));
    let [change] = plan.changes.as_slice() else { panic!("{plan:#?}") };
    assert_eq!(
        (change.id.as_str(), change.why.as_str()),
        (SOMAXCONN, "the numbers of sockets.accept-queue-overflow")
    );
    let [now, lasting] = change.operations.as_slice() else { panic!("{change:#?}") };
    assert_eq!((now.phase, now.before.as_str()), (Phase::Now, "text 128"));
    assert_eq!((lasting.phase, lasting.before.as_str()), (Phase::Lasting, "absent"));
    assert_eq!(lasting.target.kind().name(), OURS);
    assert!(!change.shell.is_empty() && change.reloads.is_empty());
    assert!(plan.files[0].difference.contains("+net.core.somaxconn = 4096"), "{}", plan.files[0].difference);
    assert_eq!(plan.host.machine_id.as_deref(), Some("0123456789abcdef0123456789abcdef"));
}

#[test]
fn a_plan_is_the_same_to_the_byte_when_it_is_made_again() {
    let mut tree = tree(&[]);
    let report = everything(&mut tree);
    let json = |plan: &Plan| serde_json::to_string_pretty(plan).unwrap();
    assert_eq!(json(&planned(&tree, &report)), json(&planned(&tree, &report)));
}

#[test]
fn a_plan_made_after_its_changes_is_empty() {
    let mut tree = tree(&[]);
    let report = everything(&mut tree);
    let first = planned(&tree, &report);
    let expected =
        ["tcp_bbr", SOMAXCONN, "irq 24", "irq 25", "nfs.max_session_slots", "/etc/sysctl.d/50-web.conf"];
    assert_eq!(ids(&first), expected, "{:#?}", first.refused);
    carry_out(&mut tree, &first);
    tree.put(0, "/proc/500/cmdline", "/usr/sbin/irqbalance\0--banirq=24\0--banirq=25\0");
    let second = planned(&tree, &report);
    assert!(second.changes.is_empty() && second.files.is_empty(), "{:#?}", second.changes);
    assert!(second.refused.is_empty(), "{:#?}", second.refused);
}

#[test]
fn only_the_file_is_left_to_do_where_the_value_holds_already() {
    let running = tree(&[("/proc/sys/net/core/somaxconn", "4096\n")]);
    let plan = planned(&running, &report(vec![somaxconn(Severity::Breaking, "4096")]));
    let phases: Vec<_> = plan.changes[0].operations.iter().map(|operation| operation.phase).collect();
    assert_eq!(phases, [Phase::Lasting]);
}

#[test]
fn causes_that_are_not_confirmed_or_too_mild_ask_for_nothing() {
    let mut consistent = somaxconn(Severity::Breaking, "4096");
    consistent.verdict = Verdict::Consistent;
    let report = report(vec![consistent, somaxconn(Severity::Hygiene, "4096")]);
    assert!(planned(&tree(&[]), &report).changes.is_empty());
    let options = PlanOptions { severity: Severity::Folklore, ..PlanOptions::default() };
    assert_eq!(ids(&planned_with(&tree(&[]), &report, &options).unwrap()), [SOMAXCONN]);
}

#[test]
fn the_first_remedy_that_narrows_can_carry_out_is_taken_and_the_others_are_mentioned() {
    let remedies = vec![
        Remedy::new("Buy more CPUs", "m").change(elsewhere("the hypervisor")),
        Remedy::new("Raise it", "m").change(sysctl(SOMAXCONN, "128", "4096")).change(elsewhere("nginx")),
        Remedy::new("Raise it more", "m").change(sysctl(SOMAXCONN, "128", "8192")),
    ];
    let report = report(vec![cause("a.b", Severity::Limiting, remedies)]);
    let plan = planned(&tree(&[]), &report);
    assert_eq!(plan.changes[0].remedy, "Raise it");
    assert_eq!(plan.changes[0].alternatives, ["1: Buy more CPUs", "3: Raise it more"]);
    assert_eq!(plan.by_hand.len(), 1);
    let choose =
        |number| PlanOptions { remedy: [("a.b".to_owned(), number)].into(), ..PlanOptions::default() };
    let third = planned_with(&tree(&[]), &report, &choose(3)).unwrap();
    assert_eq!(third.changes[0].change.target.value, "8192");
    let first = planned_with(&tree(&[]), &report, &choose(1)).unwrap();
    assert!(first.changes.is_empty() && first.by_hand.len() == 1);
    assert!(planned_with(&tree(&[]), &report, &choose(4)).unwrap_err().to_string().contains("it has 3"));
}

#[test]
fn words_that_no_program_can_write_are_left_to_a_person() {
    let words = |what: ChangeKind| changing(what, "x", "mq, which puts fq below");
    let changes = vec![
        words(ChangeKind::Qdisc { interface: "eth0".to_owned() }),
        words(ChangeKind::Sysctl { key: SOMAXCONN.to_owned() }),
        editing("/etc/nginx/nginx.conf", vec![]),
        changing(
            ChangeKind::Unit { name: "/docker/0a1b".to_owned(), settings: vec!["A=1".to_owned()] },
            "x",
            "y",
        ),
    ];
    let plan = planned(&tree(&[]), &report(vec![asking("a.b", Severity::Latent, changes)]));
    assert_eq!((plan.changes.len(), plan.refused.len(), plan.by_hand.len()), (0, 0, 4));
}

#[test]
fn two_causes_that_ask_for_the_same_become_one_change() {
    let other = asking("sockets.other", Severity::Latent, vec![sysctl(SOMAXCONN, "128", "4096")]);
    let plan = planned(&tree(&[]), &report(vec![somaxconn(Severity::Breaking, "4096"), other]));
    assert_eq!(plan.changes[0].causes, ["sockets.accept-queue-overflow", "sockets.other"]);
    assert_eq!(plan.changes.len(), 1);
}

#[test]
fn of_two_numbers_that_both_raise_the_larger_serves_both() {
    let other = asking("sockets.other", Severity::Latent, vec![sysctl(SOMAXCONN, "128", "8192")]);
    let plan = planned(&tree(&[]), &report(vec![somaxconn(Severity::Breaking, "4096"), other]));
    assert_eq!(plan.changes[0].change.target.value, "8192");
    assert_eq!((plan.changes[0].severity, plan.refused.len()), (Some(Severity::Breaking), 0));
}

#[test]
fn of_two_contradicting_values_the_more_severe_cause_has_its_way() {
    let mild = asking("memory.mild", Severity::Latent, vec![sysctl("vm.swappiness", "60", "100")]);
    let grave = asking("memory.grave", Severity::Breaking, vec![sysctl("vm.swappiness", "60", "10")]);
    let plan = planned(&tree(&[]), &report(vec![mild, grave]));
    assert_eq!(plan.changes[0].change.target.value, "10");
    assert_eq!(plan.refused[0].causes, ["memory.mild"]);
    assert!(plan.refused[0].because.starts_with("memory.grave"), "{}", plan.refused[0].because);
}

#[test]
fn options_of_one_mount_are_set_together_unless_they_contradict() {
    let mounted = tree(&[
        ("/etc/fstab", "nas:/www /srv/www nfs4 rw,actimeo=3 0 0\n"),
        ("/proc/self/mounts", "nas:/www /srv/www nfs4 rw,actimeo=3 0 0\n"),
    ]);
    let mount = |set: &str| {
        let set = vec![set.to_owned()];
        changing(ChangeKind::Mount { mount_point: "/srv/www".to_owned(), set, remove: vec![] }, "x", "y")
    };
    let causes = ["actimeo=60", "nconnect=4", "actimeo=600"];
    let causes = causes.map(|set| asking(&format!("nfs.{set}"), Severity::Latent, vec![mount(set)]));
    let plan = planned(&mounted, &report(causes.to_vec()));
    assert_eq!(ids(&plan), ["mount /srv/www"], "{:#?}", plan.refused);
    let edits = edits_of(&plan, "/etc/fstab");
    let set = |option: &str, value: &str| Edit::Fstab {
        mount_point: "/srv/www".to_owned(),
        option: option.to_owned(),
        to: Presence::Set { value: Some(value.to_owned()) },
    };
    assert_eq!(edits, [set("actimeo", "60"), set("nconnect", "4")]);
    assert_eq!(plan.refused.len(), 1);
    assert!(plan.changes[0].change.restart.starts_with("umount /srv/www"));
    assert!(plan.changes[0].operations.iter().all(|operation| operation.phase == Phase::Lasting));
}

#[test]
fn a_local_file_system_is_remounted_now_and_its_line_edited() {
    let mounted = tree(&[
        ("/etc/fstab", "/dev/vdb /data ext4 defaults 0 2\n"),
        ("/proc/self/mounts", "/dev/vdb /data ext4 rw,relatime,errors=remount-ro 0 0\n"),
    ]);
    let set = vec!["noatime".to_owned()];
    let what = ChangeKind::Mount { mount_point: "/data".to_owned(), set, remove: vec![] };
    let plan =
        planned(&mounted, &report(vec![asking("disk.x", Severity::Latent, vec![changing(what, "x", "y")])]));
    let phases: Vec<_> = plan.changes[0].operations.iter().map(|operation| operation.phase).collect();
    assert_eq!(phases, [Phase::Now, Phase::Lasting], "{:#?}", plan.refused);
}

#[test]
fn all_edits_of_a_file_are_one_operation_and_none_moves_the_line_of_another() {
    let file = "/etc/sysctl.d/50-web.conf";
    let gone = |key: &str, line| Edit::Sysctl { key: key.to_owned(), value: None, line: Some(line) };
    let mut tree = tree(&[(file, "# web\nvm.a = 1\nvm.b = 1\nvm.c = 1\nnet.core.somaxconn = 128\n")]);
    let causes = vec![
        asking("a.one", Severity::Latent, vec![editing(file, vec![gone("vm.a", 2), gone("vm.c", 4)])]),
        asking("a.two", Severity::Latent, vec![editing(file, vec![gone("vm.b", 3), gone("vm.a", 2)])]),
        somaxconn(Severity::Breaking, "4096"),
    ];
    let plan = planned(&tree, &report(causes));
    assert_eq!(ids(&plan), [SOMAXCONN, file, "/etc/sysctl.d/50-web.conf#2"]);
    let operations = file_operations(&plan.changes);
    assert_eq!(operations.len(), 1, "{operations:#?}");
    carry_out(&mut tree, &plan);
    assert_eq!(text(&tree, file).unwrap(), "# web\nnet.core.somaxconn = 4096\n");
}

#[test]
fn interrupts_are_banned_from_irqbalance_and_set_again_by_the_boot_script() {
    let mut tree = tree(&[]);
    let report = everything(&mut tree);
    let plan = planned(&tree, &report);
    let change = plan.changes.iter().find(|change| change.id == "irq 24").unwrap();
    let unit = |how| Activation { unit: "irqbalance.service".to_owned(), how };
    assert_eq!(change.reloads, [unit(ActivationKind::Restart)]);
    carry_out(&mut tree, &plan);
    let arguments = text(&tree, "/etc/default/irqbalance").unwrap();
    assert!(arguments.contains("--hintpolicy=ignore --banirq=24 --banirq=25"), "{arguments}");
    let script = text(&tree, "/etc/narrows/boot.sh").unwrap();
    assert!(script.contains("# begin irq 24\n") && script.contains("# end irq 25\n"), "{script}");
    let unit = text(&tree, "/etc/systemd/system/narrows-boot.service").unwrap();
    assert!(unit.contains("ExecStart=/bin/sh /etc/narrows/boot.sh\n"), "{unit}");
}

#[test]
fn interrupts_stay_where_they_are_when_the_arguments_of_irqbalance_are_managed() {
    let mut tree = tree(&[]);
    let report = everything(&mut tree);
    tree.put(0, "/etc/default/irqbalance", "# Ansible managed\nIRQBALANCE_ARGS=\n");
    let plan = planned(&tree, &report);
    let owners: Vec<_> = plan.refused.iter().map(|refusal| refusal.owner.as_deref()).collect();
    assert_eq!(owners, [Some("/etc/default/irqbalance:1"); 2]);
    assert!(!ids(&plan).contains(&"irq 24"));
}

#[test]
fn a_block_of_the_boot_script_is_replaced_when_its_value_changes() {
    let mut tree = tree(&[]);
    irqs(&mut tree);
    let ask = |cpus: &str| report(vec![asking("irq.skew", Severity::Limiting, vec![irq(24, cpus)])]);
    let first = planned(&tree, &ask("1"));
    carry_out(&mut tree, &first);
    let second = planned(&tree, &ask("3"));
    assert_eq!(second.files.len(), 1, "{:#?}", second.files);
    carry_out(&mut tree, &second);
    let script = text(&tree, "/etc/narrows/boot.sh").unwrap();
    assert_eq!(script.matches("# begin irq 24").count(), 1, "{script}");
}

#[test]
fn a_value_of_the_kernels_own_needs_no_line_once_the_others_are_gone() {
    let restore =
        sysctl("vm.swappiness", "1", "60").persists_by("none is needed: no file sets another value at boot");
    let tree = tree(&[("/proc/sys/vm/swappiness", "1\n")]);
    let plan = planned(&tree, &report(vec![asking("memory.x", Severity::Latent, vec![restore])]));
    assert_eq!(plan.changes[0].operations.len(), 1);
    assert!(plan.files.is_empty());
}

#[test]
fn a_drop_in_of_a_unit_takes_its_limits_without_a_restart() {
    let unit = |setting: &str| {
        let settings = vec![setting.to_owned()];
        changing(ChangeKind::Unit { name: "php8.2-fpm.service".to_owned(), settings }, "x", "y")
    };
    let ground = tree(&[]);
    let report = |setting| report(vec![asking("cgroup.x", Severity::Latent, vec![unit(setting)])]);
    for (setting, count) in [("CPUQuota=50%", 1), ("LimitNOFILE=65536", 2)] {
        let drafted = planned(&ground, &report(setting));
        let reloads = drafted.changes.iter().map(|change| change.reloads.len()).sum::<usize>();
        assert_eq!(reloads, count, "{:#?}", drafted.refused);
        let path = "/etc/systemd/system/php8.2-fpm.service.d/90-narrows.conf";
        assert_eq!(ids(&drafted), [path]);
    }
}

#[test]
fn a_configuration_file_is_taken_up_by_its_own_service() {
    let host = tree(&[("/lib/systemd/system/mysql.service", "[Unit]\n")]);
    let of = |path: &str, edits: &[Edit]| super::activation::of(&host.at(0), path, edits);
    let backlog = Edit::Ini { section: None, key: "listen.backlog".to_owned(), value: Some("1".to_owned()) };
    let said = |path: &str, edits: &[Edit]| {
        of(path, edits).iter().map(|one| (one.unit.clone(), one.how)).collect::<Vec<_>>()
    };
    let one = |unit: &str, how| vec![(unit.to_owned(), how)];
    assert_eq!(said("/etc/nginx/sites-available/a", &[]), one("nginx.service", ActivationKind::Reload));
    let pool = "/etc/php/8.2/fpm/pool.d/www.conf";
    assert_eq!(said(pool, &[]), one("php8.2-fpm.service", ActivationKind::Reload));
    assert_eq!(
        said(pool, std::slice::from_ref(&backlog)),
        one("php8.2-fpm.service", ActivationKind::Restart)
    );
    let listen = Edit::Ini { section: None, key: "listen".to_owned(), value: Some("/run/a.sock".to_owned()) };
    assert_eq!(said(pool, &[backlog, listen]), one("php8.2-fpm.service", ActivationKind::Reload));
    assert_eq!(
        said("/etc/mysql/mariadb.conf.d/90-x.cnf", &[]),
        one("mysql.service", ActivationKind::Restart)
    );
    assert_eq!(said("/etc/haproxy/haproxy.cfg", &[]), one("haproxy.service", ActivationKind::Reload));
    assert_eq!(said("/etc/sysctl.d/90-narrows.conf", &[]), []);
}

#[test]
fn only_the_named_changes_are_kept_and_a_wrong_name_is_told() {
    let mut tree = tree(&[]);
    let report = everything(&mut tree);
    let only = |name: &str| {
        let options = PlanOptions { only: vec![name.to_owned()], ..PlanOptions::default() };
        planned_with(&tree, &report, &options)
    };
    assert_eq!(ids(&only("irq 24").unwrap()), ["irq 24"]);
    assert_eq!(ids(&only("irq.skew").unwrap()), ["irq 24", "irq 25"]);
    assert_eq!(ids(&only("irq").unwrap()), ["irq 24", "irq 25"], "a layer");
    let error = only("irq 99").unwrap_err().to_string();
    assert!(error.contains("irq 24"), "{error}");
}

#[test]
fn a_cause_that_is_gone_has_an_empty_plan() {
    let mut gone = somaxconn(Severity::Breaking, "4096");
    gone.verdict = model::Verdict::RuledOut;
    let (id, report) = (gone.id.clone(), report(vec![gone]));
    let named = PlanOptions { only: vec![id.clone()], ..PlanOptions::default() };
    assert!(planned_with(&tree(&[]), &report, &named).unwrap().changes.is_empty());
    let remedy =
        |cause: &str| PlanOptions { remedy: [(cause.to_owned(), 3)].into(), ..PlanOptions::default() };
    assert!(planned_with(&tree(&[]), &report, &remedy(&id)).unwrap().changes.is_empty());
    assert!(planned_with(&tree(&[]), &report, &remedy("a.typo")).is_err());
}

#[test]
fn a_report_of_another_host_is_not_planned_here() {
    let other = tree(&[("/proc/sys/kernel/hostname", "db-01\n")]);
    let error = planned_with(&other, &report(vec![]), &PlanOptions::default()).unwrap_err();
    assert!(error.to_string().contains("the report is of web-07, and this host is db-01"), "{error}");
}

#[test]
fn no_file_is_edited_that_a_program_writes() {
    let managed = tree(&[("/etc/modules-load.d/web.conf", "# Ansible managed\n")]);
    let line = Edit::Line { line: "tcp_bbr".to_owned(), present: true };
    let change = editing("/etc/modules-load.d/web.conf", vec![line]);
    let plan = planned(&managed, &report(vec![asking("a.b", Severity::Latent, vec![change])]));
    assert_eq!(plan.refused[0].owner.as_deref(), Some("/etc/modules-load.d/web.conf:1"));
    assert!(plan.changes.is_empty());
}

#[test]
fn no_secret_of_an_edited_file_enters_the_plan() {
    let pool = "/etc/php/8.2/fpm/pool.d/www.conf";
    let ground = tree(&[(pool, "[www]\npm.max_children = 5\nenv[DB_PASSWORD] = hunter2\n")]);
    let section = Some("www".to_owned());
    let edit = Edit::Ini { section, key: "pm.max_children".to_owned(), value: Some("40".to_owned()) };
    let report = report(vec![asking("a.b", Severity::Latent, vec![editing(pool, vec![edit])])]);
    let json = serde_json::to_string(&planned(&ground, &report)).unwrap();
    assert!(
        json.contains("+pm.max_children = 40") && json.contains("env[DB_PASSWORD] = <redacted>"),
        "{json}"
    );
    assert!(!json.contains("hunter2"), "{json}");
}

#[test]
fn a_link_is_edited_where_it_leads() {
    let mut linked = tree(&[("/etc/sysctl.conf", "vm.swappiness = 1\n")]);
    linked.put_link(0, "/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf");
    let gone = Edit::Sysctl { key: "vm.swappiness".to_owned(), value: None, line: Some(1) };
    let change = editing("/etc/sysctl.d/99-sysctl.conf", vec![gone]);
    let plan = planned(&linked, &report(vec![asking("a.b", Severity::Latent, vec![change])]));
    let [operation] = plan.changes[0].operations.as_slice() else { panic!("{plan:#?}") };
    assert_eq!(operation.target, Target::File(crate::kinds::File { path: "/etc/sysctl.conf".to_owned() }));
    assert!(matches!(&operation.action, Action::Edit { .. }));
}
