//! Timers of systemd and the services they start, with their drop-ins (systemd.unit(5)).

use std::collections::{BTreeMap, BTreeSet};

use conf::{SettingsDialect, SettingsDocument};
use host::Host;

use super::{Clockwork, Job, Service, command, schedule};

/// Where units lie, the folder that counts most first.
const FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// The most timers that are read.
const MOST_TIMERS: usize = 300;

/// Settings by key, the last that counts.
type Settings = BTreeMap<String, String>;

/// Every timer that starts a service that runs PHP.
pub(super) fn jobs(host: &dyn Host) -> Vec<Job> {
    let mut names = BTreeSet::new();
    let mut wanted = BTreeSet::new();
    for folder in FOLDERS {
        let is_timer = |name: &String| name.ends_with(".timer");
        names.extend(host.list(folder).unwrap_or_default().into_iter().filter(is_timer));
        for target in ["timers.target", "multi-user.target", "default.target"] {
            let links = host.list(&format!("{folder}/{target}.wants")).unwrap_or_default();
            wanted.extend(links.into_iter().filter(is_timer));
        }
    }
    names.extend(wanted.iter().cloned());
    names.retain(|name| !name.ends_with("@.timer"));
    names.iter().take(MOST_TIMERS).filter_map(|name| job(host, name, wanted.contains(name))).collect()
}

fn job(host: &dyn Host, name: &str, wanted: bool) -> Option<Job> {
    let timer = Unit::read(host, name)?;
    let section = timer.section("Timer");
    let stem = name.strip_suffix(".timer")?;
    let unit = section.get("Unit").cloned().unwrap_or_else(|| format!("{stem}.service"));
    let service = Unit::read(host, &unit);
    let settings = service.as_ref().map(|service| service.section("Service")).unwrap_or_default();
    let run = service.as_ref().map(Unit::commands).unwrap_or_default();
    // A timer without a service is of interest where its name says what it was for.
    let of_interest = command::runs_php(&run) || (service.is_none() && unit.contains("wp-cron"));
    if !of_interest {
        return None;
    }
    let (written, period_s) = timer.schedule();
    Some(Job {
        clockwork: Clockwork::Timer,
        file: timer.file.clone(),
        line: 0,
        schedule: written,
        period_s,
        user: service.is_some().then(|| settings.get("User").cloned().unwrap_or_else(|| "root".to_owned())),
        command: command::without_secrets(&run),
        service: Some(Service { unit, file: service.map(|service| service.file), settings, timer: section }),
        enabled: Some(wanted),
    })
}

/// A unit with its drop-ins.
struct Unit {
    file: String,
    documents: Vec<SettingsDocument>,
    instance: Option<String>,
}

impl Unit {
    fn read(host: &dyn Host, name: &str) -> Option<Self> {
        let (template, instance) = match name.split_once('@') {
            Some((stem, rest)) => {
                let (instance, kind) = rest.rsplit_once('.')?;
                (Some(format!("{stem}@.{kind}")), Some(instance.to_owned()))
            }
            None => (None, None),
        };
        let found = [Some(name.to_owned()), template.clone()].into_iter().flatten().find_map(|name| {
            FOLDERS.iter().find_map(|folder| {
                let path = format!("{folder}/{name}");
                host.read(&path).ok().map(|bytes| (path, bytes))
            })
        });
        let (file, bytes) = found?;
        let mut documents = vec![SettingsDocument::new(file.clone(), bytes, SettingsDialect::Systemd)];
        let mut drop_ins: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for name in [template.as_deref(), Some(name)].into_iter().flatten() {
            for folder in FOLDERS.iter().rev() {
                let folder = format!("{folder}/{name}.d");
                let names = host.list(&folder).unwrap_or_default();
                for name in names.into_iter().filter(|name| name.ends_with(".conf")) {
                    if let Ok(bytes) = host.read(&format!("{folder}/{name}")) {
                        drop_ins.insert(name, bytes);
                    }
                }
            }
        }
        let read =
            |(name, bytes): (String, Vec<u8>)| SettingsDocument::new(name, bytes, SettingsDialect::Systemd);
        documents.extend(drop_ins.into_iter().map(read));
        Some(Self { file, documents, instance })
    }

    /// Every value of a key, in order; an empty one takes those before it away.
    fn all(&self, section: &str, key: &str) -> Vec<String> {
        let mut values = vec![];
        for (found, value) in self.settings(section) {
            if found == key && value.is_empty() {
                values.clear();
            } else if found == key {
                values.push(value);
            }
        }
        values
    }

    fn settings(&self, section: &str) -> Vec<(String, String)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let of = |setting: &&conf::Setting| setting.section.as_deref() == Some(section.as_bytes());
        let all = self.documents.iter().flat_map(SettingsDocument::settings).filter(of);
        all.map(|setting| (text(&setting.key), self.filled_in(text(&setting.value)))).collect()
    }

    /// The last value of each key, those that hold secrets left out.
    fn section(&self, section: &str) -> Settings {
        let secret = |key: &str| key.contains("Environment") || key.contains("Credential");
        let all = self.settings(section).into_iter().filter(|(key, _)| !secret(key));
        let clean = |(key, value): (String, String)| (key, command::without_secrets(&value));
        all.map(clean).filter(|(_, value)| !value.is_empty()).collect()
    }

    fn commands(&self) -> String {
        // What precedes the program says how it is run (systemd.service(5), "Command lines").
        let bare = |line: String| line.trim_start_matches(['-', '+', '!', '@', ':']).to_owned();
        self.all("Service", "ExecStart").into_iter().map(bare).collect::<Vec<_>>().join(" ; ")
    }

    /// When the timer elapses, as written, and how far apart.
    fn schedule(&self) -> (String, Option<f64>) {
        let calendar = self.all("Timer", "OnCalendar");
        let (active, inactive) =
            (self.all("Timer", "OnUnitActiveSec"), self.all("Timer", "OnUnitInactiveSec"));
        let written =
            [("OnCalendar", &calendar), ("OnUnitActiveSec", &active), ("OnUnitInactiveSec", &inactive)];
        let line = |key: &str, values: &[String]| {
            values.iter().map(|value| format!("{key}={value}")).collect::<Vec<_>>()
        };
        let all: Vec<_> = written.iter().flat_map(|(key, values)| line(key, values)).collect();
        let period_s = match (&calendar[..], &active[..]) {
            ([one], []) => schedule::calendar_period_s(one),
            ([], [one]) => schedule::span_s(one),
            _ => None,
        };
        (all.join(" "), period_s)
    }

    /// `%i` and `%I` stand for the instance's name (systemd.unit(5), "Specifiers").
    fn filled_in(&self, value: String) -> String {
        match &self.instance {
            Some(instance) => value.replace("%i", instance).replace("%I", &instance.replace('-', "/")),
            None => value,
        }
    }
}
