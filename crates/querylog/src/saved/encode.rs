//! Writes a digest as numbers and texts.

use std::borrow::Cow;

use super::Samples;
use crate::class::{Class, Sample};
use crate::digest::Digest;
use crate::event::Command;
use crate::histogram::Histogram;
use crate::redact::redact;
use crate::time::Time;

#[derive(Default)]
struct Out(Vec<u8>);

impl Out {
    /// Seven bits a byte, the lowest first; the high bit says that more follow.
    fn number(&mut self, number: u128) {
        let mut rest = number;
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }

    fn count(&mut self, count: u64) {
        self.number(u128::from(count));
    }

    fn length(&mut self, length: usize) {
        self.number(length as u128);
    }

    fn signed(&mut self, number: i64) {
        // Small numbers of either sign stay short.
        self.number(u128::from(((number << 1) ^ (number >> 63)) as u64));
    }

    fn text(&mut self, text: &[u8]) {
        self.length(text.len());
        self.0.extend_from_slice(text);
    }

    fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn time(&mut self, time: Option<Time>) {
        self.optional(time, |out, time| {
            out.signed(time.civil_s());
            out.count(u64::from(time.microseconds()));
            out.optional(time.zone_minutes(), |out, zone| out.signed(i64::from(zone)));
            out.0.push(u8::from(time.is_iso()));
        });
    }

    fn histogram(&mut self, histogram: &Histogram) {
        self.length(histogram.buckets().count());
        for (bucket, count) in histogram.buckets() {
            self.length(bucket);
            self.count(count);
        }
    }
}

pub(super) fn digest(digest: &Digest, samples: Samples) -> Vec<u8> {
    let mut out = Out::default();
    out.length(digest.files.len());
    for file in &digest.files {
        out.text(file.name.as_bytes());
        out.count(file.bytes);
        out.count(file.log_bytes);
        out.optional(file.error.as_ref(), |out, error| out.text(error.as_bytes()));
    }
    out.count(digest.events);
    out.count(digest.unselected);
    out.count(digest.event_bytes);
    out.text(&serde_json::to_vec(&digest.problems).unwrap_or_default());
    out.length(digest.notes.len());
    for note in &digest.notes {
        out.text(note.as_bytes());
    }
    let mut classes: Vec<&Class> = digest.classes.iter().collect();
    classes.sort_unstable_by_key(|class| class.id());
    out.length(classes.len());
    for each in classes {
        class(&mut out, each, samples);
    }
    out.0
}

fn class(out: &mut Out, class: &Class, samples: Samples) {
    // Merging goes by the sum of the whole fingerprint: a redacted one may be that of several classes.
    let fingerprint = match samples {
        Samples::Redacted => Cow::Owned(redact(class.fingerprint())),
        Samples::Whole => Cow::Borrowed(class.fingerprint()),
    };
    out.0.extend_from_slice(class.id().as_bytes());
    out.text(&fingerprint);
    out.count(class.count);
    let metrics = class.metrics();
    out.length(metrics.len());
    for (attribute, metric) in metrics {
        out.text(attribute.name().as_bytes());
        out.count(metric.count());
        out.number(metric.exact_sum());
        out.count(metric.exact_min());
        out.count(metric.exact_max());
        out.histogram(metric.histogram());
    }
    let flags = class.flags();
    out.length(flags.len());
    for (attribute, flag) in flags {
        out.text(attribute.name().as_bytes());
        out.count(flag.yes);
        out.count(flag.no);
    }
    let texts = class.texts();
    out.length(texts.len());
    for (attribute, texts) in texts {
        out.text(attribute.name().as_bytes());
        out.count(texts.total());
        out.0.push(u8::from(texts.is_complete()));
        out.optional(texts.max(), Out::text);
        out.length(texts.iter().count());
        for (value, count) in texts.iter() {
            out.text(value);
            out.count(count);
        }
    }
    out.time(class.first);
    out.time(class.last);
    out.optional(class.worst.as_ref(), |out, worst| sample(out, worst, &fingerprint, samples));
}

fn sample(out: &mut Out, sample: &Sample, fingerprint: &[u8], samples: Samples) {
    let redacted = sample.redacted || samples == Samples::Redacted;
    out.0.push(u8::from(sample.command == Command::Admin));
    out.0.push(u8::from(redacted));
    out.text(if redacted { fingerprint } else { &sample.query });
    out.count(sample.query_length);
    out.count(sample.worst);
    out.optional(sample.query_time_us, Out::count);
    out.text(&sample.db);
    out.text(&sample.user);
    out.text(&sample.host);
    out.time(sample.time);
    out.optional(sample.timestamp, Out::signed);
    out.count(u64::from(sample.file));
    out.count(sample.offset);
}
