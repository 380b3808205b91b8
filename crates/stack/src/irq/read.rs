//! Reads `/proc/interrupts`, `/proc/softirqs`, `/proc/net/softnet_stat` and the affinity of network interrupts.
//!
//! Two affinity files are read per interrupt, so only interrupts that [`Vector::parse`] takes for a network device's
//! get them, and no more than [`MOST_VECTORS`]: a host of 64 CPUs has a thousand rows, of which a network card holds 64.

use std::collections::BTreeMap;

use host::{Host, HostError, text};
use model::Unread;

use super::{Facts, Interrupt, Softnet, Vector};

/// The most interrupts whose affinity is read; ten thousand file reads would themselves be a load.
pub const MOST_VECTORS: usize = 256;

/// Reads the layer at this instant.
///
/// # Errors
/// When `/proc/softirqs` and `/proc/net/softnet_stat` can both not be read: without either nothing is judged.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let mut facts = match host.read("/proc/interrupts") {
        Ok(bytes) => parse_interrupts(&bytes),
        Err(_) => Facts::default(),
    };
    let softirqs = host.read("/proc/softirqs");
    let softnet = host.read("/proc/net/softnet_stat");
    if let (Err(error), Err(_)) = (&softirqs, &softnet) {
        return Err(HostError::unread(error));
    }
    if let Ok(bytes) = softirqs {
        let table = parse_softirqs(&bytes);
        facts.skipped += table.skipped;
        if facts.columns.is_empty() {
            facts.columns.clone_from(&table.columns);
        }
        facts.softirqs = table.of(&facts.columns);
    }
    if let Ok(bytes) = softnet {
        let (rows, skipped) = parse_softnet(&bytes);
        facts.softnet = rows;
        facts.skipped += skipped;
    }
    read_affinity(host, &mut facts);
    Ok(facts)
}

fn read_affinity(host: &dyn Host, facts: &mut Facts) {
    let interfaces = host.list("/sys/class/net").unwrap_or_default();
    let vectors = facts.interrupts.iter_mut().filter(|row| row.label.bytes().all(|b| b.is_ascii_digit()));
    let vectors = vectors.filter(|row| Vector::parse(&row.name, &interfaces).is_some());
    for row in vectors.take(MOST_VECTORS) {
        let list = |file: &str| host.value(&format!("/proc/irq/{}/{file}", row.label)).ok();
        let (affinity, effective) = (list("smp_affinity_list"), list("effective_affinity_list"));
        (row.affinity, row.effective) = (affinity, effective.filter(|cpus| !cpus.is_empty()));
    }
}

/// Parses `/proc/interrupts` into `columns` and `interrupts`; the rest of the facts is empty.
///
/// The header names the CPUs that are online. Rows such as `ERR` hold one count for the whole machine. A row without a
/// label or without any count is counted in `skipped`.
pub fn parse_interrupts(bytes: &[u8]) -> Facts {
    let mut facts = Facts::default();
    let mut lines = text::lines(bytes).map(|(_, _, line)| line);
    facts.columns = lines.next().map(columns).unwrap_or_default();
    for line in lines.filter(|line| !line.iter().all(u8::is_ascii_whitespace)) {
        match interrupt(line, facts.columns.len()) {
            Some(row) => facts.interrupts.push(row),
            None => facts.skipped += 1,
        }
    }
    facts
}

fn columns(header: &[u8]) -> Vec<u32> {
    let number = |word: &[u8]| u32::try_from(text::decimal(word.strip_prefix(b"CPU")?)?).ok();
    text::words(header).filter_map(number).collect()
}

fn interrupt(line: &[u8], columns: usize) -> Option<Interrupt> {
    let mut words = text::words(line).peekable();
    let label = text::string(words.next()?.strip_suffix(b":")?);
    let mut counts = Vec::with_capacity(columns);
    while counts.len() < columns {
        let Some(count) = words.peek().and_then(|word| text::decimal(word)) else { break };
        counts.push(count);
        words.next();
    }
    let name: Vec<_> = words.map(text::string).collect();
    (!label.is_empty() && !counts.is_empty()).then(|| Interrupt {
        label,
        name: name.join(" "),
        counts,
        affinity: None,
        effective: None,
    })
}

