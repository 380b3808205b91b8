//! The options of queueing disciplines (`TCA_OPTIONS`): what the kernel tells of them is not always what it takes.
//!
//! Layouts: `include/uapi/linux/pkt_sched.h`, and `init`, `change` and `dump` of each kind in `net/sched/sch_*.c`.

use std::borrow::Cow;

use host::kernel::netlink::{Attributes, encode_attribute, u32_at, u64_at};

/// Kinds whose options, given back as [`as_given`] makes them, are those there were.
///
/// Left out are kinds that do not tell all they were given (`netem` keeps its delay distribution to itself), and those
/// never tried.
const PUT_BACK: [&str; 12] = [
    "pfifo",
    "bfifo",
    "pfifo_head_drop",
    "pfifo_fast",
    "noqueue",
    "mq",
    "tbf",
    "htb",
    "fq",
    "fq_codel",
    "codel",
    "cake",
];

const TCA_CAKE_BASE_RATE64: u16 = 2;

const TCA_HTB_INIT: u16 = 2;
/// `struct tc_htb_glob`: version, quantum divisor, default class, debug, packets sent past all classes.
const HTB_VERSION_AT: usize = 0;
const HTB_DIRECT_PACKETS_AT: usize = 16;
/// `HTB_VER >> 16`: the kernel tells its version with a minor number, and takes only the major one.
const HTB_MAJOR_VERSION_SHIFT: u32 = 16;

const TCA_TBF_PARMS: u16 = 1;
const TCA_TBF_RATE64: u16 = 4;
const TCA_TBF_PRATE64: u16 = 5;
const TCA_TBF_BURST: u16 = 6;
const TCA_TBF_PBURST: u16 = 7;
/// `struct tc_tbf_qopt`: rate and peak rate (`struct tc_ratespec`), limit, buffer and mtu in ticks.
const TBF_RATE_AT: usize = 0;
const TBF_PEAK_AT: usize = 12;
const TBF_BUFFER_AT: usize = 28;
const TBF_MTU_AT: usize = 32;
/// In `struct tc_ratespec`: the link layer, the overhead in bytes, the rate in bytes per second.
const LINK_LAYER_AT: usize = 1;
const OVERHEAD_AT: usize = 2;
const BYTES_PER_SECOND_AT: usize = 8;
const LINK_LAYER_ATM: u8 = 2;
/// `PSCHED_SHIFT` is 6.
const NANOSECONDS_PER_TICK: u128 = 64;
const NANOSECONDS_PER_SECOND: u128 = 1_000_000_000;

/// Whether what the kernel tells of a kind is enough to make it again.
pub(super) fn put_back_exactly(kind: &str) -> bool {
    PUT_BACK.contains(&kind)
}

/// The options of a `pfifo` or `bfifo` of that limit: `struct tc_fifo_qopt`.
pub(super) fn limit_options(limit: u32) -> Vec<u8> {
    limit.to_ne_bytes().to_vec()
}

/// The options of a `cake` that shapes to so many bytes per second.
pub(super) fn bandwidth_options(bytes_per_second: u64) -> Vec<u8> {
    let mut options = vec![];
    encode_attribute(&mut options, TCA_CAKE_BASE_RATE64, &bytes_per_second.to_ne_bytes());
    options
}

/// The one option that narrows gives a discipline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// Packets of a `pfifo`, bytes of a `bfifo`.
    Limit(u32),
    /// Bytes per second of a `cake`.
    Bandwidth(u64),
}

impl Asked {
    pub(super) fn options(self) -> Vec<u8> {
        match self {
            Self::Limit(limit) => limit_options(limit),
            Self::Bandwidth(bytes) => bandwidth_options(bytes),
        }
    }

    /// As tc(8) takes it.
    pub(super) fn words(self) -> [Cow<'static, str>; 2] {
        match self {
            Self::Limit(limit) => ["limit".into(), limit.to_string().into()],
            Self::Bandwidth(bytes) => ["bandwidth".into(), format!("{}bit", u128::from(bytes) * 8).into()],
        }
    }
}

/// The one option that narrows could have given a discipline, as the kernel tells it. A `cake` of no rate has none.
pub(super) fn asked_of(kind: &str, options: &[u8]) -> Option<Asked> {
    match kind {
        "pfifo" | "bfifo" => u32_at(options, 0).map(Asked::Limit),
        "cake" => {
            let rate = |(kind, value): (u16, &[u8])| (kind == TCA_CAKE_BASE_RATE64).then(|| u64_at(value, 0));
            let rate = Attributes::new(options).map_while(Result::ok).find_map(rate).flatten();
            rate.filter(|bytes| *bytes > 0).map(Asked::Bandwidth)
        }
        _ => None,
    }
}

/// What the kernel told, without what counts packets.
pub(super) fn without_counters(kind: &str, told: &[u8]) -> Vec<u8> {
    match kind {
        "htb" => edit(told, |attribute, value| {
            if attribute == TCA_HTB_INIT {
                set_u32(value, HTB_DIRECT_PACKETS_AT, |_| 0);
            }
        }),
        _ => told.to_vec(),
    }
}

/// What the kernel must be given to hold what it told.
pub(super) fn as_given(kind: &str, told: &[u8]) -> Vec<u8> {
    match kind {
        "htb" => edit(told, |attribute, value| {
            if attribute == TCA_HTB_INIT {
                set_u32(value, HTB_VERSION_AT, |version| version >> HTB_MAJOR_VERSION_SHIFT);
            }
        }),
        "tbf" => with_bursts(told),
        // Target, interval and the mark threshold: attributes 1, 3 and 5 of codel, 1, 3 and 7 of fq_codel.
        "codel" => edit(told, |attribute, value| {
            if matches!(attribute, 1 | 3 | 5) {
                set_u32(value, 0, given_microseconds);
            }
        }),
        "fq_codel" => edit(told, |attribute, value| {
            if matches!(attribute, 1 | 3 | 7) {
                set_u32(value, 0, given_microseconds);
            }
        }),
        _ => told.to_vec(),
    }
}

