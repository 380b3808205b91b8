//! A digest: what is known of all events of one or many logs.

use std::collections::HashMap;
use std::sync::Arc;

use crate::attribute::Attribute;
use crate::class::Class;
use crate::class_id::ClassId;
use crate::problem::Problems;
use crate::time::Time;

/// A log that was digested.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct File {
    /// Its name, as it was given.
    pub name: String,
    /// Its size as it lies there, in bytes; of standard input, what was read.
    pub bytes: u64,
    /// How many bytes of log that is, after decompression.
    pub log_bytes: u64,
    /// What reading it failed with, where it did; what came before counts.
    pub error: Option<String>,
}

/// What is known of all events of one or many logs.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    /// The logs, in the order in which they were read or merged.
    pub files: Vec<File>,
    /// Events that were selected.
    pub events: u64,
    /// Events that were left out by the selection.
    pub unselected: u64,
    /// How long the records of all events are, in bytes, those included that were left out. With what is skipped because of
    /// problems this makes up the logs.
    pub event_bytes: u64,
    /// What was not digested.
    pub problems: Problems,
    /// What a reader must know of where it comes from, in sentences.
    pub notes: Vec<String>,
    pub(crate) classes: Vec<Class>,
    pub(crate) index: HashMap<ClassId, u32>,
}

impl Digest {
    /// All classes, in no order that means anything.
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The class of a fingerprint.
    #[must_use]
    pub fn class(&self, fingerprint: &[u8]) -> Option<&Class> {
        self.classes.get(*self.index.get(&ClassId::of(fingerprint))? as usize)
    }

    /// All classes together, as if they were one; without fingerprint and sample.
    #[must_use]
    pub fn total(&self) -> Class {
        let mut total = Class::new(Arc::from(&b""[..]));
        for class in &self.classes {
            total.merge_numbers(class);
        }
        total
    }

    /// The earliest time of an event.
    #[must_use]
    pub fn first(&self) -> Option<Time> {
        self.classes.iter().filter_map(Class::first).min()
    }

    /// The latest time of an event.
    #[must_use]
    pub fn last(&self) -> Option<Time> {
        self.classes.iter().filter_map(Class::last).max()
    }

    /// Classes by the sum of an attribute, the largest first; ties by fingerprint from the end of the alphabet, as pt-query-digest has it.
    #[must_use]
    pub fn ranked_by(&self, key: impl Fn(&Class) -> u128) -> Vec<&Class> {
        let mut ranked: Vec<_> = self.classes.iter().map(|class| (key(class), class)).collect();
        ranked.sort_unstable_by(|a, b| {
            b.0.cmp(&a.0).then_with(|| (&b.1.fingerprint, b.1.id).cmp(&(&a.1.fingerprint, a.1.id)))
        });
        ranked.into_iter().map(|(_, class)| class).collect()
    }

    /// Classes by time spent, the largest first.
    #[must_use]
    pub fn ranked(&self) -> Vec<&Class> {
        self.ranked_by(|class| class.metric(Attribute::QUERY_TIME).map_or(0, crate::Metric::exact_sum))
    }

    /// Where the class of a fingerprint is; a new one is made where there is none.
    pub(crate) fn place_of(&mut self, fingerprint: Vec<u8>) -> u32 {
        self.place_named(ClassId::of(&fingerprint), || fingerprint.into())
    }

    fn place_named(&mut self, id: ClassId, fingerprint: impl FnOnce() -> Arc<[u8]>) -> u32 {
        if let Some(place) = self.index.get(&id) {
            return *place;
        }
        let place = u32::try_from(self.classes.len()).unwrap_or(u32::MAX);
        self.index.insert(id, place);
        self.classes.push(Class::named(id, fingerprint()));
        place
    }

    /// Takes all that another took. The order matters for nothing but the order of files, and which of two equally bad
    /// events is the sample.
    pub fn merge(&mut self, other: &Self) {
        let files = u32::try_from(self.files.len()).unwrap_or(u32::MAX);
        self.files.extend(other.files.iter().cloned());
        self.merge_part(other, files);
    }

    /// Takes all of another that read parts of the same files (`files` is 0) or others (it is how many we have).
    pub(crate) fn merge_part(&mut self, other: &Self, files: u32) {
        self.events = self.events.saturating_add(other.events);
        self.unselected = self.unselected.saturating_add(other.unselected);
        self.event_bytes = self.event_bytes.saturating_add(other.event_bytes);
        self.problems.merge(&other.problems);
        for note in &other.notes {
            if !self.notes.contains(note) {
                self.notes.push(note.clone());
            }
        }
        for class in &other.classes {
            let place = self.place_named(class.id, || Arc::clone(&class.fingerprint));
            let mut moved = class.worst.clone();
            if let Some(sample) = &mut moved {
                sample.file = sample.file.saturating_add(files);
            }
            let Some(ours) = self.classes.get_mut(place as usize) else { continue };
            if class.fingerprint != ours.fingerprint && ClassId::of(&class.fingerprint) == class.id {
                ours.fingerprint = Arc::clone(&class.fingerprint);
            }
            ours.merge_numbers(class);
            if let Some(theirs) = moved
                && ours.worst.as_ref().is_none_or(|ours| ours.rank() <= theirs.rank())
            {
                ours.worst = Some(theirs);
            }
        }
    }
}

/// Equal but for the order of classes.
impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        let mut left: Vec<&Class> = self.classes.iter().collect();
        let mut right: Vec<&Class> = other.classes.iter().collect();
        left.sort_unstable_by_key(|class| class.id);
        right.sort_unstable_by_key(|class| class.id);
        let same = left.len() == right.len() && left.iter().zip(&right).all(|(a, b)| a.same_as(b));
        let counts = |digest: &Self| (digest.events, digest.unselected, digest.event_bytes);
        same && counts(self) == counts(other)
            && self.files == other.files
            && self.problems == other.problems
            && self.notes == other.notes
    }
}
