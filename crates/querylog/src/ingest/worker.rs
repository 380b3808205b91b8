//! Puts events into classes.

use crate::class::{Class, Sample};
use crate::digest::Digest;
use crate::event::Event;
use crate::fingerprint::fingerprint_with;
use crate::key::{Memo, Shortener};
use crate::select::Select;
use crate::settings::Settings;

/// One thread's share of a digest.
pub(super) struct Worker<'s> {
    settings: &'s Settings,
    select: &'s dyn Select,
    shortener: Shortener,
    memo: Memo,
    pub(super) digest: Digest,
}

impl<'s> Worker<'s> {
    pub(super) fn new(settings: &'s Settings, select: &'s dyn Select) -> Self {
        let shortener = Shortener::new(settings.fingerprint);
        Self { settings, select, shortener, memo: Memo::default(), digest: Digest::default() }
    }

    /// Takes an event of a file.
    pub(super) fn take(&mut self, event: &Event<'_>, file: u32) {
        self.digest.event_bytes += event.record_bytes;
        if !self.select.keep(event) {
            self.digest.unselected += 1;
            return;
        }
        self.digest.events += 1;
        let form = self.shortener.shorten(event.query);
        let hash = self.memo.hash(form);
        let place = match self.memo.get(hash, form) {
            Some(place) => place,
            None => {
                let place = self.digest.place_of(fingerprint_with(event.query, &self.settings.fingerprint));
                self.memo.put(hash, form, place);
                place
            }
        };
        if let Some(class) = self.digest.classes.get_mut(place as usize) {
            class.add(event);
            sample(class, event, self.settings, file);
        }
    }
}

/// Makes an event the sample of its class, if it is at least as bad as the one there is. A thread meets events in the order of the log.
fn sample(class: &mut Class, event: &Event<'_>, settings: &Settings, file: u32) {
    let value = event.number(settings.worst_by).unwrap_or(0);
    if class.worst.as_ref().is_some_and(|worst| worst.worst > value) {
        return;
    }
    class.worst = Some(Sample {
        command: event.command,
        query: event.query.get(..settings.sample_bytes).unwrap_or(event.query).into(),
        query_length: event.query_length,
        redacted: false,
        worst: value,
        query_time_us: event.number(crate::Attribute::QUERY_TIME),
        db: event.db.into(),
        user: event.user.into(),
        host: event.host.into(),
        time: event.time,
        timestamp: event.timestamp,
        file,
        offset: event.offset,
    });
}
