//! Which files of an application OPcache may preload without changing what the application does.
//!
//! A preloaded class exists in every request of every pool of the master. So only files that declare classes and do nothing
//! else are taken, whose parents are taken as well, and that nobody looks for without the autoloader.

mod builtin;
mod linking;
mod walk;

pub use walk::candidates;

use std::collections::{BTreeMap, BTreeSet};

use conf::{PhpFile, PhpObstacle};

/// A file that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its path.
    pub path: String,
    /// What it declares and does.
    pub file: PhpFile,
    /// Whether it may be preloaded at all; others only tell which classes they look for.
    pub eligible: bool,
}

/// Why a file is left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// It declares no class.
    NoClass,
    /// It does something when it is included, which would no longer happen.
    SideEffects,
    /// It declares functions or constants.
    FunctionsOrConstants,
    /// It declares classes only under a condition.
    Conditional,
    /// It was not understood.
    NotUnderstood,
    /// Another file declares the same class.
    DeclaredTwice,
    /// Code asks whether its class exists, and does not want it to be loaded for that.
    LookedFor,
    /// A parent, interface or trait is in none of the files that are taken.
    ParentMissing,
    /// Whether a method fits that of its parent depends on a class that is in none of the files that are taken.
    TypeMissing,
}

impl LeftOut {
    /// In words, after a count of files.
    pub fn words(&self) -> &'static str {
        match self {
            Self::NoClass => "declare no class",
            Self::SideEffects => "do something when they are included",
            Self::FunctionsOrConstants => "declare functions or constants",
            Self::Conditional => "declare a class under a condition",
            Self::NotUnderstood => "were not understood",
            Self::DeclaredTwice => "declare a class that another file declares too",
            Self::LookedFor => "declare a class that code looks for without loading it",
            Self::ParentMissing => "need a parent, interface or trait that is not in the list",
            Self::TypeMissing => "have a method whose types name a class that is not in the list",
        }
    }
}

/// What may be preloaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The files, each after those that it needs.
    pub files: Vec<String>,
    /// The classes in them.
    pub classes: usize,
    /// The other eligible files, and why each is left out; for some, the class that decided.
    pub left_out: BTreeMap<LeftOut, Vec<(String, Option<String>)>>,
}

/// Chooses among files.
pub fn select(candidates: &[Candidate]) -> Selection {
    let mut selection = Selection::default();
    let looked_for = looked_for(candidates);
    let declared = declared_by(candidates);
    let mut clean = Vec::new();
    for candidate in candidates.iter().filter(|candidate| candidate.eligible) {
        match reason(candidate, &looked_for, &declared) {
            Some((reason, class)) => leave_out(&mut selection, reason, &candidate.path, class),
            None => clean.push(candidate),
        }
    }
    let linked = linking::link(&clean);
    for (index, reason, class) in linked.left_out {
        if let Some(candidate) = clean.get(index) {
            leave_out(&mut selection, reason, &candidate.path, Some(class));
        }
    }
    for candidate in linked.order.into_iter().filter_map(|index| clean.get(index)) {
        selection.classes +=
            candidate.file.declarations.iter().filter(|class| !class.name.is_empty()).count();
        selection.files.push(candidate.path.clone());
    }
    selection
}

fn leave_out(selection: &mut Selection, reason: LeftOut, path: &str, class: Option<String>) {
    selection.left_out.entry(reason).or_default().push((path.to_owned(), class));
}

/// Classes that must not exist before their time: those that eligible code looks for without the autoloader, and all that other
/// code looks for, which may stand for a plugin that is not active.
fn looked_for(candidates: &[Candidate]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for candidate in candidates {
        let lookups = candidate.file.lookups.iter();
        let counted = lookups.filter(|lookup| !candidate.eligible || lookup.without_autoload);
        names.extend(counted.map(|lookup| conf::php_class_key(&lookup.name)));
    }
    names
}

/// How many files declare a class.
fn declared_by(candidates: &[Candidate]) -> BTreeMap<String, usize> {
    let mut files = BTreeMap::new();
    for candidate in candidates {
        let keys: BTreeSet<_> = candidate.file.declarations.iter().map(conf::PhpDeclaration::key).collect();
        keys.into_iter().filter(|key| !key.is_empty()).for_each(|key| *files.entry(key).or_insert(0) += 1);
    }
    files
}

fn reason(
    candidate: &Candidate,
    looked_for: &BTreeSet<String>,
    declared: &BTreeMap<String, usize>,
) -> Option<(LeftOut, Option<String>)> {
    let worst = candidate.file.obstacles.iter().map(|(obstacle, _)| match obstacle {
        PhpObstacle::NotUnderstood => LeftOut::NotUnderstood,
        PhpObstacle::ConditionalDeclaration => LeftOut::Conditional,
        PhpObstacle::Function | PhpObstacle::Constant => LeftOut::FunctionsOrConstants,
        PhpObstacle::SideEffect | PhpObstacle::Text => LeftOut::SideEffects,
    });
    let named = || candidate.file.declarations.iter().filter(|class| !class.name.is_empty());
    if named().next().is_none() {
        return Some((LeftOut::NoClass, None));
    }
    if let Some(obstacle) = worst.max() {
        return Some((obstacle, None));
    }
    let twice = named().find(|class| declared.get(&class.key()).is_some_and(|files| *files > 1));
    let asked = named().find(|class| looked_for.contains(&class.key()));
    match (twice, asked) {
        (Some(class), _) => Some((LeftOut::DeclaredTwice, Some(class.name.clone()))),
        (None, Some(class)) => Some((LeftOut::LookedFor, Some(class.name.clone()))),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests;
