//! Host trees in a directory of their own.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use tempfile::TempDir;

/// A host tree on disk, removed when dropped.
pub(crate) struct HostTree {
    folder: TempDir,
}

/// A task that is in the same place at both instants of a built tree.
pub(crate) struct Worker {
    pub(crate) pid: u32,
    pub(crate) command: &'static str,
    pub(crate) state: char,
    /// Kernel functions, innermost first.
    pub(crate) stack: &'static [&'static str],
}

/// Where trees and golden reports lie.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/incidents")
}

impl HostTree {
    /// Unpacks a recorded tree.
    pub(crate) fn recorded(name: &str) -> Self {
        let folder_of_tree = TempDir::new().unwrap();
        let packed = fs::File::open(folder().join(format!("{name}.tar.gz"))).unwrap();
        let mut bytes = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
        tar::Archive::new(bytes.as_slice()).unpack(folder_of_tree.path()).unwrap();
        Self { folder: folder_of_tree }
    }

    /// Lays built trees over `base`, each over those before it.
    pub(crate) fn built(layers: &[&str]) -> Self {
        let tree = Self { folder: TempDir::new().unwrap() };
        for layer in ["base"].iter().chain(layers) {
            lay_over(&folder().join(layer), tree.folder.path());
        }
        tree
    }

    /// Adds tasks to both instants of a built tree.
    pub(crate) fn add_workers(&mut self, workers: &[Worker]) {
        for (instant, worker) in [0, 1].iter().flat_map(|instant| workers.iter().map(move |w| (instant, w))) {
            let Worker { pid, command, state, stack } = worker;
            let process = self.folder.path().join(format!("{instant}/proc/{pid}"));
            fs::create_dir_all(&process).unwrap();
            let stat =
                format!("{pid} ({command}) {state} 1 1 1 0 -1 4194304 0 0 0 0 5 6 0 0 20 0 1 0 100 0 0\n");
            let frames: String = stack.iter().map(|frame| format!("[<0>] {frame}+0x0/0x0\n")).collect();
            fs::write(process.join("stat"), stat).unwrap();
            fs::write(process.join("stack"), frames).unwrap();
            fs::write(process.join("wchan"), stack.first().copied().unwrap_or("0")).unwrap();
            fs::write(process.join("syscall"), "262 0xffffff9c 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n").unwrap();
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn lay_over(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            lay_over(&source, &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source).unwrap(), &target).unwrap();
        } else {
            fs::copy(&source, &target).unwrap();
        }
    }
}
