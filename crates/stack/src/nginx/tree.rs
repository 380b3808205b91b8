//! The files of a configuration as one tree. This is what `nginx -T` prints, read without running it.

use std::collections::BTreeMap;
use std::rc::Rc;

use conf::{NginxDirective, NginxDocument};
use host::{Host, HostError, linked_path};

use super::configuration::{Configuration, ConfigurationProblem, Directive};
use super::secrets;
use crate::glob;

/// Blocks and includes within each other.
const MOST_LEVELS: usize = 48;
/// Files of one configuration, those that are included twice counted twice.
const MOST_FILES: usize = 2_000;
/// Directives of one configuration.
const MOST_DIRECTIVES: usize = 100_000;
/// Problems that are kept.
const MOST_PROBLEMS: usize = 64;

/// Where a configuration lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// What has to be put before paths; empty for the host's own files.
    pub(super) root: String,
    /// The file that the master was started with.
    pub(super) file: String,
    /// The folder that relative paths of logs and documents are taken from.
    pub(super) prefix: String,
    /// Directives of the command line (`-g`).
    pub(super) globals: String,
}

/// Reads a configuration with all it includes.
pub(super) fn read(host: &dyn Host, place: &Place) -> Configuration {
    let folder = place.file.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut reader = Reader {
        host,
        root: &place.root,
        folder,
        documents: BTreeMap::new(),
        files: 0,
        kept: 0,
        problems: vec![],
    };
    let from = From { file: &place.file, line: 0 };
    let mut directives = Vec::new();
    if !place.globals.is_empty() {
        let globals = NginxDocument::new("command line", place.globals.clone());
        directives.extend(reader.level(&globals, "command line", 0));
    }
    directives.extend(reader.file(&place.file, &from, 0));
    let mut problems = reader.problems;
    problems.truncate(MOST_PROBLEMS);
    Configuration {
        file: place.file.clone(),
        root: place.root.clone(),
        prefix: place.prefix.clone(),
        directives,
        problems,
    }
}

/// What names a file.
struct From<'a> {
    file: &'a str,
    line: u32,
}

struct Reader<'a> {
    host: &'a dyn Host,
    root: &'a str,
    /// The folder of the first file: relative includes are taken from there (`ngx_conf_full_name`).
    folder: &'a str,
    documents: BTreeMap<String, Option<Rc<NginxDocument>>>,
    files: usize,
    kept: usize,
    problems: Vec<ConfigurationProblem>,
}

impl Reader<'_> {
    fn problem(&mut self, file: &str, line: u32, what: impl Into<String>) {
        self.problems.push(ConfigurationProblem { file: file.to_owned(), line, what: what.into() });
    }

    fn file(&mut self, path: &str, from: &From, depth: usize) -> Vec<Directive> {
        self.files += 1;
        if depth > MOST_LEVELS || self.files > MOST_FILES {
            if self.problems.len() < MOST_PROBLEMS {
                self.problem(
                    from.file,
                    from.line,
                    format!("{path} is left out: files include each other too deep"),
                );
            }
            return vec![];
        }
        let Some(document) = self.document(path, from) else { return vec![] };
        self.level(&document, path, depth)
    }

    fn document(&mut self, path: &str, from: &From) -> Option<Rc<NginxDocument>> {
        if let Some(known) = self.documents.get(path) {
            return known.clone();
        }
        let document = match read_linked(self.host, self.root, path) {
            Ok(bytes) => Some(Rc::new(NginxDocument::new(path, bytes))),
            Err(error) => {
                self.problem(from.file, from.line, error.to_string());
                None
            }
        };
        if let Some(refused) = document.as_ref().and_then(|document| document.problems().first()) {
            self.problem(path, u32::try_from(refused.line).unwrap_or(u32::MAX), refused.what);
        }
        self.documents.insert(path.to_owned(), document.clone());
        document
    }

    /// All that stands in a file.
    fn level(&mut self, document: &NginxDocument, path: &str, depth: usize) -> Vec<Directive> {
        let mut children: Vec<Vec<usize>> = vec![vec![]; document.directives().len()];
        let mut top = Vec::new();
        for (index, directive) in document.directives().iter().enumerate() {
            match directive.parent {
                Some(parent) => children.get_mut(parent).into_iter().for_each(|own| own.push(index)),
                None => top.push(index),
            }
        }
        let file = File { document, path, children: &children };
        self.directives(&file, &top, depth)
    }

    fn directives(&mut self, file: &File, indices: &[usize], depth: usize) -> Vec<Directive> {
        let mut level = Vec::new();
        for index in indices {
            let Some(directive) = file.document.directives().get(*index) else { continue };
            self.kept += 1;
            let line = u32::try_from(directive.line).unwrap_or(u32::MAX);
            if self.kept > MOST_DIRECTIVES || depth > MOST_LEVELS {
                if self.problems.len() < MOST_PROBLEMS {
                    self.problem(file.path, line, "left out: too many directives, or too deep");
                }
                break;
            }
            let read = one(directive, file.path, line);
            if read.name == "include" && read.block.is_none() {
                level.extend(self.included(&read, depth + 1));
                continue;
            }
            let block = directive.block.map(|_| {
                let inside = file.children.get(*index).map(Vec::as_slice).unwrap_or_default();
                self.directives(file, inside, depth + 1)
            });
            level.push(secrets::without(Directive { block, ..read }));
        }
        level
    }

    fn included(&mut self, include: &Directive, depth: usize) -> Vec<Directive> {
        let Some(pattern) = include.first() else { return vec![] };
        let pattern = match pattern.starts_with('/') {
            true => pattern.to_owned(),
            false => format!("{}/{pattern}", self.folder),
        };
        let from = From { file: &include.file, line: include.line };
        let room = MOST_FILES.saturating_sub(self.files) + 1;
        let paths = glob::paths(self.host, self.root, &pattern, room);
        paths.iter().flat_map(|path| self.file(path, &from, depth)).collect()
    }
}

struct File<'a> {
    document: &'a NginxDocument,
    path: &'a str,
    /// For each directive, what stands in its block.
    children: &'a [Vec<usize>],
}

fn one(directive: &NginxDirective, path: &str, line: u32) -> Directive {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Directive {
        name: text(directive.name()),
        arguments: directive.arguments().iter().map(|word| text(&word.value)).collect(),
        file: path.to_owned(),
        line,
        block: None,
    }
}

/// A file, through links: those that the host cannot follow by itself, and those within another root, where an absolute target
/// means that root.
fn read_linked(host: &dyn Host, root: &str, path: &str) -> Result<Vec<u8>, HostError> {
    const MOST_LINKS: usize = 8;
    let mut at = path.to_owned();
    for _ in 0..MOST_LINKS {
        let place = format!("{root}{at}");
        let read = if root.is_empty() { host.read(&place) } else { Err(not_looked_for(&place)) };
        match read {
            Ok(bytes) => return Ok(bytes),
            Err(error) => match host.link(&place) {
                Ok(target) => at = linked_path(&at, &target),
                Err(_) if root.is_empty() => return Err(error),
                Err(_) => return host.read(&place),
            },
        }
    }
    Err(HostError::Unsupported { path: path.to_owned(), reason: "its links lead in a circle".to_owned() })
}

fn not_looked_for(path: &str) -> HostError {
    HostError::NotFound { path: path.to_owned() }
}
