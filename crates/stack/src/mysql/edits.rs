//! Changes of a server's options, in the file that holds them, and of what it runs with.

use model::{Change, ChangeKind, Derived, Edit};

use super::view::View;
use super::{OptionLine, OptionPlace};

/// The file and group in which an option is written: where it stands, else where a new one would.
fn place(view: &View<'_>, name: &str) -> Option<OptionPlace> {
    let own = view.line(name).map(|line| OptionPlace { file: line.file.clone(), group: line.group.clone() });
    own.or_else(|| view.server.option_file.clone())
}

/// A variable that the running server takes, and the option file that keeps it.
pub(crate) fn set(view: &View<'_>, name: &str, target: Derived) -> Change {
    let current = view.variable(name).map(str::to_owned);
    let change = Change::sql_variable(&view.server.address, name, current, target)
        .owned_by(view.setting(name).map(crate::php_fpm::Setting::place));
    let in_command = view.setting(name).is_some_and(|own| own.file.starts_with("/proc/"));
    let change = match in_command {
        true => change.coupled_with("the command line of the server, which sets it over all option files"),
        false => change,
    };
    match place(view, name) {
        Some(place) => change.in_option_file(&place.file, &place.group),
        None => change.persists_by("its option file, or the parameter group of its provider"),
    }
}

/// A variable that the server takes as it starts.
pub(crate) fn set_at_start(view: &View<'_>, name: &str, target: Derived) -> Change {
    set(view, name, target).only_after_restart(&unit(view))
}

/// A line that is taken out of an option file.
pub(crate) fn take_out(line: &OptionLine, target: Derived) -> Change {
    let edit = Edit::OptionFile { group: line.group.clone(), option: line.name.clone(), value: None };
    let what = ChangeKind::File {
        path: line.file.clone(),
        edit: format!("take {} out of [{}]", line.name, line.group),
        edits: vec![edit],
    };
    Change::new(what, Some(line.value.clone()), target)
        .persists_by("the option file")
        .owned_by(Some(format!("{}:{}", line.file, line.line)))
        .restarts("none: it acts, or ceases to, when the server starts next")
        .risks("none known")
}

/// The unit of systemd that runs the server.
pub(crate) fn unit(view: &View<'_>) -> String {
    let group = view.server.process.as_ref().and_then(|process| process.control_group.as_deref());
    let own = group.and_then(|group| group.rsplit('/').find(|part| part.ends_with(".service")));
    own.unwrap_or(if view.is_mariadb() { "mariadb.service" } else { "mysql.service" }).to_owned()
}
