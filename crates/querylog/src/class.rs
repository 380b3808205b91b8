//! A class: all events whose queries have the same fingerprint.

use std::sync::Arc;

use crate::attribute::Attribute;
use crate::class_id::ClassId;
use crate::event::{Command, Event, Value};
use crate::metric::{Flag, Metric};
use crate::texts::Texts;
use crate::time::Time;

/// How many different schemas, users or hosts are kept of a class.
pub const MOST_NAMES: usize = 1024;
/// How many different values of any other text attribute are kept of a class.
pub const MOST_TEXTS: usize = 128;

/// The worst event of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Statement or command.
    pub command: Command,
    /// The statement, at most as long as [`crate::Settings::sample_bytes`] allows.
    pub query: Box<[u8]>,
    /// How long the statement was.
    pub query_length: u64,
    /// Whether the text is the fingerprint, because literals must not be kept.
    pub redacted: bool,
    /// The value by which it is the worst, in whole microseconds or whatever is counted.
    pub worst: u64,
    /// How long it took, in microseconds.
    pub query_time_us: Option<u64>,
    /// The default schema.
    pub db: Box<[u8]>,
    /// The user.
    pub user: Box<[u8]>,
    /// The client's host.
    pub host: Box<[u8]>,
    /// When it was logged.
    pub time: Option<Time>,
    /// `SET timestamp`: seconds since 1970, UTC.
    pub timestamp: Option<i64>,
    /// Which of the digest's files it is in …
    pub file: u32,
    /// … and where its record begins in it.
    pub offset: u64,
}

/// All events whose queries have the same fingerprint. Also what is known of all events of a digest together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// By which it is known, even where its fingerprint lost the literals in it.
    pub(crate) id: ClassId,
    pub(crate) fingerprint: Arc<[u8]>,
    pub(crate) count: u64,
    /// By [`Attribute::place`]; those that were not met have a count of 0.
    pub(crate) metrics: Vec<Metric>,
    pub(crate) flags: Vec<(Attribute, Flag)>,
    pub(crate) texts: Vec<(Attribute, Texts)>,
    pub(crate) first: Option<Time>,
    pub(crate) last: Option<Time>,
    pub(crate) worst: Option<Sample>,
}

/// How many different values of a text attribute are kept of a class.
pub(crate) fn limit_of(attribute: Attribute) -> usize {
    let names = [Attribute::DB, Attribute::USER, Attribute::HOST];
    if names.contains(&attribute) { MOST_NAMES } else { MOST_TEXTS }
}

impl Class {
    pub(crate) fn new(fingerprint: Arc<[u8]>) -> Self {
        Self::named(ClassId::of(&fingerprint), fingerprint)
    }

    /// One whose fingerprint may have lost the literals in it.
    pub(crate) fn named(id: ClassId, fingerprint: Arc<[u8]>) -> Self {
        Self {
            id,
            fingerprint,
            count: 0,
            metrics: Vec::new(),
            flags: Vec::new(),
            texts: Vec::new(),
            first: None,
            last: None,
            worst: None,
        }
    }

    /// The MD5 sum of the fingerprint, as it was before literals were taken out of it.
    #[must_use]
    pub fn id(&self) -> ClassId {
        self.id
    }

