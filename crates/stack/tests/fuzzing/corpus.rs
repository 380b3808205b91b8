//! What is damaged: the files in the documents of causes and symptoms, and what this host says now.

use std::io::Read;

use host::Tree;
use stack::document::{self, Block};
use stack::{bundle, layers, reading};

use crate::noting::Noting;

/// Where texts that no host holds as files stand in the corpus.
pub(crate) const DOCUMENT: &str = "/.corpus/document";
/// Bundles as they are unpacked: two lines of JSON.
pub(crate) const UNPACKED: &str = "/.corpus/unpacked";
/// Bundles as they are written.
pub(crate) const PACKED: &str = "/.corpus/packed";
/// Lists and masks of CPUs.
pub(crate) const CPUS: &str = "/.corpus/cpus";

/// Formats that the documents do not show in full.
const SAMPLES: &[(&str, &str)] = &[
    (CPUS, "0-3,8,10-11\n"),
    (CPUS, "ffffffff,00000000,0000000f\n"),
    (
        "/etc/sysctl.d/10-a.conf",
        "# c\nnet.core.somaxconn = 4096\n-net/ipv4/tcp_rmem=4096 131072 6291456 # c\n",
    ),
    (
        "/etc/sysctl.d/20-b.conf",
        "net.ipv4.conf.*.rp_filter = 1\n-net.ipv4.conf.eth0/1.rp_filter\n; c\nvm.x=\n",
    ),
    (
        "/etc/fstab",
        "UUID=1-2 / ext4 errors=remount-ro 0 1\nnas:/a\\040b /m nfs hard,nconnect=8,vers=4.2 0 0\n",
    ),
    ("/proc/mounts", "nas:/a\\040b /m\\134 nfs4 rw,hard,rsize=1048576 0 0\nproc /proc proc rw 0 0\n"),
    (
        "/proc/self/mountstats",
        "device nas:/a mounted on /m with fstype nfs4 statvers=1.1\n\topts:\trw,hard\n\txprt:\ttcp 0 1 2 3 4 5 6 7 8 9 10 11 12\n\tper-op statistics\n\t    READ: 1 2 3 4 5 6 7 8 9\n",
    ),
    (
        "/etc/php/www.conf",
        "; c\n[www]\npm = dynamic ; c\n;pm.max_children = 5\nphp_admin_value[error_log] = \"a;b\"\nenv[X] = 'y'\n\n[php]\nerror_reporting = E_ALL & ~E_NOTICE\n",
    ),
    (
        "/etc/mysql/my.cnf",
        "!includedir /etc/mysql/conf.d/\n[mysqld]\n#max_connections = 100\nskip-networking # c\ninit-connect = 'a # \\'b' # c\n[mariadbd]\nback_log=900\n",
    ),
    (
        "/etc/systemd/system/a.service",
        "[Unit]\nAfter=a b\n\n[Service]\nExecStart=\nExecStart=/bin/a \\\n# c\n  b\n#LimitNOFILE=1\nLimitNOFILE=65536\n",
    ),
    (
        "/etc/nginx/nginx.conf",
        "pid /run/a;\nhttp {\n  include a/*.conf; # c\n  log_format m '$a \"{' \"\\\"}\";\n  server {\n    listen 80 backlog=511;\n    location ~ \\.php$ { root ${a}b; }\n    content_by_lua_block { a = \"}\" --[[ } ]] }\n  }\n}\n",
    ),
    (
        "/etc/haproxy/haproxy.cfg",
        "global\n  maxconn 100 # c\n.if feature(A)\n  daemon\n.endif\ndefaults\n  timeout connect 5s\nlisten www\n  bind :80\n  no option httpclose\n  server a 'b' c\\ d \"e#\"\n",
    ),
];

/// A file of a host at one instant.
#[derive(Debug, Clone)]
pub(crate) struct File {
    pub(crate) instant: usize,
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
}

/// A whole host: the case of a document, or this machine.
#[derive(Debug, Clone, Default)]
pub(crate) struct Base {
    pub(crate) name: String,
    pub(crate) instants: usize,
    pub(crate) files: Vec<File>,
    pub(crate) links: Vec<(usize, String, String)>,
}

impl Base {
    /// The host as a tree.
    pub(crate) fn tree(&self) -> Tree {
        let mut tree = Tree::in_memory(self.instants);
        for file in &self.files {
            tree.put(file.instant, &file.path, file.bytes.as_slice());
        }
        for (instant, path, target) in &self.links {
            tree.put_link(*instant, path, target);
        }
        tree
    }

