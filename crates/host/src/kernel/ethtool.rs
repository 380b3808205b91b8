//! What a network driver says of its device, by the `SIOCETHTOOL` ioctl.
//!
//! Layouts: `include/uapi/linux/ethtool.h`. A driver that lacks a command answers `EOPNOTSUPP`, which is listed
//! and not an error.

use std::collections::BTreeMap;

use super::ioctl::{Buffer, Device};
use super::netlink::{text, u32_at, u64_at};
use super::route::require_link;
use super::{Channels, Ethtool, KernelError, Ring};

const ETHTOOL_GDRVINFO: u32 = 0x03;
const ETHTOOL_GRINGPARAM: u32 = 0x10;
const ETHTOOL_GSTRINGS: u32 = 0x1b;
const ETHTOOL_GSTATS: u32 = 0x1d;
const ETHTOOL_GSSET_INFO: u32 = 0x37;
const ETHTOOL_GCHANNELS: u32 = 0x3c;
const ETHTOOL_GLINKSETTINGS: u32 = 0x4c;

const DRIVER_INFO_BYTES: usize = 196;
const NINE_WORDS: usize = 36;
const LINK_SETTINGS_BYTES: usize = 48;
/// Three masks of at most 127 words follow `struct ethtool_link_settings`.
const LINK_MODES_BYTES: usize = 3 * 127 * 4;
const LINK_MODE_WORDS_AT: usize = 15;
const SPEED_UNKNOWN: u32 = u32::MAX;

const ETH_SS_STATS: u32 = 1;
const STRING_BYTES: usize = 32;
const STRINGS_AT: usize = 12;
const STATISTICS_AT: usize = 8;
/// Far above any driver; guards the allocation.
const STATISTICS_AT_MOST: u32 = 1 << 17;
/// The driver may grow its set between two calls, and older kernels write however many it then has.
const STATISTICS_TO_SPARE: usize = 4096;

/// Asks a network driver for its name, rings, channels, speed and counters.
///
/// Reading counters makes some drivers ask their firmware under the kernel's network lock, which takes
/// milliseconds: not for a tight loop.
///
/// # Errors
/// [`KernelError::Io`] with `ENODEV` if there is no such interface, or what the kernel answers, except
/// `EOPNOTSUPP`, which is listed in [`Ethtool::unsupported`].
pub fn ethtool(interface: &str) -> Result<Ethtool, KernelError> {
    let query = format!("ethtool ioctl on {interface}");
    let device = Device::open(&query, interface)?;
    require_link(&query, interface)?;
    let mut answer = Ethtool::default();
    if let Some(bytes) =
        ask(&mut answer, "driver", &query, &device, Buffer::new(ETHTOOL_GDRVINFO, DRIVER_INFO_BYTES))?
    {
        read_driver(&mut answer, &bytes);
    }
    if let Some(bytes) =
        ask(&mut answer, "rings", &query, &device, Buffer::new(ETHTOOL_GRINGPARAM, NINE_WORDS))?
    {
        answer.ring = parse_ring(&bytes);
    }
    if let Some(bytes) =
        ask(&mut answer, "channels", &query, &device, Buffer::new(ETHTOOL_GCHANNELS, NINE_WORDS))?
    {
        answer.channels = parse_channels(&bytes);
    }
    answer.speed_mbits = speed(&mut answer, &query, &device)?;
    answer.statistics = statistics(&mut answer, &query, &device)?;
    Ok(answer)
}