    /// The fingerprint, by pt-query-digest's rules. Where it kept literals, as it does of `CALL`, those are gone from a class that
    /// comes from a saved digest.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8] {
        &self.fingerprint
    }

    /// How many events it has.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// A numeric attribute, if any event had it.
    #[must_use]
    pub fn metric(&self, attribute: Attribute) -> Option<&Metric> {
        self.metrics.get(attribute.place()).filter(|metric| metric.count() > 0)
    }

    /// All numeric attributes that any event had, by name.
    #[must_use]
    pub fn metrics(&self) -> Vec<(Attribute, &Metric)> {
        let met = self.metrics.iter().enumerate().filter(|(_, metric)| metric.count() > 0);
        let mut named: Vec<_> = met.map(|(place, metric)| (Attribute::from_place(place), metric)).collect();
        named.sort_unstable_by_key(|(attribute, _)| attribute.name());
        named
    }

    /// All attributes with `Yes` or `No`, by name.
    #[must_use]
    pub fn flags(&self) -> Vec<(Attribute, Flag)> {
        let mut named = self.flags.clone();
        named.sort_unstable_by_key(|(attribute, _)| attribute.name());
        named
    }

    /// All text attributes, by name.
    #[must_use]
    pub fn texts(&self) -> Vec<(Attribute, &Texts)> {
        let mut named: Vec<_> = self.texts.iter().map(|(attribute, texts)| (*attribute, texts)).collect();
        named.sort_unstable_by_key(|(attribute, _)| attribute.name());
        named
    }

    /// A text attribute, if any event had it.
    #[must_use]
    pub fn text(&self, attribute: Attribute) -> Option<&Texts> {
        self.texts.iter().find(|(found, _)| *found == attribute).map(|(_, texts)| texts)
    }

    /// The earliest time of an event.
    #[must_use]
    pub fn first(&self) -> Option<Time> {
        self.first
    }

    /// The latest time of an event.
    #[must_use]
    pub fn last(&self) -> Option<Time> {
        self.last
    }

    /// The worst event; of several that are equally bad, the last.
    #[must_use]
    pub fn worst(&self) -> Option<&Sample> {
        self.worst.as_ref()
    }

    /// Takes all that another took but its sample.
    pub(crate) fn merge_numbers(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        for (place, metric) in other.metrics.iter().enumerate().filter(|(_, metric)| metric.count() > 0) {
            self.metric_mut(Attribute::from_place(place)).merge(metric);
        }
        for (attribute, flag) in &other.flags {
            self.flag_mut(*attribute).merge(*flag);
        }
        for (attribute, texts) in &other.texts {
            self.texts_mut(*attribute).merge(texts);
        }
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
    }

    /// The metric of an attribute, with room made for it.
    pub(crate) fn metric_mut(&mut self, attribute: Attribute) -> &mut Metric {
        while self.metrics.len() <= attribute.place() {
            self.metrics.push(Metric::new(Attribute::from_place(self.metrics.len()).unit()));
        }
        &mut self.metrics[attribute.place()]
    }

    fn flag_mut(&mut self, attribute: Attribute) -> &mut Flag {
        entry(&mut self.flags, attribute, Flag::default)
    }

    pub(crate) fn texts_mut(&mut self, attribute: Attribute) -> &mut Texts {
        entry(&mut self.texts, attribute, || Texts::new(limit_of(attribute)))
    }

    /// Takes an event.
    pub(crate) fn add(&mut self, event: &Event<'_>) {
        self.count += 1;
        self.metric_mut(Attribute::QUERY_LENGTH).add(event.query_length);
        for (attribute, value) in event.attributes {
            match value {
                Value::Number(number, _) => self.metric_mut(*attribute).add(*number),
                Value::Flag(set) => self.flag_mut(*attribute).add(*set),
                Value::Text(text) => self.texts_mut(*attribute).add(crate::texts::hash(text), text),
            }
        }
        let names = [(Attribute::DB, event.db), (Attribute::USER, event.user), (Attribute::HOST, event.host)];
        for (attribute, name) in names.into_iter().filter(|(_, name)| !name.is_empty()) {
            self.texts_mut(attribute).add(crate::texts::hash(name), name);
        }
        if let Some(time) = event.time {
            if self.first.is_none_or(|first| time < first) {
                self.first = Some(time);
            }
            if self.last.is_none_or(|last| time > last) {
                self.last = Some(time);
            }
        }
    }
}

/// What a list has of an attribute; it is put there where it is missing. Lists are short: a server writes few attributes of a kind.
fn entry<T>(list: &mut Vec<(Attribute, T)>, attribute: Attribute, make: impl FnOnce() -> T) -> &mut T {
    let place = list.iter().position(|(found, _)| *found == attribute).unwrap_or_else(|| {
        list.push((attribute, make()));
        list.len() - 1
    });
    &mut list[place].1
}

impl Sample {
    /// Samples with a higher rank replace those with a lower one.
    pub(crate) fn rank(&self) -> (u64, u32, u64) {
        (self.worst, self.file, self.offset)
    }
}

impl Class {
    /// Whether two say the same, whatever order their attributes were met in.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        let plain = |class: &Self| (class.count, class.first, class.last);
        self.id == other.id
            && self.fingerprint == other.fingerprint
            && plain(self) == plain(other)
            && self.worst == other.worst
            && self.metrics() == other.metrics()
            && self.flags() == other.flags()
            && self.texts() == other.texts()
    }
}
