//! Which classes OPcache can link at start: those whose parents, interfaces and traits are there, and whose methods can be
//! compared with theirs. It warns of every other (`Can't preload unlinked class`).

use std::collections::{BTreeMap, BTreeSet};

use conf::{PhpDeclaration, php_class_key};

use super::builtin::is_builtin;
use super::{Candidate, LeftOut};

/// What can be linked, by the index of the file.
#[derive(Debug, Default)]
pub(super) struct Linked {
    /// Files in an order in which each comes after those that it needs.
    pub(super) order: Vec<usize>,
    /// Files that cannot be linked, why, and for want of which class.
    pub(super) left_out: Vec<(usize, LeftOut, String)>,
}

/// Methods of PHP's own interfaces that return objects; a class that returns one of another class must be compared with them.
const RETURNING_OBJECTS: [&str; 3] = ["getchildren", "getinneriterator", "getiterator"];

struct Files<'a> {
    declarations: Vec<&'a [PhpDeclaration]>,
    /// The file and the declaration of each class.
    classes: BTreeMap<String, (usize, &'a PhpDeclaration)>,
    /// Whether each file is still taken.
    taken: Vec<bool>,
}

pub(super) fn link(candidates: &[&Candidate]) -> Linked {
    let declarations: Vec<_> = candidates.iter().map(|one| &one.file.declarations[..]).collect();
    let classes = declarations.iter().enumerate().flat_map(|(file, all)| {
        all.iter().filter(|one| !one.name.is_empty()).map(move |one| (one.key(), (file, one)))
    });
    let mut files = Files { classes: classes.collect(), taken: vec![true; declarations.len()], declarations };
    let mut linked = Linked::default();
    // Each round may take away what others need; there are at most as many rounds as files.
    loop {
        let found: Vec<_> = files.unlinkable().collect();
        if found.is_empty() {
            break;
        }
        for (file, reason, class) in found {
            if let Some(taken) = files.taken.get_mut(file) {
                *taken = false;
            }
            linked.left_out.push((file, reason, class));
        }
    }
    linked.order = files.order();
    linked
}

impl<'a> Files<'a> {
    fn has(&self, class: &str) -> bool {
        is_builtin(class) || self.own(class).is_some()
    }

    fn own(&self, class: &str) -> Option<(usize, &'a PhpDeclaration)> {
        let found = self.classes.get(class).copied();
        found.filter(|(file, _)| self.taken.get(*file) == Some(&true))
    }

    fn unlinkable(&self) -> impl Iterator<Item = (usize, LeftOut, String)> {
        let taken =
            self.declarations.iter().enumerate().filter(|(file, _)| self.taken.get(*file) == Some(&true));
        taken.filter_map(|(file, all)| {
            let reason =
                all.iter().find_map(|one| self.missing_parent(one).or_else(|| self.missing_type(one)));
            reason.map(|(reason, class)| (file, reason, class))
        })
    }

    fn missing_parent(&self, declaration: &PhpDeclaration) -> Option<(LeftOut, String)> {
        let missing = declaration.needs.iter().find(|name| !self.has(&php_class_key(name)));
        missing.map(|name| (LeftOut::ParentMissing, name.clone()))
    }

    /// Types that are written alike need no class; PHP loads those of types that differ.
    fn missing_type(&self, declaration: &PhpDeclaration) -> Option<(LeftOut, String)> {
        let (ancestors, of_php) = self.ancestors(declaration);
        for method in &declaration.methods {
            let above = ancestors.iter().flat_map(|one| one.methods.iter().filter(|m| m.name == method.name));
            let differing: Vec<_> = above.filter(|above| above.types != method.types).collect();
            let returns_object = of_php && RETURNING_OBJECTS.contains(&method.name.as_str());
            if differing.is_empty() && !returns_object {
                continue;
            }
            let named = differing.iter().flat_map(|above| &above.classes).chain(&method.classes);
            let missing = named.into_iter().find(|name| !self.has(&php_class_key(name)));
            if let Some(name) = missing {
                return Some((LeftOut::TypeMissing, name.clone()));
            }
        }
        None
    }

    /// All parents, interfaces and traits in these files, and whether PHP's own are among them.
    fn ancestors(&self, declaration: &'a PhpDeclaration) -> (Vec<&'a PhpDeclaration>, bool) {
        let (mut found, mut seen, mut of_php) = (Vec::new(), BTreeSet::new(), false);
        let mut next: Vec<_> = declaration.needs.iter().map(|name| php_class_key(name)).collect();
        while let Some(class) = next.pop() {
            if !seen.insert(class.clone()) {
                continue;
            }
            match self.own(&class) {
                Some((_, one)) => {
                    found.push(one);
                    next.extend(one.needs.iter().map(|name| php_class_key(name)));
                }
                None => of_php |= is_builtin(&class),
            }
        }
        (found, of_php)
    }

    /// Each file after those that declare what it needs. Files that need each other, which PHP could not load either, come last.
    fn order(&self) -> Vec<usize> {
        let needs = |file: usize| -> BTreeSet<usize> {
            let all = self.declarations.get(file).copied().unwrap_or_default().iter();
            let names =
                all.flat_map(|one| &one.needs).filter_map(|name| Some(self.own(&php_class_key(name))?.0));
            names.filter(|other| *other != file).collect()
        };
        let taken = (0..self.declarations.len()).filter(|file| self.taken.get(*file) == Some(&true));
        let mut waiting: BTreeMap<usize, BTreeSet<usize>> = taken.map(|file| (file, needs(file))).collect();
        let mut wanted_by: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (file, needs) in &waiting {
            needs.iter().for_each(|other| wanted_by.entry(*other).or_default().push(*file));
        }
        let mut ready: BTreeSet<usize> =
            waiting.iter().filter(|(_, needs)| needs.is_empty()).map(|(file, _)| *file).collect();
        let mut order = Vec::with_capacity(waiting.len());
        while let Some(file) = ready.pop_first() {
            waiting.remove(&file);
            order.push(file);
            for other in wanted_by.get(&file).into_iter().flatten() {
                if let Some(needs) = waiting.get_mut(other) {
                    needs.remove(&file);
                    if needs.is_empty() {
                        ready.insert(*other);
                    }
                }
            }
        }
        order
    }
}
