//! Parses the files of `/proc` that tell of memory.

use std::collections::BTreeMap;

use host::text;

use super::{Dentries, Slab};

/// Parses `/proc/meminfo` (proc(5)): kB turned to bytes, counts as they are. Returns also how many lines could not be
/// understood.
pub fn parse_meminfo(bytes: &[u8]) -> (BTreeMap<String, u64>, u64) {
    table(bytes, |line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, rest) = line.split_at_checked(colon)?;
        let mut words = text::words(rest.get(1..)?);
        let value = text::decimal(words.next()?)?;
        let unit = if words.next() == Some(b"kB") { 1024 } else { 1 };
        Some((text::string(name.trim_ascii()), value.saturating_mul(unit)))
    })
}

/// Parses `/proc/vmstat` (mm/vmstat.c). Returns also how many lines could not be understood.
pub fn parse_vmstat(bytes: &[u8]) -> (BTreeMap<String, u64>, u64) {
    table(bytes, |line| {
        let mut words = text::words(line);
        Some((text::string(words.next()?), text::decimal(words.next()?)?))
    })
}

fn table(bytes: &[u8], parse: impl Fn(&[u8]) -> Option<(String, u64)>) -> (BTreeMap<String, u64>, u64) {
    let mut skipped = 0;
    let lines = text::lines(bytes).map(|(_, _, line)| line).filter(|line| !line.is_empty());
    let parsed = lines.filter_map(|line| {
        let entry = parse(line);
        skipped += u64::from(entry.is_none());
        entry
    });
    (parsed.collect(), skipped)
}

/// Parses `/proc/slabinfo` version 2 (slabinfo(5)). Returns also how many rows could not be understood.
///
/// A cache's name may hold blanks: the numbers are counted back from the first colon that stands alone.
pub fn parse_slabinfo(bytes: &[u8]) -> (Vec<Slab>, u64) {
    let mut skipped = 0;
    let lines = text::lines(bytes).map(|(_, _, line)| line);
    let rows =
        lines.filter(|line| !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"slabinfo"));
    let slabs = rows.filter_map(|line| {
        let slab = slab(line);
        skipped += u64::from(slab.is_none());
        slab
    });
    (slabs.collect(), skipped)
}

fn slab(line: &[u8]) -> Option<Slab> {
    let words: Vec<&[u8]> = text::words(line).collect();
    let colon = words.iter().position(|word| *word == b":")?;
    let (before, after) = words.split_at_checked(colon)?;
    let (name, numbers) = before.split_at_checked(before.len().checked_sub(5)?)?;
    let number = |index: usize| text::decimal(numbers.get(index)?);
    let slabdata = after.iter().position(|word| *word == b"slabdata")?;
    (!name.is_empty()).then_some(Slab {
        name: text::string(&name.join(&b' ')),
        active_objects: number(0)?,
        objects: number(1)?,
        object_bytes: number(2)?,
        objects_per_slab: number(3)?,
        pages_per_slab: number(4)?,
        slabs: text::decimal(after.get(slabdata + 2)?)?,
    })
}

/// Parses `/proc/sys/fs/dentry-state` (Documentation/admin-guide/sysctl/fs.rst). The fifth number counts negative
/// entries since Linux 5.0; before, it was always 0, so `counts_negative` says whether a 0 means none.
pub fn parse_dentry_state(bytes: &[u8], counts_negative: bool) -> Option<Dentries> {
    let numbers: Vec<_> = text::words(bytes).map(text::decimal).collect();
    let number = |index: usize| numbers.get(index).copied().flatten();
    let negative = number(4).filter(|count| counts_negative || *count > 0);
    Some(Dentries { total: number(0)?, unused: number(1)?, negative })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kilobytes_become_bytes_and_counts_stay() {
        let (meminfo, skipped) =
            parse_meminfo(b"MemTotal:        2041388 kB\nActive(anon):   3 kB\nHugePages_Total:       2\ntorn\nX: \xff kB\n");
        assert_eq!(meminfo["MemTotal"], 2_041_388 * 1024);
        assert_eq!((meminfo["Active(anon)"], meminfo["HugePages_Total"], skipped), (3072, 2, 2));
    }

    #[test]
    fn vmstat_is_names_and_numbers() {
        let (vmstat, skipped) = parse_vmstat(b"nr_free_pages 1071\npswpin 0\nbroken\n");
        assert_eq!((vmstat["nr_free_pages"], vmstat.len(), skipped), (1071, 2, 1));
    }

    #[test]
    fn rows_of_slabinfo_are_read_whatever_the_name_holds() {
        let text = b"slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize>\n\
            dentry            116861 117012    192   21    1 : tunables    0    0    0 : slabdata   5572   5572      0\n\
            bio-120 (254:0)       1     2    3   4    5 : tunables 0 0 0 : slabdata 6 7 0\nbroken 1 2 3 : x\n";
        let (slabs, skipped) = parse_slabinfo(text);
        assert_eq!((slabs[0].name.as_str(), slabs[0].objects, slabs[0].slabs), ("dentry", 117_012, 5572));
        assert_eq!((slabs[1].name.as_str(), slabs[1].slabs, skipped), ("bio-120 (254:0)", 7, 1));
    }

    #[test]
    fn negative_entries_are_not_known_before_linux_5_0() {
        let state = |text: &[u8], counts| parse_dentry_state(text, counts).unwrap().negative;
        assert_eq!(state(b"116861\t115224\t45\t0\t26665\t0\n", false), Some(26_665));
        assert_eq!(state(b"10 5 45 0 0 0\n", false), None);
        assert_eq!(state(b"10 5 45 0 0 0\n", true), Some(0));
        assert_eq!(parse_dentry_state(b"10", true), None);
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            parse_meminfo(&bytes);
            parse_vmstat(&bytes);
            parse_slabinfo(&bytes);
            parse_dentry_state(&bytes, true);
        }

        #[test]
        fn no_row_of_slabinfo_makes_it_panic(before: Vec<u8>, after: Vec<u8>) {
            parse_slabinfo(&[before.as_slice(), b" : ", &after, b" slabdata ", &before].concat());
        }
    }
}
