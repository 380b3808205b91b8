//! The options of a mount.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::mount_options::{Of, SuperOption, access_times, of_filesystem, of_mount};
use super::mount_write;
use super::mountinfo::{MOUNTINFO, Mounted, topmost};
use crate::shell::quoted;
use crate::{Action, ChangeError, Kind, State};

const OPTIONS: &str = "options";
const SUPER: &str = "super";
const TYPE: &str = "type";
const SOURCE: &str = "source";

/// File systems whose server may be away, so that opening anything on them may hang.
const REMOTE: [&str; 8] = ["nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "afs", "fuse"];

/// The options of a mount.
///
/// Its state has four values: `options` of this mount, `super` for those of its file system, and the `type` and
/// `source` by which it is known again. Everything is read from mountinfo; nothing that is mounted is touched by reading.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mount {
    /// Where it is mounted.
    pub mount_point: String,
}

impl Mount {
    /// Whether options of what is mounted there can be changed at all without unmounting it. They cannot on file
    /// systems over a network: NFS refuses other options on a remount (nfs(5)), and opening the mount point may hang.
    pub fn takes_a_remount(now: &State) -> bool {
        let filesystem = value(now, TYPE);
        !REMOTE.contains(&filesystem) && !filesystem.starts_with("fuse.")
    }

    pub(super) fn mounted(&self, attempted: &str) -> Result<Option<Mounted>, ChangeError> {
        let path = match self.mount_point.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let table = std::fs::read(MOUNTINFO).map_err(|error| ChangeError::io(attempted, &error))?;
        Ok(topmost(&table, path))
    }

    fn refuse_remote(&self, attempted: &str, now: &State) -> Result<(), ChangeError> {
        if Self::takes_a_remount(now) {
            return Ok(());
        }
        let why = format!("{} does not take other options while it is mounted", value(now, TYPE));
        Err(ChangeError::new(attempted, why).help(format!(
            "edit /etc/fstab, then umount and mount {} when nothing uses it",
            self.mount_point
        )))
    }
}

impl Kind for Mount {
    fn name(&self) -> String {
        format!("mount {}", self.mount_point)
    }

    fn read(&self) -> Result<State, ChangeError> {
        Ok(self.mounted(&format!("read {}", self.name()))?.map_or(State::Absent, state))
    }

    fn write(&self, to: &State) -> Result<(), ChangeError> {
        let attempted =
            format!("remount {} with {},{}", self.mount_point, value(to, OPTIONS), value(to, SUPER));
        let Some(mounted) = self.mounted(&attempted)? else {
            return Err(ChangeError::new(attempted, "nothing is mounted there"));
        };
        let now = state(mounted.clone());
        self.refuse_remote(&attempted, &now)?;
        if (value(&now, TYPE), value(&now, SOURCE)) != (value(to, TYPE), value(to, SOURCE)) {
            let there = format!("{} from {} is mounted there now", value(&now, TYPE), value(&now, SOURCE));
            return Err(ChangeError::new(attempted, format!("another file system, {there}")));
        }
        if self.normal(&now) == self.normal(to) {
            return Ok(());
        }
        mount_write::remount(&attempted, &self.mount_point, &mounted, value(to, OPTIONS), value(to, SUPER))
    }

    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError> {
        let attempted = format!("change the options of {}", self.mount_point);
        let Action::Options { set, remove } = action else {
            return Err(ChangeError::new(attempted, "of a mount only options are set and removed"));
        };
        let State::Values { values } = now else {
            return Err(ChangeError::new(attempted, "nothing is mounted there"));
        };
        self.refuse_remote(&attempted, now)?;
        let mut values = values.clone();
        for (option, how) in
            remove.iter().map(|option| (option, Of::Remove)).chain(set.iter().map(|option| (option, Of::Set)))
        {
            change_one(&attempted, &mut values, option, how)?;
        }
        Ok(State::Values { values })
    }

