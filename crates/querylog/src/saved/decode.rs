//! Reads a digest back. Nothing in a file is trusted: what does not fit makes it damaged.

use crate::attribute::Attribute;
use crate::class::{Class, MOST_NAMES, Sample};
use crate::class_id::ClassId;
use crate::digest::{Digest, File};
use crate::event::Command;
use crate::histogram::{BUCKETS, Histogram};
use crate::metric::{Flag, Metric};
use crate::texts::Texts;
use crate::time::Time;

struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<u128> {
        let mut number = 0;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            let bits = u128::from(byte & 0x7f);
            let moved = bits << shift;
            if moved >> shift != bits {
                return None;
            }
            number |= moved;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn count(&mut self) -> Option<u64> {
        u64::try_from(self.number()?).ok()
    }

    /// A number of things that follow, each at least a byte long.
    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|length| *length <= self.0.len())
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.count()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }

    fn array<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn string(&mut self) -> Option<String> {
        String::from_utf8(self.text()?.to_vec()).ok()
    }

    fn attribute(&mut self) -> Option<Attribute> {
        Attribute::of(std::str::from_utf8(self.text()?).ok()?)
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { Some(Some(read(self)?)) } else { Some(None) }
    }

    fn many<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.length()?;
        (0..length).map(|_| read(self)).collect()
    }

    fn time(&mut self) -> Option<Option<Time>> {
        self.optional(|input| {
            let civil_s = input.signed()?;
            let microseconds = u32::try_from(input.count()?).ok()?;
            let zone = input.optional(|input| i16::try_from(input.signed()?).ok())?;
            let time = Time::from_unix(civil_s).with_microseconds(microseconds);
            Some(time.with_zone(zone).with_iso(input.flag()?))
        })
    }

    fn histogram(&mut self) -> Option<Histogram> {
        let mut histogram = Histogram::default();
        for (bucket, count) in self.many(|input| Some((input.count()?, input.count()?)))? {
            let bucket = usize::try_from(bucket).ok().filter(|bucket| *bucket < BUCKETS)?;
            histogram.add_to(bucket, count);
        }
        Some(histogram)
    }
}

pub(super) fn digest(bytes: &[u8]) -> Option<Digest> {
    let mut input = In(bytes);
    let mut digest = Digest {
        files: input.many(file)?,
        events: input.count()?,
        unselected: input.count()?,
        event_bytes: input.count()?,
        problems: serde_json::from_slice(input.text()?).ok()?,
        notes: input.many(In::string)?,
        ..Digest::default()
    };
    for class in input.many(class)? {
        let place = u32::try_from(digest.classes.len()).ok()?;
        if digest.index.insert(class.id, place).is_some() {
            return None;
        }
        digest.classes.push(class);
    }
    input.0.is_empty().then_some(digest)
}

fn file(input: &mut In<'_>) -> Option<File> {
    Some(File {
        name: input.string()?,
        bytes: input.count()?,
        log_bytes: input.count()?,
        error: input.optional(In::string)?,
    })
}

fn class(input: &mut In<'_>) -> Option<Class> {
    let id = ClassId::from(input.array()?);
    let mut class = Class::named(id, input.text()?.into());
    class.count = input.count()?;
    for (attribute, metric) in input.many(metric)? {
        *class.metric_mut(attribute) = metric;
    }
    class.flags =
        input.many(|input| Some((input.attribute()?, Flag { yes: input.count()?, no: input.count()? })))?;
    class.texts = input.many(texts)?;
    class.first = input.time()?;
    class.last = input.time()?;
    class.worst = input.optional(sample)?;
    Some(class)
}

fn metric(input: &mut In<'_>) -> Option<(Attribute, Metric)> {
    let attribute = input.attribute()?;
    let values = (input.count()?, input.number()?);
    let extremes = (input.count()?, input.count()?);
    Some((attribute, Metric::from_parts(attribute.unit(), values, extremes, input.histogram()?)))
}

fn texts(input: &mut In<'_>) -> Option<(Attribute, Texts)> {
    let attribute = input.attribute()?;
    let (total, complete) = (input.count()?, input.flag()?);
    let max = input.optional(In::text)?.map(<[u8]>::to_vec);
    let values = input.many(|input| Some((input.text()?.to_vec(), input.count()?)))?;
    if values.len() > MOST_NAMES {
        return None;
    }
    let limit = crate::class::limit_of(attribute);
    Some((attribute, Texts::from_parts(limit, total, !complete, max, values)))
}

fn sample(input: &mut In<'_>) -> Option<Sample> {
    Some(Sample {
        command: if input.flag()? { Command::Admin } else { Command::Query },
        redacted: input.flag()?,
        query: input.text()?.into(),
        query_length: input.count()?,
        worst: input.count()?,
        query_time_us: input.optional(In::count)?,
        db: input.text()?.into(),
        user: input.text()?.into(),
        host: input.text()?.into(),
        time: input.time()?,
        timestamp: input.optional(In::signed)?,
        file: u32::try_from(input.count()?).ok()?,
        offset: input.count()?,
    })
}
