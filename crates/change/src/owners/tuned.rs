//! TuneD, whose active profile writes its values when it starts (tuned.conf(5)).

use host::Host;

use super::{Claim, file_text, glob};

/// Where profiles lie, the first that holds one counts: TuneD 2.22 moved them into `profiles`.
const DIRECTORIES: [&str; 4] =
    ["/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned"];
/// Profiles that include each other are followed this far.
const DEPTH: usize = 8;

/// What the active profile sets, with all that it includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tuned {
    /// Those of a profile before those of the profiles it includes, which it overrides.
    settings: Vec<Setting>,
}

/// One option of one unit of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    profile: String,
    /// The plug-in, such as `sysctl` or `net`.
    plugin: String,
    devices: Option<String>,
    option: String,
    value: String,
    /// `file:line`.
    place: String,
}

/// The active profile; `None` where none is named.
pub(super) fn active(host: &dyn Host) -> Option<Tuned> {
    let names = file_text(host, "/etc/tuned/active_profile")?;
    let mut settings = Vec::new();
    let mut seen = Vec::new();
    // Where several are active, the later wins.
    for name in names.split_whitespace().rev() {
        collect(host, name, DEPTH, &mut seen, &mut settings);
    }
    Some(Tuned { settings })
}

fn collect(host: &dyn Host, name: &str, depth: usize, seen: &mut Vec<String>, settings: &mut Vec<Setting>) {
    if depth == 0 || seen.iter().any(|seen| seen == name) || name.contains('/') {
        return;
    }
    seen.push(name.to_owned());
    let paths = DIRECTORIES.map(|directory| format!("{directory}/{name}/tuned.conf"));
    let Some((path, text)) = paths.into_iter().find_map(|path| Some((path.clone(), file_text(host, &path)?)))
    else {
        return;
    };
    let own = parse(name, &path, &text);
    let includes = own.iter().find(|setting| setting.plugin == "main" && setting.option == "include");
    let includes: Vec<_> = includes
        .map(|setting| setting.value.split([',', ';', ' ']).map(|name| name.trim().to_owned()).collect())
        .unwrap_or_default();
    settings.extend(own);
    for include in includes.iter().rev().filter(|include| !include.is_empty()) {
        collect(host, include, depth - 1, seen, settings);
    }
}

/// A section: its name, and its options with their lines and values.
type Section<'a> = (String, Vec<(usize, &'a str, &'a str)>);

fn parse(profile: &str, path: &str, text: &str) -> Vec<Setting> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((name.trim().to_owned(), vec![]));
        } else if let Some((option, value)) = line.split_once('=').filter(|_| !line.starts_with(['#', ';']))
            && let Some((_, options)) = sections.last_mut()
        {
            options.push((at + 1, option.trim(), value.trim()));
        }
    }
    let settings = |(name, options): Section<'_>| {
        let of = |wanted: &str| {
            let found = options.iter().rev().find(|(_, option, _)| *option == wanted);
            found.map(|(_, _, value)| (*value).to_owned())
        };
        // A section is of the plug-in that `type` names, else of the one that it is called after.
        let (plugin, devices) = (of("type").unwrap_or(name), of("devices"));
        let setting = |(line, option, value): &(usize, &str, &str)| Setting {
            profile: profile.to_owned(),
            plugin: plugin.clone(),
            devices: devices.clone(),
            option: (*option).to_owned(),
            value: (*value).to_owned(),
            place: format!("{path}:{line}"),
        };
        options.iter().map(setting).collect::<Vec<_>>()
    };
    sections.into_iter().flat_map(settings).collect()
}

impl Setting {
    fn applies_to(&self, device: &str) -> bool {
        let Some(devices) = &self.devices else { return true };
        glob::list_matches(devices.split([',', ' ']).filter(|word| !word.is_empty()), device)
    }

    fn claim(&self, what: &str) -> Claim {
        let Self { profile, place, plugin, option, value, .. } = self;
        Claim::new(
            format!(
                "TuneD is running, and its profile {profile} sets {what}: `{option} = {value}` of [{plugin}]"
            ),
            format!("TuneD profile {profile} ({place})"),
            format!(
                "make a profile of your own below /etc/tuned that has `include={profile}` in [main] and the value in \
                 [{plugin}], and activate it with `tuned-adm profile`; or switch TuneD off with `tuned-adm off`"
            ),
        )
    }
}

impl Tuned {
    fn of<'a>(&'a self, plugin: &'a str) -> impl Iterator<Item = &'a Setting> {
        self.settings.iter().filter(move |setting| setting.plugin == plugin)
    }

    /// Its claim on a kernel parameter, unless it sets the same value.
    pub(super) fn sysctl(&self, key: &str, value: &str) -> Option<Claim> {
        let slashes = |key: &str| key.replace('/', ".");
        let setting = self.of("sysctl").find(|setting| slashes(&setting.option) == key)?;
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        (words(&setting.value) != words(value)).then(|| setting.claim(key))
    }

    /// Its claim on where interrupts go.
    pub(super) fn irq_affinity(&self) -> Option<Claim> {
        const OPTIONS: [(&str, &[&str]); 3] = [
            ("irqbalance", &["banned_cpus"]),
            ("scheduler", &["isolated_cores", "default_irq_smp_affinity", "irq_process"]),
            ("irq", &["affinity"]),
        ];
        let wanted = |setting: &&Setting| {
            let named = |(plugin, options): &(&str, &[&str])| {
                *plugin == setting.plugin && options.contains(&setting.option.as_str())
            };
            OPTIONS.iter().any(named)
        };
        self.settings.iter().find(wanted).map(|setting| setting.claim("where interrupts go"))
    }

    /// Its claim on a ring (`ring`) or the number of queues (`channels`) of an interface.
    pub(super) fn interface(&self, option: &str, interface: &str) -> Option<Claim> {
        let mut settings = self.of("net");
        let setting = settings.find(|setting| setting.option == option && setting.applies_to(interface))?;
        Some(setting.claim(&format!("the {option} of {interface}")))
    }

    /// Its claim on an attribute of a block device's queue.
    pub(super) fn block_queue(&self, device: &str, attribute: &str) -> Option<Claim> {
        let option = match attribute {
            "scheduler" => "elevator",
            "read_ahead_kb" => "readahead",
            _ => return None,
        };
        let mut settings = self.of("disk");
        let setting = settings.find(|setting| setting.option == option && setting.applies_to(device))?;
        Some(setting.claim(&format!("{attribute} of {device}")))
    }
}
