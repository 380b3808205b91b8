use host::Tree;
use model::Edit;

use super::*;

const SOMAXCONN: &str = "net.core.somaxconn";
const OURS: &str = "/etc/sysctl.d/90-narrows.conf";

fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/proc/stat", "cpu 1\n");
    files.iter().for_each(|(path, text)| tree.put(0, path, *text));
    tree
}

fn sysctl(tree: &Tree, key: &str, value: &str) -> Result<Place, Claim> {
    Owners::find(&tree.at(0)).unwrap().sysctl(key, value)
}

fn set(value: &str, line: Option<u32>) -> Vec<Edit> {
    vec![Edit::Sysctl { key: SOMAXCONN.to_owned(), value: Some(value.to_owned()), line }]
}

fn process(tree: &mut Tree, number: u32, comm: &str, arguments: &[&str]) {
    tree.put(0, &format!("/proc/{number}/comm"), format!("{comm}\n"));
    tree.put(0, &format!("/proc/{number}/cmdline"), arguments.join("\0") + "\0");
}

fn tuned(profile: &str) -> Tree {
    let mut tree = tree(&[
        ("/etc/tuned/active_profile", "web\n"),
        ("/etc/tuned/web/tuned.conf", profile),
        ("/usr/lib/tuned/base/tuned.conf", "[sysctl]\nvm.swappiness=10\nnet.core.somaxconn=512\n"),
    ]);
    process(&mut tree, 700, "tuned", &["/usr/bin/python3", "-Es", "/usr/sbin/tuned", "-l", "-P"]);
    tree
}

#[test]
fn a_parameter_that_no_file_sets_gets_a_line_of_ours() {
    let nobody = tree(&[("/usr/lib/sysctl.d/50-default.conf", "net.core.somaxconn = 128\n")]);
    assert_eq!(sysctl(&nobody, SOMAXCONN, "4096").unwrap(), [(OURS.to_owned(), set("4096", None))]);
}

#[test]
fn the_line_of_an_administrator_is_edited_where_it_stands_and_ours_goes() {
    let text = "# web\nnet/core/somaxconn = 100\nnet.core.somaxconn = 1024\n";
    let admins = tree(&[("/etc/sysctl.d/99-web.conf", text), (OURS, "net.core.somaxconn = 512\n")]);
    let place = sysctl(&admins, SOMAXCONN, "4096").unwrap();
    let gone = vec![Edit::Sysctl { key: SOMAXCONN.to_owned(), value: None, line: None }];
    let expected = [("/etc/sysctl.d/99-web.conf".to_owned(), set("4096", Some(3))), (OURS.to_owned(), gone)];
    assert_eq!(place, expected);
}

#[test]
fn sysctl_conf_is_edited_behind_the_link_that_makes_it_count() {
    let mut linked = tree(&[("/etc/sysctl.conf", "net.core.somaxconn = 1024\n")]);
    linked.put_link(0, "/etc/sysctl.d/99-sysctl.conf", "../sysctl.conf");
    let place = sysctl(&linked, SOMAXCONN, "4096").unwrap();
    assert_eq!(place, [("/etc/sysctl.conf".to_owned(), set("4096", None))]);
    let unlinked = tree(&[("/etc/sysctl.conf", "net.core.somaxconn = 1024\n")]);
    assert_eq!(sysctl(&unlinked, SOMAXCONN, "4096").unwrap()[0].0, OURS);
}

#[test]
fn a_file_that_a_program_writes_is_left_to_it() {
    for header in ["# Ansible managed", "# This file is managed by Puppet", "# automatically generated"] {
        let text = format!("{header}\nnet.core.somaxconn = 1024\n");
        let claim = sysctl(&tree(&[("/etc/sysctl.d/50-web.conf", &text)]), SOMAXCONN, "4096").unwrap_err();
        assert_eq!(claim.owner.as_deref(), Some("/etc/sysctl.d/50-web.conf:2"), "{claim:?}");
    }
    let other = tree(&[("/etc/sysctl.d/50-web.conf", "# Ansible managed\nvm.swappiness = 1\n")]);
    assert!(sysctl(&other, SOMAXCONN, "4096").is_ok());
}

#[test]
fn a_file_of_a_package_that_is_read_later_wins_and_is_named() {
    let later = tree(&[("/usr/lib/sysctl.d/99-vendor.conf", "\nnet.core.somaxconn = 128\n")]);
    let claim = sysctl(&later, SOMAXCONN, "4096").unwrap_err();
    assert_eq!(claim.owner.as_deref(), Some("/usr/lib/sysctl.d/99-vendor.conf:2"));
    assert!(claim.instead.contains("/etc/sysctl.d/99-vendor.conf"), "{claim:?}");
}

#[test]
fn an_exclusion_of_an_administrator_is_respected() {
    let excluded = tree(&[("/etc/sysctl.d/95-web.conf", "-net.core.somaxconn\n")]);
    let claim = sysctl(&excluded, SOMAXCONN, "4096").unwrap_err();
    assert_eq!(claim.owner.as_deref(), Some("/etc/sysctl.d/95-web.conf:1"));
}

