//! Daemons that run on a host.

use std::collections::BTreeMap;

use host::Host;

/// The arguments of each named daemon that runs. A daemon is known by `comm`, or by the path of its program or script
/// among its arguments: TuneD is a Python script, whose `comm` may be that of the interpreter.
pub(super) fn running(host: &dyn Host, names: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    let processes = host.list("/proc").unwrap_or_default();
    for process in processes.iter().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
        let Ok(comm) = host.value(&format!("/proc/{process}/comm")) else { continue };
        let named = names.iter().find(|name| **name == comm);
        if named.is_none() && !comm.starts_with("python") {
            continue;
        }
        let cmdline = host.read(&format!("/proc/{process}/cmdline")).unwrap_or_default();
        let arguments: Vec<String> = cmdline
            .split(|byte| *byte == 0)
            .filter(|word| !word.is_empty())
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let script = |name: &&&str| {
            let path = format!("/usr/sbin/{name}");
            arguments.iter().take(4).any(|argument| *argument == path)
        };
        if let Some(name) = named.or_else(|| names.iter().find(script)) {
            found.entry((*name).to_owned()).or_insert(arguments);
        }
    }
    found
}