/// Runs one command; `None`, and a note of its name, if the driver does not support it.
fn ask(
    answer: &mut Ethtool,
    name: &str,
    query: &str,
    device: &Device,
    mut buffer: Buffer,
) -> Result<Option<Vec<u8>>, KernelError> {
    match device.run(query, &mut buffer) {
        Ok(()) => Ok(Some(buffer.to_bytes())),
        Err(KernelError::Unsupported { .. }) => {
            answer.unsupported.push(name.to_owned());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// `struct ethtool_drvinfo`.
fn read_driver(answer: &mut Ethtool, bytes: &[u8]) {
    let field = |at: usize| {
        let value = text(bytes.get(at..)?.first_chunk::<32>()?);
        Some(value).filter(|value| !value.is_empty() && value != "N/A")
    };
    answer.driver = field(4);
    answer.driver_version = field(36);
    answer.firmware_version = field(68);
    answer.bus = field(100);
}

/// `struct ethtool_ringparam`: maxima of receive, mini, jumbo, transmit, then the values in use.
fn parse_ring(bytes: &[u8]) -> Option<Ring> {
    let (receive, receive_max) = used_of(bytes, 20, 4);
    let (transmit, transmit_max) = used_of(bytes, 32, 16);
    let ring = Ring { receive, receive_max, transmit, transmit_max };
    (ring != Ring::default()).then_some(ring)
}

/// `struct ethtool_channels`: maxima of receive, transmit, other, combined, then the counts in use.
fn parse_channels(bytes: &[u8]) -> Option<Channels> {
    let (receive, receive_max) = used_of(bytes, 20, 4);
    let (transmit, transmit_max) = used_of(bytes, 24, 8);
    let (combined, combined_max) = used_of(bytes, 32, 16);
    let channels = Channels { combined, combined_max, receive, receive_max, transmit, transmit_max };
    (channels != Channels::default()).then_some(channels)
}

fn used_of(bytes: &[u8], used_at: usize, max_at: usize) -> (Option<u32>, Option<u32>) {
    let max = u32_at(bytes, max_at).filter(|&max| max != 0);
    (max.and_then(|_| u32_at(bytes, used_at)), max)
}

/// `struct ethtool_link_settings`: a first call with no room for link modes answers minus the words they need,
/// the second, told that number, answers in full.
fn speed(answer: &mut Ethtool, query: &str, device: &Device) -> Result<Option<u32>, KernelError> {
    let first = Buffer::new(ETHTOOL_GLINKSETTINGS, LINK_SETTINGS_BYTES);
    let Some(bytes) = ask(answer, "link-settings", query, device, first)? else { return Ok(None) };
    let words = bytes.get(LINK_MODE_WORDS_AT).map_or(0, |&byte| byte.cast_signed());
    if words >= 0 {
        return Err(KernelError::malformed(query, LINK_MODE_WORDS_AT));
    }
    let mut second = Buffer::new(ETHTOOL_GLINKSETTINGS, LINK_SETTINGS_BYTES + LINK_MODES_BYTES);
    second.set_u32(LINK_MODE_WORDS_AT - 3, u32::from_ne_bytes([0, 0, 0, words.unsigned_abs()]));
    let bytes = ask(answer, "link-settings", query, device, second)?;
    Ok(bytes.and_then(|bytes| u32_at(&bytes, 4)).filter(|&speed| speed != SPEED_UNKNOWN && speed != 0))
}

fn statistics(
    answer: &mut Ethtool,
    query: &str,
    device: &Device,
) -> Result<BTreeMap<String, u64>, KernelError> {
    let mut info = Buffer::new(ETHTOOL_GSSET_INFO, 24);
    info.set_u64(8, 1 << ETH_SS_STATS);
    let Some(info) = ask(answer, "statistics", query, device, info)? else { return Ok(BTreeMap::new()) };
    let Some(count) = statistics_count(&info) else {
        answer.unsupported.push("statistics".to_owned());
        return Ok(BTreeMap::new());
    };
    if count > STATISTICS_AT_MOST {
        return Err(KernelError::malformed(query, 16));
    }
    let room = usize::try_from(count).unwrap_or(0).saturating_mul(2).saturating_add(STATISTICS_TO_SPARE);
    let mut names =
        Buffer::new(ETHTOOL_GSTRINGS, STRINGS_AT.saturating_add(room.saturating_mul(STRING_BYTES)));
    names.set_u32(4, ETH_SS_STATS);
    names.set_u32(8, count);
    let Some(names) = ask(answer, "statistics", query, device, names)? else { return Ok(BTreeMap::new()) };
    let mut values = Buffer::new(ETHTOOL_GSTATS, STATISTICS_AT.saturating_add(room.saturating_mul(8)));
    values.set_u32(4, count);
    let Some(values) = ask(answer, "statistics", query, device, values)? else { return Ok(BTreeMap::new()) };
    parse_statistics(query, &names, &values)
}

/// `struct ethtool_sset_info`: a mask of the sets asked for that exist, then their lengths.
fn statistics_count(bytes: &[u8]) -> Option<u32> {
    let mask = u64_at(bytes, 8)?;
    if mask & (1 << ETH_SS_STATS) == 0 {
        return None;
    }
    u32_at(bytes, 16).filter(|&count| count != 0)
}

/// `struct ethtool_gstrings` and `struct ethtool_stats`, whose counts must agree or the names would be wrong.
fn parse_statistics(query: &str, names: &[u8], values: &[u8]) -> Result<BTreeMap<String, u64>, KernelError> {
    let malformed = |at| KernelError::malformed(query, at);
    let count = u32_at(names, 8).ok_or_else(|| malformed(8))?;
    if u32_at(values, 4) != Some(count) {
        return Err(malformed(4));
    }
    let count = usize::try_from(count).map_err(|_| malformed(8))?;
    let names = names.get(STRINGS_AT..).unwrap_or_default().chunks_exact(STRING_BYTES);
    let values = values.get(STATISTICS_AT..).unwrap_or_default().chunks_exact(8);
    if names.len() < count || values.len() < count {
        return Err(malformed(8));
    }
    let mut statistics = BTreeMap::new();
    for (name, value) in names.zip(values).take(count) {
        let sum: &mut u64 = statistics.entry(text(name).trim().to_owned()).or_default();
        *sum = sum.saturating_add(u64_at(value, 0).unwrap_or(0));
    }
    Ok(statistics)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::NetworkNamespace;
    use super::*;

    #[test]
    fn lo_answers_or_is_cleanly_unsupported() {
        let answer = ethtool("lo").unwrap();
        assert_eq!((&answer.ring, &answer.channels, answer.speed_mbits), (&None, &None, None));
        assert!(answer.unsupported.contains(&"rings".to_owned()), "{answer:?}");
    }

    #[test]
    fn a_veth_names_its_driver_and_counters() {
        let namespace = NetworkNamespace::new();
        namespace.ip(&["link", "add", "inner", "type", "veth", "peer", "name", "outer"]);
        namespace.ip(&["link", "set", "inner", "up"]);
        namespace.ip(&["link", "set", "outer", "up"]);
        let answer = namespace.run(|| ethtool("inner")).unwrap();
        assert_eq!((answer.driver.as_deref(), answer.speed_mbits), (Some("veth"), Some(10_000)));
        assert!(answer.statistics.contains_key("peer_ifindex"), "{answer:?}");
        assert!(answer.channels.is_some_and(|channels| channels.receive.is_some()));
    }

    #[test]
    fn an_interface_that_does_not_exist_is_an_error() {
        let error = ethtool("no-such-link").unwrap_err();
        assert_eq!(error.to_string(), "ethtool ioctl on no-such-link: No such device (os error 19)");
    }

    fn answers(list: &[(String, u64)]) -> (Vec<u8>, Vec<u8>) {
        let count = u32::try_from(list.len()).unwrap().to_ne_bytes();
        let mut names = [[0; 4], [0; 4], count].concat();
        let mut values = [[0; 4], count].concat();
        for (name, value) in list {
            let mut padded = name.as_bytes().to_vec();
            padded.resize(STRING_BYTES, 0);
            names.extend(padded);
            values.extend(value.to_ne_bytes());
        }
        (names, values)
    }

    #[test]
    fn counts_that_disagree_are_refused_rather_than_misnamed() {
        let (names, _) = answers(&[("a".to_owned(), 1), ("b".to_owned(), 2)]);
        let (_, values) = answers(&[("a".to_owned(), 1)]);
        assert!(matches!(parse_statistics("test", &names, &values), Err(KernelError::Malformed { .. })));
    }

    #[test]
    fn counters_of_one_name_are_added_up() {
        let (names, values) = answers(&[("rx".to_owned(), 1), ("rx".to_owned(), 2)]);
        assert_eq!(parse_statistics("test", &names, &values).unwrap()["rx"], 3);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(names in prop::collection::vec(any::<u8>(), 0..200), values in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_statistics("test", &names, &values);
            let _ = (parse_ring(&names), parse_channels(&names), statistics_count(&names));
            read_driver(&mut Ethtool::default(), &names);
        }

        #[test]
        fn statistics_round_trip(list in prop::collection::btree_map("[a-z_0-9]{1,31}", any::<u64>(), 0..20)) {
            let pairs: Vec<_> = list.clone().into_iter().collect();
            let (names, values) = answers(&pairs);
            prop_assert_eq!(parse_statistics("test", &names, &values).unwrap(), list);
        }
    }
}
