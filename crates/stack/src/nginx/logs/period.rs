//! Finds what recurs in the seconds of an access log: a stall every minute has a timer behind it.
//!
//! Seconds that are much slower than the others are events; what is looked for is a distance at which they come again and
//! again. Random events come at some distance too, so that a distance counts only where chance hardly makes it.

use serde::{Deserialize, Serialize};

use crate::nginx::SecondUse;

/// A stall that recurs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Period {
    /// Seconds from the beginning of one stall to that of the next, on average.
    pub period_s: f64,
    /// The second within the period at which stalls begin: seconds since 1970 modulo the period, rounded to whole seconds.
    pub phase: f64,
    /// How long the slowest request of a stall takes, in seconds: the median over the stalls.
    pub stall_s: f64,
    /// How long the slowest request of any other second takes, in seconds: the median.
    pub baseline_s: f64,
    /// Stalls that were seen at this distance.
    pub cycles: u32,
    /// Stalls that the distance lets expect within the log.
    pub expected: u32,
    /// When the last of them began, in seconds since 1970.
    pub last_unix_s: u64,
}

/// How far a stall may come before or after its time, in seconds: one second for each of the two it lies between. Stalls
/// that keep their time better are believed at shorter distances.
const JITTERS_S: [i64; 3] = [0, 1, 2];
/// The widest of them.
const JITTER_S: i64 = 2;
/// Shorter distances are not looked for: seconds are all that is known.
const SHORTEST_S: i64 = 5;
/// Logs that go further are none of the last minutes.
const LONGEST_LOG_S: i64 = 100_000;
/// The least number of stalls.
const LEAST_CYCLES: u32 = 3;
/// Three stalls are believed only where hardly another second was slow.
const MOST_EVENTS_OF_THREE: usize = 4;
/// Of the stalls that a distance lets expect, so many must be there.
const LEAST_SHARE: f64 = 0.6;
/// The chance of a random distance that is still believed, all that are tried counted.
const MOST_CHANCE: f64 = 0.01;
/// A second is slow when its slowest request takes this much longer than usual, in seconds …
const LEAST_EXCESS_S: f64 = 0.1;
/// … and longer than usual by this many median deviations.
const DEVIATIONS: f64 = 5.0;
/// Slow seconds so close to each other are one stall: its backlog is worked off.
const SAME_STALL_S: i64 = 3;

/// A stall, whenever it comes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Event {
    /// The second in which its first request began.
    at: i64,
    longest_s: f64,
}

/// The distance at which stalls recur; `None` where there is none, or where the log has no times.
pub fn find(seconds: &[SecondUse]) -> Option<Period> {
    let times: Vec<(i64, f64)> = seconds
        .iter()
        .filter_map(|second| {
            let longest = f64::from(second.longest_s?);
            Some((i64::try_from(second.unix_s).ok()?, longest))
                .filter(|(at, s)| *at < 1 << 40 && s.is_finite())
        })
        .collect();
    let start = times.first()?.0;
    let span = times.last()?.0.checked_sub(start).filter(|span| (1..LONGEST_LOG_S).contains(span))?;
    // Facts that were handed in may be in any order.
    let times: Vec<_> = times.into_iter().filter(|(at, _)| (start..=start + span).contains(at)).collect();
    let usual = median(times.iter().map(|(_, longest)| *longest))?;
    let deviation = median(times.iter().map(|(_, longest)| (longest - usual).abs()))?;
    let excess = LEAST_EXCESS_S.max(usual).max(DEVIATIONS * deviation);
    // Where many requests are slow at any time, those that recur may still be the slowest.
    let heights = [1.0, 2.0, 4.0];
    let found = heights.iter().filter_map(|height| {
        let events = events(&times, usual + excess * height);
        best(&events, start, span)
    });
    let chain = found.min_by(|a, b| a.chance.total_cmp(&b.chance))?;
    chain.told(usual)
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    let middle = values.len() / 2;
    if values.is_empty() { None } else { Some(*values.select_nth_unstable_by(middle, f64::total_cmp).1) }
}

/// The stalls: runs of slow seconds.
#[expect(clippy::cast_possible_truncation, reason = "seconds that a request took")]
fn events(times: &[(i64, f64)], bound: f64) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut last_slow = None;
    for (second, longest_s) in times.iter().filter(|(_, longest)| *longest > bound) {
        let began = second - longest_s.min(3600.0).round() as i64;
        match events.last_mut().filter(|_| last_slow.is_some_and(|last| second - last <= SAME_STALL_S)) {
            Some(event) => {
                event.at = event.at.min(began);
                event.longest_s = event.longest_s.max(*longest_s);
            }
            None => events.push(Event { at: began, longest_s: *longest_s }),
        }
        last_slow = Some(*second);
    }
    events.sort_by_key(|event| event.at);
    events
}

/// Events at one distance from each other.
#[derive(Debug, Clone)]
struct Chain {
    events: Vec<Event>,
    /// Steps from the first of them to the last; more than there are events where one is missing.
    steps: u32,
    expected: u32,
    chance: f64,
}

