//! Which service takes a changed file up, and how.

use host::Host;
use model::Edit;

use super::{Activation, ActivationKind};

/// irqbalance reads its arguments when it starts; it has nothing else to lose by that.
pub(super) fn irqbalance() -> Activation {
    Activation { unit: "irqbalance.service".to_owned(), how: ActivationKind::Restart }
}

/// What makes the edits of a file act; nothing for files that are read at boot.
pub(super) fn of(host: &dyn Host, path: &str, edits: &[Edit]) -> Vec<Activation> {
    let one = |unit: &str, how| vec![Activation { unit: unit.to_owned(), how }];
    let is_below = |folder: &str| path.starts_with(folder);
    if is_below("/etc/nginx/") {
        return one("nginx.service", ActivationKind::Reload);
    }
    if is_below("/etc/haproxy/") {
        return one("haproxy.service", ActivationKind::Reload);
    }
    if path == "/etc/default/irqbalance" || path == "/etc/sysconfig/irqbalance" {
        return vec![irqbalance()];
    }
    if is_below("/etc/mysql/") || is_below("/etc/my.cnf") {
        return one(database(host), ActivationKind::Restart);
    }
    if let Some(unit) = php_fpm(path) {
        return one(
            &unit,
            if sizes_a_socket(edits) { ActivationKind::Restart } else { ActivationKind::Reload },
        );
    }
    if let Some((unit, _)) = path.strip_prefix("/etc/systemd/system/").and_then(|rest| rest.split_once(".d/"))
    {
        return one(unit, ActivationKind::DaemonReload);
    }
    if let Some(unit) = path.strip_prefix("/etc/systemd/system/").filter(|unit| !unit.contains('/')) {
        let mut reloads = one(unit, ActivationKind::DaemonReload);
        if unit.ends_with(".timer") {
            reloads.extend(one(unit, ActivationKind::Timer));
        }
        return reloads;
    }
    vec![]
}

/// `/etc/php/8.2/fpm/…` of Debian; `/etc/php-fpm.d/…` and `/etc/php-fpm.conf` of Fedora and its relatives.
fn php_fpm(path: &str) -> Option<String> {
    if path.starts_with("/etc/php-fpm") {
        return Some("php-fpm.service".to_owned());
    }
    let (version, rest) = path.strip_prefix("/etc/php/")?.split_once('/')?;
    let fpm = rest.starts_with("fpm/") || rest.starts_with("mods-available/");
    fpm.then(|| format!("php{version}-fpm.service"))
}

/// A reload hands the listening sockets on as they are: listen(2) is not called again, so their backlog stays. A socket at
/// another address is made anew.
fn sizes_a_socket(edits: &[Edit]) -> bool {
    let of = |wanted: &'static str| {
        edits.iter().filter_map(move |edit| match edit {
            Edit::Ini { section, key, .. } if key == wanted => Some(section),
            _ => None,
        })
    };
    of("listen.backlog").any(|pool| !of("listen").any(|moved| moved == pool))
}

fn database(host: &dyn Host) -> &'static str {
    let folders = ["/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
    let has = |unit: &str| folders.iter().any(|folder| host.read(&format!("{folder}/{unit}")).is_ok());
    let units = ["mariadb.service", "mysql.service", "mysqld.service"];
    units.into_iter().find(|unit| has(unit)).unwrap_or("mariadb.service")
}