    fn normal(&self, state: &State) -> State {
        let State::Values { values } = state else { return state.clone() };
        let sorted = |(name, value): (&String, &String)| {
            let mut words: Vec<_> = value.split(',').filter(|word| !word.is_empty()).collect();
            if [OPTIONS, SUPER].contains(&name.as_str()) {
                words.sort_unstable();
                words.dedup();
            }
            (name.clone(), words.join(","))
        };
        State::Values { values: values.iter().map(sorted).collect() }
    }

    /// Options of the mount are changed before those of its file system.
    fn is_between(&self, now: &State, original: &State, wanted: &State) -> bool {
        let [now, original, wanted] = [now, original, wanted].map(|state| self.normal(state));
        [OPTIONS, SUPER, TYPE, SOURCE]
            .into_iter()
            .all(|name| [value(&original, name), value(&wanted, name)].contains(&value(&now, name)))
    }

    /// It names source and mount point: with one of them alone, mount(8) adds the options of fstab(5).
    fn shell(&self, to: &State) -> Vec<String> {
        let (options, of_super) = (value(to, OPTIONS), value(to, SUPER));
        let known = of_filesystem(value(to, TYPE));
        let listed = options.split(',').filter(|word| *word != "relatime" && *word != "noatime");
        let words: Vec<_> = ["remount"]
            .into_iter()
            .chain(listed)
            .chain([access_times(options)])
            .chain(of_super.split(',').filter(|word| known.iter().any(|option| option.is(word))))
            .collect();
        let (words, source) = (quoted(&words.join(",")), quoted(value(to, SOURCE)));
        vec![format!("mount -o {words} -- {source} {}", quoted(&self.mount_point))]
    }

    /// A line of fstab makes it last.
    fn boot_lines(&self, _to: &State) -> Option<Vec<String>> {
        None
    }
}

fn state(mounted: Mounted) -> State {
    let values = [
        (OPTIONS, mounted.options),
        (SUPER, mounted.super_options),
        (TYPE, mounted.filesystem),
        (SOURCE, mounted.source),
    ];
    State::Values { values: values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
}

fn value<'a>(state: &'a State, name: &str) -> &'a str {
    match state {
        State::Values { values } => values.get(name).map_or("", String::as_str),
        _ => "",
    }
}

fn lists_read_only(options: &str) -> bool {
    options.split(',').any(|word| word == "ro")
}

/// Sets or removes one option in the listed ones.
fn change_one(
    attempted: &str,
    values: &mut BTreeMap<String, String>,
    option: &str,
    how: Of,
) -> Result<(), ChangeError> {
    let listed = |name: &str| values.get(name).cloned().unwrap_or_default();
    let (of_this, of_super, filesystem) = (listed(OPTIONS), listed(SUPER), listed(TYPE));
    let name = option.split_once('=').map_or(option, |(name, _)| name);
    if let Some(changed) = of_mount(&of_this, option, how) {
        if lists_read_only(&of_super) && lists_read_only(&of_this) && !lists_read_only(&changed) {
            return Err(ChangeError::new(attempted, "the file system itself is read-only")
                .help("`dmesg` says why, if an error made it so"));
        }
        values.insert(OPTIONS.to_owned(), changed);
        return Ok(());
    }
    let Some(known) = SuperOption::find(&filesystem, name) else {
        return Err(ChangeError::new(
            attempted,
            format!("narrows does not know how to put `{name}` of {filesystem} back while it is mounted"),
        )
        .help("edit /etc/fstab, then umount and mount it when nothing uses it"));
    };
    let others = of_super.split(',').filter(|word| !known.is(word)).map(ToOwned::to_owned);
    let new = match how {
        Of::Set => known.listed(attempted, option)?,
        Of::Remove => None,
    };
    values.insert(SUPER.to_owned(), others.chain(new).collect::<Vec<_>>().join(","));
    Ok(())
}

#[cfg(test)]
#[path = "mount_tests.rs"]
mod tests;