    fn add(&mut self, block: &Block) {
        let Some(path) = block.attribute("path") else { return };
        let at = block.attribute("at").and_then(|at| at.parse().ok());
        if at.is_none() {
            self.files.retain(|file| file.path != path);
            self.links.retain(|(_, link, _)| link != path);
        }
        let instant = at.unwrap_or(0).min(16);
        self.instants = self.instants.max(instant + 1);
        match block.kind {
            "file" => {
                self.files.push(File { instant, path: path.to_owned(), bytes: block.text.into() });
            }
            "link" => self.links.push((instant, path.to_owned(), block.text.trim().to_owned())),
            _ => {}
        }
    }
}

/// Everything that is damaged.
#[derive(Debug, Default)]
pub(crate) struct Corpus {
    /// Files by path; the same path again and again.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Whole hosts.
    pub(crate) bases: Vec<Base>,
}

/// The corpus; with what this host says now, the inputs differ from host to host.
pub(crate) fn corpus(live: bool) -> Corpus {
    let mut corpus = Corpus::default();
    for (path, text) in SAMPLES {
        corpus.files.push(((*path).to_owned(), text.as_bytes().to_vec()));
    }
    let causes = layers::causes().map(|(_, cause)| (cause.id, cause.document));
    let symptoms = layers::symptoms().map(|(_, symptom)| (symptom.id, symptom.document));
    for (id, text) in causes.chain(symptoms) {
        corpus.files.push((DOCUMENT.to_owned(), text.as_bytes().to_vec()));
        add_document(&mut corpus, id, text);
    }
    if live {
        corpus.bases.push(this_host());
    }
    let files = corpus.bases.iter().flat_map(|base| &base.files);
    let mut files: Vec<_> = files.map(|file| (file.path.clone(), file.bytes.clone())).collect();
    files.sort_unstable();
    files.dedup();
    corpus.files.extend(files);
    add_bundles(&mut corpus);
    corpus
}

fn add_document(corpus: &mut Corpus, id: &str, text: &str) {
    let document = document::parse(text);
    for case in &document.cases {
        let mut base = Base { name: format!("{id}: {}", case.name), instants: 2, ..Base::default() };
        document.shared.iter().chain(&case.blocks).for_each(|block| base.add(block));
        for instant in 0..base.instants {
            let bytes = format!("{}.00 0.00\n", 1000 + 10 * instant).into_bytes();
            base.files.insert(0, File { instant, path: "/proc/uptime".to_owned(), bytes });
        }
        corpus.bases.push(base);
    }
}

/// What a reading of this machine reads, twice.
fn this_host() -> Base {
    let mut base = Base { name: "this host".to_owned(), instants: 2, ..Base::default() };
    for instant in 0..2 {
        let host = Noting::default();
        reading::read_once(&host);
        reading::read_settings(&host);
        reading::identity(&host, &[]);
        let noted = host.finish();
        let file = |(path, bytes)| File { instant, path, bytes };
        base.files.extend(noted.files.into_iter().map(file));
        base.links.extend(noted.links.into_iter().map(|(path, target)| (instant, path, target)));
    }
    base
}

/// A few bundles, of different layers.
fn add_bundles(corpus: &mut Corpus) {
    let every = (corpus.bases.len() / 12).max(1);
    let mut bundles = Vec::new();
    for base in corpus.bases.iter().rev().step_by(every) {
        let Ok(evidence) = reading::read_tree(&base.tree()) else { continue };
        let Ok(packed) = bundle::write(&evidence) else { continue };
        let mut unpacked = Vec::new();
        if flate2::read::MultiGzDecoder::new(packed.as_slice()).read_to_end(&mut unpacked).is_ok() {
            bundles.push((UNPACKED.to_owned(), unpacked));
        }
        bundles.push((PACKED.to_owned(), packed));
    }
    corpus.files.extend(bundles);
}

/// Whether a path follows a pattern in which `*` stands for anything within one name.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let (mut names, mut wanted) = (path.split('/'), pattern.split('/'));
    loop {
        match (names.next(), wanted.next()) {
            (None, None) => return true,
            (Some(name), Some(wanted)) if name_matches(wanted, name) => {}
            _ => return false,
        }
    }
}

fn name_matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => {
            name.strip_prefix(start).is_some_and(|rest| rest.len() >= end.len() && rest.ends_with(end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_within_one_name() {
        assert!(matches("/proc/*/stat", "/proc/17/stat"));
        assert!(!matches("/proc/*/stat", "/proc/17/task/17/stat"));
        assert!(matches("/etc/sysctl.d/*.conf", "/etc/sysctl.d/10-a.conf"));
        assert!(!matches("/proc/stat", "/proc/stat2"));
    }

    #[test]
    fn every_document_gives_its_hosts() {
        let corpus = corpus(false);
        assert!(corpus.bases.len() >= layers::causes().count());
        for wanted in [DOCUMENT, UNPACKED, PACKED, CPUS] {
            assert!(corpus.files.iter().any(|(path, bytes)| path == wanted && !bytes.is_empty()), "{wanted}");
        }
    }
}
