//! What goes wrong around a transaction: file systems that refuse, other people's changes, boots, copies of narrows.

use super::*;
use crate::own_namespaces::{run, with_own_mounts};

fn put_back(applied: Applied) -> (ChangeError, Outcome) {
    match applied {
        Applied::PutBack { error, outcome } => (error, outcome),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_system_that_refuses_the_write_leaves_nothing_to_put_back() {
    with_own_mounts(|| {
        let place = Place::new();
        let (files, sizes) = (place.path("mounted"), ["ro", "rw,size=4k"]);
        std::fs::create_dir(&files).unwrap();
        let folder = files.display().to_string();
        for options in sizes {
            run("mount", &["mount", "-t", "tmpfs", "-o", "size=4k", "narrows", &folder]);
            std::fs::write(files.join("a.conf"), "vm.swappiness = 60\n").unwrap();
            let changes = vec![place.edit("mounted/a.conf", "10", Phase::Now)];
            run("mount", &["mount", "-o", &format!("remount,{options}"), &folder]);
            let (error, outcome) = put_back(place.apply(changes).unwrap());
            assert!(error.to_string().contains("a.conf"), "{error}");
            assert_eq!((outcome.left, outcome.transaction.status), (vec![], Status::Undone), "{options}");
            run("mount", &["umount", &folder]);
        }
    });
}