#[test]
fn tuned_owns_what_its_active_profile_or_an_included_one_sets() {
    let web = tuned("[main]\ninclude=base\n[sysctl]\nnet.core.somaxconn=2048\n");
    let claim = sysctl(&web, SOMAXCONN, "4096").unwrap_err();
    assert_eq!(claim.owner.as_deref(), Some("TuneD profile web (/etc/tuned/web/tuned.conf:4)"));
    let claim = sysctl(&web, "vm.swappiness", "60").unwrap_err();
    assert_eq!(claim.owner.as_deref(), Some("TuneD profile base (/usr/lib/tuned/base/tuned.conf:2)"));
    assert!(claim.instead.contains("include=base") && claim.instead.contains("tuned-adm off"));
    assert!(sysctl(&web, SOMAXCONN, "2048").is_ok(), "TuneD sets the same value");
    assert!(sysctl(&web, "net.core.netdev_budget", "600").is_ok());
}

#[test]
fn tuned_that_does_not_run_owns_nothing() {
    let mut stopped = tuned("[sysctl]\nnet.core.somaxconn=2048\n");
    stopped.remove("/proc/700/comm");
    assert!(sysctl(&stopped, SOMAXCONN, "4096").is_ok());
}

#[test]
fn tuned_owns_interrupts_rings_and_disks_that_its_profile_names() {
    let profile = "[cpus]\ntype=scheduler\nisolated_cores=2-3\n[net]\ndevices=eth0\nring=rx 4096\n\
                   channels=combined 4\n[disk]\ndevices=!sd*\nreadahead=4096\n";
    let tree = tuned(profile);
    let host = tree.at(0);
    let owners = Owners::find(&host).unwrap();
    assert!(owners.irq_affinity().is_err());
    assert!(owners.interface("eth0", "ring", &["RxBufferSize"], "4096").is_err());
    assert!(owners.interface("eth0", "channels", &["CombinedChannels"], "2").is_err());
    assert_eq!(owners.interface("eth1", "ring", &["RxBufferSize"], "4096"), Ok(None));
    assert!(owners.block_queue("nvme0n1", "read_ahead_kb").is_err());
    assert!(owners.block_queue("sda", "read_ahead_kb").is_ok());
    assert!(owners.block_queue("nvme0n1", "scheduler").is_ok());
}

#[test]
fn irqbalance_is_told_to_leave_an_interrupt_alone_unless_it_was() {
    let mut tree = tree(&[]);
    assert_eq!(Owners::find(&tree.at(0)).unwrap().irqbalance(24), None, "it does not run");
    process(
        &mut tree,
        500,
        "irqbalance",
        &["/usr/sbin/irqbalance", "--foreground", "--banirq=24", "-i", "25"],
    );
    let host = tree.at(0);
    let owners = Owners::find(&host).unwrap();
    assert_eq!((owners.irqbalance(24), owners.irqbalance(25)), (None, None));
    let coupling = owners.irqbalance(26).unwrap();
    assert_eq!(coupling.path, "/etc/default/irqbalance");
    let words = vec!["--banirq=26".to_owned()];
    assert_eq!(coupling.edit, Edit::ShellVariable { name: "IRQBALANCE_ARGS".to_owned(), add_words: words });
}

fn ring(files: &[(&str, &str)]) -> Result<Option<Place>, Claim> {
    let mut tree = tree(files);
    tree.put(0, "/sys/class/net/eth0/address", "52:54:00:00:00:01\n");
    let host = tree.at(0);
    Owners::find(&host).unwrap().interface("eth0", "ring", &["RxBufferSize"], "4096")
}

#[test]
fn a_link_file_that_sizes_the_ring_is_edited_in_place() {
    let file = "/etc/systemd/network/10-eth.link";
    let sized = ring(&[(file, "[Match]\nMACAddress=52:54:00:00:00:01\n[Link]\nRxBufferSize=512\n")]);
    let edit = Edit::Systemd {
        section: "Link".to_owned(),
        key: "RxBufferSize".to_owned(),
        value: Some("4096".to_owned()),
    };
    assert_eq!(sized, Ok(Some(vec![(file.to_owned(), vec![edit])])));
}

#[test]
fn a_link_file_counts_only_when_it_is_the_first_that_matches() {
    let default =
        ("/usr/lib/systemd/network/99-default.link", "[Match]\nOriginalName=*\n[Link]\nNamePolicy=path\n");
    let late = ("/etc/systemd/network/99-z.link", "[Match]\nOriginalName=eth*\n[Link]\nRxBufferSize=512\n");
    assert_eq!(ring(&[default, late]), Ok(None));
    let other = ("/etc/systemd/network/10-a.link", "[Match]\nOriginalName=wl*\n[Link]\nRxBufferSize=512\n");
    assert_eq!(ring(&[other, default]), Ok(None));
    let vendors =
        ("/usr/lib/systemd/network/10-v.link", "[Match]\nOriginalName=eth0\n[Link]\nRxBufferSize=512\n");
    let claim = ring(&[vendors, default]).unwrap_err();
    assert_eq!(claim.owner.as_deref(), Some("/usr/lib/systemd/network/10-v.link:4"));
    let unsure = ("/etc/systemd/network/10-d.link", "[Match]\nDriver=virtio_net\n[Link]\nRxBufferSize=512\n");
    assert!(ring(&[unsure]).unwrap_err().because.contains("perhaps for eth0"));
}

