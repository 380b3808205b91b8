//! Edits of a pool's settings, in the file and section that hold them.

use model::{Change, ChangeKind, Derived, Edit};

use super::view::View;
use super::{Master, Mode, Pool};

/// The file in which a setting of a pool is edited: where it stands, else where the pool's section is.
pub(crate) fn file_of<'a>(pool: &'a Pool, key: &str) -> &'a str {
    let own = pool.settings.get(key).or_else(|| pool.settings.get("listen"));
    own.map_or(pool.file.as_str(), |setting| setting.file.as_str())
}

/// A setting of a pool.
pub(crate) fn ini(pool: &Pool, key: &str, value: impl ToString) -> Edit {
    Edit::Ini { section: Some(pool.name.clone()), key: key.to_owned(), value: Some(value.to_string()) }
}

/// A change of settings of one pool, all in one file. The first names the current value.
pub(crate) fn change(pool: &Pool, settings: &[(&str, String)], target: Derived) -> Change {
    let key = settings.first().map_or("pm", |(key, _)| key);
    let path = file_of(pool, key).to_owned();
    let edit = settings.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ");
    let edits = settings.iter().map(|(key, value)| ini(pool, key, value)).collect();
    let edit = format!("[{}] {edit}", pool.name);
    let current = pool.value(key).map(str::to_owned);
    let owner = pool.settings.get(key).map(super::Setting::place);
    let mut change =
        Change::new(ChangeKind::File { path, edit, edits }, current, target).persists_by("the file itself");
    change.owner = owner;
    change
}

/// The settings that give a pool another size, with those that must stay within it: FPM does not start with
/// `pm.max_spare_servers` or `pm.start_servers` beyond `pm.max_children`.
pub(crate) fn of_size(pool: &Pool, most: u64) -> Vec<(&'static str, String)> {
    let mut settings = vec![("pm.max_children", most.to_string())];
    if pool.mode == Mode::Dynamic {
        let number = |key| pool.number(key).and_then(|number| u64::try_from(number).ok());
        let max_spare = number("pm.max_spare_servers").filter(|spare| *spare > most);
        let min_spare = number("pm.min_spare_servers").filter(|spare| *spare > most);
        let start = number("pm.start_servers").filter(|start| *start > most);
        settings.extend(max_spare.map(|_| ("pm.max_spare_servers", most.to_string())));
        settings.extend(min_spare.map(|_| ("pm.min_spare_servers", most.to_string())));
        settings.extend(start.map(|_| ("pm.start_servers", most.to_string())));
    }
    settings
}

/// A pool with fewer workers, with what must shrink with it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of workers, clamped")]
pub(crate) fn smaller(view: &View<'_>, workers: f64, target: Derived) -> Change {
    change(view.pool, &of_size(view.pool, workers.clamp(1.0, 1e6) as u64), target)
        .coupled_with("listen.backlog, which counts in workers")
        .restarts("reload PHP-FPM")
        .risks(&format!("{}; beyond so many requests wait instead", reload_risk(view.master)))
}

/// What a reload costs: without `process_control_timeout` the master ends its workers at once.
pub(crate) fn reload_risk(master: &Master) -> &'static str {
    let waits = master.global.get("process_control_timeout").is_some_and(|own| own.value.trim() != "0");
    match waits {
        true => "requests in progress may end at process_control_timeout",
        false => "process_control_timeout is 0: a reload cuts off the requests that are in progress",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::php_fpm::Setting;

    #[test]
    fn a_smaller_pool_takes_its_spare_workers_with_it() {
        let mut pool = Pool { name: "www".to_owned(), file: "/etc/p.conf".to_owned(), ..Pool::default() };
        for (key, value) in
            [("pm.max_spare_servers", "30"), ("pm.min_spare_servers", "5"), ("pm.start_servers", "20")]
        {
            let setting = Setting { value: value.to_owned(), file: "/etc/p.conf".to_owned(), line: 3 };
            pool.settings.insert(key.to_owned(), setting);
        }
        let of = |most| of_size(&pool, most).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(of(50), ["pm.max_children"]);
        assert_eq!(of(10), ["pm.max_children", "pm.max_spare_servers", "pm.start_servers"]);
        assert_eq!(of(4).len(), 4);
    }
}
