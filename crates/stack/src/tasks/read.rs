//! Reads the census of all tasks from a host.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use host::{Host, HostError, text};
use model::Unread;

use super::detail::Seen;
use super::scan::Scanner;
use super::{CommandTime, Facts};

/// Commands whose CPU time is kept.
const MOST_COMMANDS: usize = 32;

/// Reads the layer at this instant.
///
/// # Errors
/// When `/proc` cannot be listed or lists no process.
pub fn read(host: &dyn Host) -> Result<Facts, Unread> {
    let mut facts = Facts::default();
    let mut times: BTreeMap<Vec<u8>, Census> = BTreeMap::new();
    facts.skipped = Scanner::default().census(host, |seen| count(&mut facts, &mut times, seen))?;
    facts.commands =
        times.iter().map(|(command, census)| (text::string(command), census.processes)).collect();
    let used = times
        .into_iter()
        .map(|(command, census)| CommandTime { command: text::string(&command), ..census.time });
    facts.cpu = used.filter(|time| time.user > 0 || time.system > 0 || time.block_io > 0).collect();
    facts.cpu.sort_by_key(|time| Reverse(time.user.saturating_add(time.system)));
    facts.cpu.truncate(MOST_COMMANDS);
    facts.unread.extend(stacks_out_of_reach(host));
    Ok(facts)
}

/// Why the kernel stacks of waiting tasks cannot be read without root's rights. Root in a container may be denied that
/// of its init alone, which says nothing of the others.
fn stacks_out_of_reach(host: &dyn Host) -> Option<Unread> {
    host.is_root().filter(|root| !root)?;
    match host.read("/proc/1/stack") {
        Err(error @ HostError::Permission { .. }) => {
            Some(Unread { why: format!("{error}, nor that of any other user's task"), ..error.unread() })
        }
        _ => None,
    }
}

#[derive(Default)]
struct Census {
    processes: u64,
    time: CommandTime,
}

fn count(facts: &mut Facts, times: &mut BTreeMap<Vec<u8>, Census>, seen: &Seen) {
    facts.threads += 1;
    *facts.states.entry(seen.stat.state).or_default() += 1;
    if !times.contains_key(seen.stat.command) {
        times.insert(seen.stat.command.to_vec(), Census::default());
    }
    let Some(census) = times.get_mut(seen.stat.command) else { return };
    census.time.block_io = census.time.block_io.saturating_add(seen.stat.block_io.unwrap_or(0));
    // The first thread's line holds the CPU time of the whole process.
    if seen.is_first() {
        facts.processes += 1;
        census.processes += 1;
        census.time.user = census.time.user.saturating_add(seen.stat.user.unwrap_or(0));
        census.time.system = census.time.system.saturating_add(seen.stat.system.unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use host::Tree;

    use super::*;

    #[test]
    fn processes_and_threads_are_counted_by_command_and_state() {
        let mut tree = Tree::in_memory(1);
        let tail = "0 0 0 0 30 12 0 0 20 0";
        tree.put(0, "/proc/1/stat", format!("1 (systemd) S 0 1 1 0 -1 0 {tail} 1 0"));
        tree.put(0, "/proc/8/stat", format!("8 (php-fpm8.2) D 1 1 1 0 -1 0 {tail} 1 0"));
        tree.put(0, "/proc/9/stat", format!("9 (php-fpm8.2) S 1 1 1 0 -1 0 {tail} 2 0"));
        tree.put(0, "/proc/9/task/9/stat", format!("9 (php-fpm8.2) S 1 1 1 0 -1 0 {tail} 2 0"));
        tree.put(0, "/proc/9/task/10/stat", format!("10 (worker) D 1 1 1 0 -1 0 {tail} 2 0"));
        let facts = read(&tree.at(0)).unwrap();
        assert_eq!((facts.processes, facts.threads), (3, 4));
        assert_eq!(facts.states, BTreeMap::from([('D', 2), ('S', 2)]));
        assert_eq!(facts.commands.get("php-fpm8.2"), Some(&2));
        assert_eq!((facts.cpu[0].command.as_str(), facts.cpu[0].user), ("php-fpm8.2", 60));
    }
}