/// `codel` keeps times in units of 1024 ns, rounded down, and tells them in microseconds, rounded down again: 5000
/// becomes 4999, and 4999 given back would become 4998.
fn given_microseconds(told: u32) -> u32 {
    let kept_and_told = |given: u32| ((u64::from(given) * 1000) >> 10) * 1024 / 1000;
    match told.checked_add(1) {
        Some(more) if kept_and_told(told) < u64::from(told) && kept_and_told(more) == u64::from(told) => more,
        _ => told,
    }
}

/// `tbf` is given bursts in bytes and tells the time they take. Given the time alone, it allows bursts of a few bytes
/// less, which may be less than a packet: so it is given the most bytes that take that time as well.
fn with_bursts(told: &[u8]) -> Vec<u8> {
    let mut given = told.to_vec();
    let find = |wanted| Attributes::new(told).map_while(Result::ok).find(|(kind, _)| *kind == wanted);
    let Some((_, parameters)) = find(TCA_TBF_PARMS) else { return given };
    let wide = |attribute| find(attribute).and_then(|(_, value)| u64_at(value, 0));
    let bursts = [
        (TCA_TBF_BURST, burst(parameters, TBF_RATE_AT, wide(TCA_TBF_RATE64), TBF_BUFFER_AT)),
        (TCA_TBF_PBURST, burst(parameters, TBF_PEAK_AT, wide(TCA_TBF_PRATE64), TBF_MTU_AT)),
    ];
    for (attribute, bytes) in bursts {
        if let Some(bytes) = bytes {
            encode_attribute(&mut given, attribute, &bytes.to_ne_bytes());
        }
    }
    given
}

/// The most bytes that a rate sends before the tick after that many ticks.
fn burst(parameters: &[u8], rate_at: usize, wide_rate: Option<u64>, ticks_at: usize) -> Option<u32> {
    let rate = parameters.get(rate_at..)?;
    if *rate.get(LINK_LAYER_AT)? == LINK_LAYER_ATM {
        // Its cells make steps of 48 bytes, in which the time says enough.
        return None;
    }
    let overhead = u16::from_ne_bytes(*rate.get(OVERHEAD_AT..)?.first_chunk()?);
    let bytes_per_second = match wide_rate {
        Some(wide) => u128::from(wide),
        None => u128::from(u32_at(rate, BYTES_PER_SECOND_AT)?),
    };
    let until = (u128::from(u32_at(parameters, ticks_at)?) + 1) * NANOSECONDS_PER_TICK * bytes_per_second;
    let bytes = until.checked_sub(1)? / NANOSECONDS_PER_SECOND;
    u32::try_from(bytes.checked_sub(overhead.into())?).ok().filter(|bytes| *bytes != 0)
}

/// Copies attributes, each value changed by `change`. What is no list of attributes stays as it is.
fn edit(options: &[u8], change: impl Fn(u16, &mut [u8])) -> Vec<u8> {
    let mut copy = Vec::with_capacity(options.len());
    for attribute in Attributes::new(options) {
        let Ok((kind, value)) = attribute else { return options.to_vec() };
        let mut value = value.to_vec();
        change(kind, &mut value);
        encode_attribute(&mut copy, kind, &value);
    }
    copy
}

fn set_u32(value: &mut [u8], at: usize, change: impl Fn(u32) -> u32) {
    if let Some(word) = value.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *word = change(u32::from_ne_bytes(*word)).to_ne_bytes();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// `fq_codel_change` and `codel_time_to_us`.
        #[test]
        fn a_time_that_codel_told_is_told_again(given in 0_u32..3_000_000_000) {
            let tell = |given: u32| u32::try_from(((u64::from(given) * 1000) >> 10) * 1024 / 1000).unwrap();
            let told = tell(given);
            prop_assert_eq!(tell(given_microseconds(told)), told);
        }

        /// `psched_l2t_ns` and `PSCHED_NS2TICKS`.
        #[test]
        fn a_burst_takes_the_time_that_was_told(rate in 1000_u32.., bytes in 1_u32..10_000_000) {
            let ticks = |bytes: u32| u64::from(bytes) * 1_000_000_000 / u64::from(rate) / 64;
            prop_assume!(ticks(bytes) < u64::from(u32::MAX));
            let mut parameters = [0; 36];
            parameters[8..12].copy_from_slice(&rate.to_ne_bytes());
            parameters[28..32].copy_from_slice(&u32::try_from(ticks(bytes)).unwrap().to_ne_bytes());
            let given = burst(&parameters, TBF_RATE_AT, None, TBF_BUFFER_AT).unwrap();
            prop_assert!(given >= bytes);
            prop_assert_eq!(ticks(given), ticks(bytes));
        }

        #[test]
        fn garbage_never_panics(kind in "htb|tbf|codel|fq_codel|pfifo|cake", told in prop::collection::vec(any::<u8>(), 0..120)) {
            let _ = (as_given(&kind, &told), without_counters(&kind, &told), asked_of(&kind, &told));
        }
    }

    #[test]
    fn five_milliseconds_stay_five_milliseconds() {
        assert_eq!((given_microseconds(4999), given_microseconds(99_999)), (5000, 100_000));
        assert_eq!(given_microseconds(u32::MAX), u32::MAX);
    }
}
