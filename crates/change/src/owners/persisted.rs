//! What `SET PERSIST` of MySQL 8 has set.

use host::Host;
use serde_json::Value;

use super::{Claim, file_text};

/// Where MySQL keeps its data unless it is told otherwise.
const FILE: &str = "/var/lib/mysql/mysqld-auto.cnf";

/// The claim of `SET PERSIST` on a variable: its file is read after every option file (reference manual, "Persisted
/// System Variables").
pub(crate) fn claim(name: &str, path: &str) -> Claim {
    Claim::new(
        format!("SET PERSIST has set {name} before, and {path} is read after every option file"),
        path,
        format!("SET PERSIST {name} = …; or RESET PERSIST {name}, and plan again"),
    )
}

/// The file of the usual place, where it sets a variable.
pub(crate) fn file_of(host: &dyn Host, name: &str) -> Option<&'static str> {
    let file: Value = serde_json::from_str(&file_text(host, FILE)?).ok()?;
    // The variables stand below a few sections, whose names differ between versions.
    let sections = file.as_object()?.values().filter_map(Value::as_object);
    sections.flat_map(|section| section.keys()).any(|key| key.eq_ignore_ascii_case(name)).then_some(FILE)
}
