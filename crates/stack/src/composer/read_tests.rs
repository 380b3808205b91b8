use host::Tree;

use super::*;
use crate::composer::Autoloader;

const MOUNTS: &str = "22 1 254:0 / / rw shared:1 - ext4 /dev/vda rw\n\
                      30 22 0:30 / /srv/far rw shared:2 - nfs4 nas:/web rw,acregmax=60\n";

fn site(root: &str) -> Tree {
    let mut tree = Tree::in_memory(1);
    tree.put(0, "/proc/self/mountinfo", MOUNTS);
    tree.put(0, "/etc/nginx/nginx.conf", format!("http {{ server {{ root {root}; }} }}\n"));
    tree
}

#[test]
fn the_folder_above_a_public_one_is_the_application() {
    let mut tree = site("/srv/shop/public");
    for file in ["public/index.php", "src/A.php", "src/deep/B.php", "vendor/acme/C.php", "README.md"] {
        tree.put(0, &format!("/srv/shop/{file}"), "<?php");
    }
    let composer = "/srv/shop/vendor/composer";
    tree.put(
        0,
        &format!("{composer}/autoload_real.php"),
        "<?php\n        $loader->setClassMapAuthoritative(true);\n        $loader->setApcuPrefix('x');\n",
    );
    tree.put(
        0,
        &format!("{composer}/autoload_classmap.php"),
        "<?php\nreturn array(\n    'App\\\\A' => $baseDir . '/src/A.php',\n    'C' => $vendorDir . '/acme/C.php',\n);\n",
    );
    tree.put(
        0,
        &format!("{composer}/autoload_psr4.php"),
        "<?php\nreturn array(\n    'App\\\\' => array($baseDir . '/src', $baseDir . '/lib'),\n    '' => array($baseDir . '/old'),\n);\n",
    );
    tree.put(
        0,
        &format!("{composer}/autoload_namespaces.php"),
        "<?php\nreturn array(\n    '' => array($baseDir . '/older'),\n);\n",
    );
    let facts = read(&tree.at(0)).unwrap();
    let [one] = &facts.applications[..] else { panic!("{facts:?}") };
    assert_eq!((one.root.as_str(), one.document_root.as_str()), ("/srv/shop", "/srv/shop/public"));
    assert_eq!((one.php_files, one.more_files), (Some(8), false));
    let wanted = Autoloader {
        file: format!("{composer}/autoload_real.php"),
        authoritative: true,
        apcu: true,
        mapped_classes: 2,
        psr4_prefixes: 1,
        psr4_folders: 2,
        fallback_folders: 2,
    };
    assert_eq!(one.autoloader, Some(wanted));
    assert_eq!(one.mount.as_ref().unwrap().filesystem, "ext4");
}

#[test]
fn nothing_below_a_network_mount_is_looked_at() {
    let mut tree = site("/srv/far/site");
    tree.put(0, "/srv/far/site/index.php", "<?php");
    let facts = read(&tree.at(0)).unwrap();
    let [one] = &facts.applications[..] else { panic!("{facts:?}") };
    assert_eq!((one.php_files, &one.autoloader), (None, &None));
    assert!(one.mount.as_ref().unwrap().network);
    let mut mixed = site("/srv");
    mixed.put(0, "/srv/index.php", "<?php");
    mixed.put(0, "/srv/far/site/index.php", "<?php");
    assert_eq!(read(&mixed.at(0)).unwrap().applications[0].php_files, Some(1));
}

#[test]
fn counting_ends_and_says_so() {
    let mut tree = site("/srv/big");
    for file in 0..MOST_NAMES + 5 {
        tree.put(0, &format!("/srv/big/f{file}.php"), "");
    }
    let facts = read(&tree.at(0)).unwrap();
    assert_eq!((facts.applications[0].php_files, facts.applications[0].more_files), (Some(20_000), true));
}

#[test]
fn a_host_without_a_site_has_no_application_and_one_without_a_list_of_mounts_is_unread() {
    assert!(read(&Tree::in_memory(1).at(0)).is_err());
    let mut bare = Tree::in_memory(1);
    bare.put(0, "/proc/uptime", "1 1\n");
    assert_eq!(read(&bare.at(0)).unwrap(), Facts::default());
    let mut tree = site("/srv/shop");
    tree.put(0, "/srv/shop/index.html", "");
    assert_eq!(read(&tree.at(0)).unwrap(), Facts::default());
    tree.remove("/proc/self/mountinfo");
    assert!(read(&tree.at(0)).is_err());
}
