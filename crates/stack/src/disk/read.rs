//! Reads `/proc/diskstats` and the queues in `/sys/block`.

use host::{Host, HostError, text};
use model::Unread;

use super::{Device, Facts};

/// Reads the layer at this instant.
///
/// # Errors
/// When `/proc/diskstats` cannot be read.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let mut facts = parse(&host.read("/proc/diskstats").map_err(|error| HostError::unread(&error))?);
    let whole = host.list("/sys/block").ok();
    for device in &mut facts.devices {
        device.whole = match &whole {
            Some(names) => names.binary_search(&device.name).is_ok(),
            None => !looks_like_a_partition(&device.name),
        };
        if device.whole && (device.reads > 0 || device.writes > 0) {
            read_queue(host, device);
        }
    }
    Ok(facts)
}

/// Parses `/proc/diskstats`. A line that is too short or holds no numbers is counted in `skipped`.
pub fn parse(bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    for (_, _, line) in text::lines(bytes).filter(|(_, _, line)| !line.is_empty()) {
        match device(line) {
            Some(device) => facts.devices.push(device),
            None => facts.skipped += 1,
        }
    }
    facts
}

fn device(line: &[u8]) -> Option<Device> {
    let mut words = text::words(line);
    let major = u32::try_from(text::decimal(words.next()?)?).ok()?;
    let minor = u32::try_from(text::decimal(words.next()?)?).ok()?;
    let name = text::string(words.next()?);
    let fields: Vec<u64> = words.map_while(text::decimal).collect();
    let field = |index: usize| fields.get(index).copied();
    Some(Device {
        name,
        major,
        minor,
        whole: false,
        reads: field(0)?,
        sectors_read: field(2)?,
        read_ms: field(3)?,
        writes: field(4)?,
        sectors_written: field(6)?,
        write_ms: field(7)?,
        in_flight: field(8)?,
        busy_ms: field(9)?,
        weighted_ms: field(10)?,
        flushes: field(15),
        flush_ms: field(16),
        scheduler: None,
        rotational: None,
        queue_requests: None,
    })
}

fn looks_like_a_partition(name: &str) -> bool {
    let stem = name.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let numbered = stem.len() < name.len();
    let by_letter = ["sd", "vd", "xvd", "hd"].iter().any(|prefix| name.starts_with(prefix));
    numbered && (by_letter || (stem.ends_with('p') && name.starts_with("nvme")))
}

fn read_queue(host: &dyn Host, device: &mut Device) {
    let queue = |file: &str| host.value(&format!("/sys/block/{}/queue/{file}", device.name)).ok();
    let scheduler = queue("scheduler").map(|text| active_scheduler(&text));
    let rotational = queue("rotational").map(|text| text == "1");
    let requests = queue("nr_requests").and_then(|text| text.parse().ok());
    (device.scheduler, device.rotational, device.queue_requests) = (scheduler, rotational, requests);
}

/// The name in brackets of `none [mq-deadline] bfq`; the whole text where there are none.
fn active_scheduler(text: &str) -> String {
    let bracketed = text.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    bracketed.map_or(text, |(name, _)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_linux_2_6_to_6_x_is_read_and_garbage_is_counted() {
        let facts = parse(
            b" 254 0 vda 10 1 200 30 40 5 600 70 1 90 100 0 0 0 0 3 9\n 7 0 loop0 0 0 0 0 0 0 0 0 0 0 0\nbroken\n",
        );
        assert_eq!(facts.skipped, 1);
        assert_eq!((facts.devices[0].busy_ms, facts.devices[0].flushes), (90, Some(3)));
        assert_eq!(facts.devices[1].flushes, None);
    }

    #[test]
    fn the_active_scheduler_stands_in_brackets() {
        assert_eq!(active_scheduler("none [mq-deadline] bfq"), "mq-deadline");
        assert_eq!(active_scheduler("none"), "none");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            parse(&bytes);
        }
    }
}