/// The chain that chance explains least.
fn best(events: &[Event], start: i64, span: i64) -> Option<Chain> {
    if events.len() < LEAST_CYCLES as usize || events.len() as i64 > span / SHORTEST_S {
        return None;
    }
    let anchors =
        |distance: i64| events.iter().enumerate().filter(move |(_, one)| one.at - start <= 2 * distance);
    let distances = SHORTEST_S..=span / 2 + JITTER_S;
    let chains = distances.flat_map(|distance| {
        let from = |(index, _)| JITTERS_S.map(|jitter| chain(events, index, (distance, jitter), start, span));
        anchors(distance).flat_map(from).collect::<Vec<_>>()
    });
    chains.filter(Chain::is_believed_of(events.len())).min_by(|a, b| {
        let deviation = |chain: &Chain| chain.uneven();
        a.chance.total_cmp(&b.chance).then_with(|| deviation(a).total_cmp(&deviation(b)))
    })
}

/// Follows a distance from one event on. Each step is counted from the event before, so that a timer that drifts is followed.
fn chain(events: &[Event], anchor: usize, (distance, jitter): (i64, i64), start: i64, span: i64) -> Chain {
    let mut chain = Chain { events: vec![], steps: 0, expected: 1, chance: 1.0 };
    let Some(first) = events.get(anchor) else { return chain };
    chain.events.push(*first);
    chain.expected += u32::try_from((first.at - start).max(0) / distance).unwrap_or(0);
    let (mut at, mut next, mut steps) = (first.at, anchor + 1, 0);
    while at + distance <= start + span {
        at += distance;
        steps += 1;
        chain.expected += 1;
        while events.get(next).is_some_and(|event| event.at < at - jitter) {
            next += 1;
        }
        if let Some(event) = events.get(next).filter(|event| event.at <= at + jitter) {
            chain.events.push(*event);
            chain.steps = steps;
            at = event.at;
            next += 1;
        }
    }
    chain.chance = chance(chain.events.len() as u32, chain.expected, events.len() as u32, (span, jitter));
    chain
}

/// How likely so many of the expected events come by chance, of as many events anywhere within the span. Any two are at some
/// distance, so that they say nothing; each pair of events is a distance that was tried.
fn chance(met: u32, expected: u32, events: u32, (span, jitter): (i64, i64)) -> f64 {
    let width = (2 * jitter + 1) as f64 / (span as f64).max(1.0);
    let meets = 1.0 - (1.0 - width.min(1.0)).powf(f64::from(events));
    let (needed, of) = (met.saturating_sub(2), expected.saturating_sub(2));
    if needed == 0 || meets >= 1.0 {
        return 1.0;
    }
    let mut term = (1.0 - meets).powf(f64::from(of));
    let mut below = 0.0;
    for number in 0..needed {
        below += term;
        term *= f64::from(of - number.min(of)) / f64::from(number + 1) * meets / (1.0 - meets);
    }
    // The sum of the rest of the series, which 1 - below would lose to rounding.
    let mut above = 0.0;
    for number in needed..=of {
        above += term;
        term *= f64::from(of - number) / f64::from(number + 1) * meets / (1.0 - meets);
    }
    if below < 0.5 { (1.0 - below).max(above) } else { above }
}

impl Chain {
    fn is_believed_of(events: usize) -> impl Fn(&Self) -> bool {
        move |chain| {
            let met = chain.events.len();
            let share = met as f64 / f64::from(chain.expected.max(1));
            let tried = (events * events.saturating_sub(1) / 2 * JITTERS_S.len()) as f64;
            let few = met == LEAST_CYCLES as usize;
            let unlikely =
                if few { events <= MOST_EVENTS_OF_THREE } else { chain.chance * tried <= MOST_CHANCE };
            met >= LEAST_CYCLES as usize && share >= LEAST_SHARE && unlikely
        }
    }

    /// How unequal its distances are, in seconds.
    fn uneven(&self) -> f64 {
        let Some(mean) = self.mean() else { return f64::MAX };
        let gaps = self.events.windows(2).filter_map(|pair| match pair {
            [a, b] => Some((b.at - a.at) as f64),
            _ => None,
        });
        gaps.map(|gap| (gap - (gap / mean).round().max(1.0) * mean).abs()).fold(0.0, f64::max)
    }

    fn mean(&self) -> Option<f64> {
        let (first, last) = self.events.first().zip(self.events.last())?;
        (self.steps > 0).then(|| (last.at - first.at) as f64 / f64::from(self.steps))
    }

    fn told(&self, baseline_s: f64) -> Option<Period> {
        let period_s = self.mean()?;
        let last = self.events.last()?.at;
        Some(Period {
            period_s,
            phase: (last as f64).rem_euclid(period_s.round().max(1.0)),
            stall_s: median(self.events.iter().map(|event| event.longest_s))?,
            baseline_s,
            cycles: u32::try_from(self.events.len()).ok()?,
            expected: self.expected.max(u32::try_from(self.events.len()).ok()?),
            last_unix_s: u64::try_from(last).unwrap_or(0),
        })
    }
}

#[cfg(test)]
#[path = "period_tests.rs"]
mod tests;