/// `/proc/softirqs`, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Softirqs {
    /// The CPUs of the columns.
    pub columns: Vec<u32>,
    /// Counts per column, by name.
    pub counts: BTreeMap<String, Vec<u64>>,
    /// Lines that could not be understood.
    pub skipped: u64,
}

impl Softirqs {
    /// The counts of chosen CPUs, in their order; a CPU without a column counts 0.
    fn of(&self, cpus: &[u32]) -> BTreeMap<String, Vec<u64>> {
        let places: Vec<_> =
            cpus.iter().map(|cpu| self.columns.iter().position(|column| column == cpu)).collect();
        let chosen = |counts: &Vec<u64>| {
            places.iter().map(|place| place.and_then(|at| counts.get(at).copied()).unwrap_or(0)).collect()
        };
        self.counts.iter().map(|(name, counts)| (name.clone(), chosen(counts))).collect()
    }
}

/// Parses `/proc/softirqs`. Unlike `/proc/interrupts` its columns are all possible CPUs, offline ones included.
///
/// A row is kept only when it has a count for each column.
pub fn parse_softirqs(bytes: &[u8]) -> Softirqs {
    let mut table = Softirqs::default();
    let mut lines = text::lines(bytes).map(|(_, _, line)| line);
    table.columns = lines.next().map(columns).unwrap_or_default();
    for line in lines.filter(|line| !line.iter().all(u8::is_ascii_whitespace)) {
        let mut words = text::words(line);
        let label = words.next().and_then(|word| word.strip_suffix(b":"));
        let counts: Vec<u64> = words.map_while(text::decimal).collect();
        match label {
            Some(label) if !label.is_empty() && counts.len() == table.columns.len() => {
                table.counts.insert(text::string(label), counts);
            }
            _ => table.skipped += 1,
        }
    }
    table
}

/// Parses `/proc/net/softnet_stat`: a row of hexadecimal numbers per CPU that is online, and how many were skipped.
///
/// Linux before 5.10 prints 11 columns (older still: 9 or 10) and no CPU number; 5.10 to 6.5 print 13, later ones 15
/// (net/core/net-procfs.c, `softnet_seq_show`).
pub fn parse_softnet(bytes: &[u8]) -> (Vec<Softnet>, u64) {
    let (mut rows, mut skipped) = (Vec::new(), 0);
    let lines = text::lines(bytes).map(|(_, _, line)| line);
    for (index, line) in lines.filter(|line| !line.iter().all(u8::is_ascii_whitespace)).enumerate() {
        match softnet(line, index) {
            Some(row) => rows.push(row),
            None => skipped += 1,
        }
    }
    (rows, skipped)
}