#[test]
fn kernel_parameters_of_a_container_belong_to_its_runtime() {
    let read_only = "30 20 0:5 / / rw - ext4 /dev/vda rw\n31 30 0:22 / /proc/sys ro,nosuid - proc proc rw\n";
    for files in [
        &[("/proc/self/mountinfo", read_only)][..],
        &[("/.dockerenv", "")],
        &[("/run/.containerenv", "engine=\"podman\"\n")],
    ] {
        let claim = sysctl(&tree(files), SOMAXCONN, "4096").unwrap_err();
        assert!(claim.instead.contains("docker run --sysctl"), "{claim:?}");
    }
}

#[test]
fn a_machine_booted_from_an_image_of_docker_is_no_container() {
    let mut machine =
        tree(&[("/.dockerenv", ""), ("/proc/self/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n")]);
    machine.put_link(0, "/proc/self/ns/pid", "pid:[4026531836]");
    assert!(sysctl(&machine, SOMAXCONN, "4096").is_ok());
    machine.put(0, "/proc/self/mountinfo", "27 1 0:40 / / rw - overlay overlay rw\n");
    assert!(sysctl(&machine, SOMAXCONN, "4096").is_err());
}

#[test]
fn bpftune_owns_what_its_tuners_write() {
    let mut tree = tree(&[]);
    assert!(sysctl(&tree, "net.ipv4.tcp_rmem", "4096 131072 6291456").is_ok());
    process(&mut tree, 900, "bpftune", &["/usr/sbin/bpftune", "-s"]);
    let claim = sysctl(&tree, "net.ipv4.tcp_rmem", "4096 131072 6291456").unwrap_err();
    assert_eq!(claim.owner.as_deref(), Some("bpftune, tcp_buffer_tuner.so"));
    assert!(sysctl(&tree, SOMAXCONN, "4096").is_ok());
}

#[test]
fn an_option_of_a_module_replaces_the_line_that_someone_wrote() {
    let place = |files: &[(&str, &str)]| {
        module_parameter_place(&tree(files).at(0), "nfs", "max_session_slots", "128")
    };
    let line = |line: &str, present| Edit::Line { line: line.to_owned(), present };
    let ours = place(&[]).unwrap();
    assert_eq!(ours[0].1, [line("options nfs max_session_slots=128", true)]);
    let file = "/etc/modprobe.d/nfs.conf";
    let old = "options nfs callback_tcpport=4005 max_session_slots=64";
    let new = "options nfs callback_tcpport=4005 max_session_slots=128";
    let edited = place(&[(file, &format!("# nfs\n{old}\n"))]).unwrap();
    assert_eq!(edited, [(file.to_owned(), vec![line(old, false), line(new, true)])]);
    let managed = place(&[(file, &format!("# managed by Chef\n{old}\n"))]).unwrap_err();
    assert_eq!(managed.owner.as_deref(), Some("/etc/modprobe.d/nfs.conf:2"));
    let vendors = place(&[("/usr/lib/modprobe.d/95-nfs.conf", old)]).unwrap_err();
    assert!(vendors.instead.contains("/etc/modprobe.d/95-nfs.conf"), "{vendors:?}");
}

#[test]
fn a_drop_in_that_is_read_after_ours_keeps_its_key() {
    let drop_in = ("/etc/systemd/system/nginx.service.d/99-web.conf", "[Service]\nCPUQuota=50%\n");
    let tree = tree(&[drop_in]);
    let claim = set_by_later_drop_in(&tree.at(0), "nginx.service", "CPUQuota").unwrap();
    assert_eq!(claim.owner.as_deref(), Some("/etc/systemd/system/nginx.service.d/99-web.conf:2"));
    assert_eq!(set_by_later_drop_in(&tree.at(0), "nginx.service", "MemoryMax"), None);
    assert_eq!(set_by_later_drop_in(&tree.at(0), "mariadb.service", "CPUQuota"), None);
}

#[test]
fn a_mount_without_a_line_of_its_own_in_fstab_is_left_to_who_mounts_it() {
    let fstab = "nas:/www /srv/www nfs4 rw 0 0\n/dev/vdb /data ext4 defaults,comment=cloudconfig 0 2\n";
    let tree = tree(&[("/etc/fstab", fstab)]);
    let host = tree.at(0);
    let mounts = Mounts::new(&host);
    assert_eq!(mounts.fstab("/srv/www"), Ok(()));
    assert!(mounts.fstab("/srv/other").unwrap_err().because.contains("no line of /etc/fstab"));
    assert_eq!(mounts.fstab("/data").unwrap_err().owner.as_deref(), Some("/etc/fstab:2"));
}