fn softnet(line: &[u8], index: usize) -> Option<Softnet> {
    let fields: Vec<u64> = text::words(line).map(text::hexadecimal).collect::<Option<_>>()?;
    let field = |column: usize| fields.get(column - 1).copied();
    let cpu = field(13).map_or_else(|| u32::try_from(index).ok(), |cpu| u32::try_from(cpu).ok())?;
    Some(Softnet {
        cpu,
        processed: field(1)?,
        dropped: field(2)?,
        time_squeeze: field(3)?,
        received_rps: field(10).unwrap_or_default(),
        flow_limit: field(11).unwrap_or_default(),
        backlog: field(12),
    })
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    const GUEST: &[u8] = b"           CPU0       CPU1       CPU2       CPU3       \n  \
        0:         92          0          0          0   IO-APIC   2-edge      timer\n \
        31:       1541          0          0          7   PCI-MSI 65537-edge      virtio2-input.0\n\
        LOC:       2847       1994       2045       1973   Local timer interrupts\n\
        ERR:          0\nMIS:          0\n  garbage\n\xff\xfe: x\n";

    #[test]
    fn interrupts_of_linux_6_1_are_read_and_garbage_is_counted() {
        let facts = parse_interrupts(GUEST);
        assert_eq!(facts.columns, [0, 1, 2, 3]);
        let input = &facts.interrupts[1];
        assert_eq!((input.label.as_str(), input.name.as_str()), ("31", "PCI-MSI 65537-edge virtio2-input.0"));
        assert_eq!(input.counts, [1541, 0, 0, 7]);
        assert_eq!(facts.interrupts.last().unwrap().label, "MIS");
        assert_eq!((facts.interrupts.len(), facts.skipped), (5, 2));
    }

    #[test]
    fn columns_are_the_cpus_that_are_online() {
        let facts = parse_interrupts(b"   CPU0   CPU2   CPU255\n 24:  1  2  3  eth0\n");
        assert_eq!(facts.columns, [0, 2, 255]);
        assert_eq!(facts.interrupts[0].counts, [1, 2, 3]);
    }

    #[test]
    fn two_hundred_and_fifty_six_cpus_fit() {
        let header: String = (0..256).map(|cpu| format!(" CPU{cpu}")).collect();
        let counts = " 7".repeat(256);
        let facts =
            parse_interrupts(format!("{header}\n 9:{counts} PCI-MSI 1-edge eth0-TxRx-0\n").as_bytes());
        assert_eq!((facts.interrupts[0].counts.len(), facts.skipped), (256, 0));
    }

    #[test]
    fn a_softirq_row_with_missing_columns_is_skipped() {
        let table = parse_softirqs(b"  CPU0 CPU1\n NET_RX: 5 6\n NET_TX: 5\n");
        assert_eq!((table.counts.get("NET_RX"), table.skipped), (Some(&vec![5, 6]), 1));
    }

    #[test]
    fn softirqs_of_offline_cpus_are_left_out() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/interrupts", "  CPU0 CPU2\n");
        tree.put(0, "/proc/softirqs", "  CPU0 CPU1 CPU2\n NET_RX: 5 6 7\n");
        assert_eq!(read(&tree.at(0)).unwrap().softirqs.get("NET_RX"), Some(&vec![5, 7]));
    }

    #[test]
    fn softnet_rows_of_old_and_new_kernels_are_read() {
        let (old, _) = parse_softnet(b"0a 01 02 00 00 00 00 00 00 03 04\n0b 00 00 00 00 00 00 00 00 00 00\n");
        assert_eq!((old[1].cpu, old[0].received_rps, old[0].flow_limit, old[0].backlog), (1, 3, 4, None));
        let (new, _) = parse_softnet(b"70ac 1 fb 0 0 0 0 0 0 0 0 5 7 2 3\n");
        assert_eq!(
            (new[0].cpu, new[0].processed, new[0].time_squeeze, new[0].backlog),
            (7, 28844, 251, Some(5))
        );
        assert_eq!(parse_softnet(b"xyz\n01\n").1, 2);
    }

    #[test]
    fn only_network_interrupts_have_their_affinity_read() {
        let mut tree = Tree::in_memory(1);
        tree.put(0, "/proc/interrupts", GUEST);
        tree.put(0, "/proc/softirqs", "  CPU0\n NET_RX: 1\n");
        for irq in [0, 31] {
            tree.put(0, &format!("/proc/irq/{irq}/smp_affinity_list"), "0-3\n");
            tree.put(0, &format!("/proc/irq/{irq}/effective_affinity_list"), "2\n");
        }
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!(facts.interrupts[0].affinity, None);
        assert_eq!(facts.interrupts[1].affinity.as_deref(), Some("0-3"));
        assert_eq!(facts.interrupts[1].effective.as_deref(), Some("2"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            parse_interrupts(&bytes);
            parse_softirqs(&bytes);
            parse_softnet(&bytes);
        }

        #[test]
        fn no_lines_make_it_panic(text in "[ 0-9a-fCPU:\n]{0,200}") {
            parse_interrupts(text.as_bytes());
            parse_softirqs(text.as_bytes());
            parse_softnet(text.as_bytes());
        }
    }
}
