//! What the changed copy looks like, to see that undoing restores it.

use std::collections::BTreeMap;

use database::Connection;

use super::TrialError;
use super::literal::quoted;

/// By table or trigger, its definition and the checksum of its rows.
pub(super) type State = BTreeMap<String, String>;

/// Reads the state of the current schema.
pub(super) fn state(connection: &mut Connection) -> Result<State, TrialError> {
    let mut state = State::new();
    let tables = connection.query("SHOW FULL TABLES WHERE Table_type = 'BASE TABLE'")?;
    for name in tables.rows.iter().filter_map(|row| row.first()?.as_deref()) {
        let quoted = quoted(name);
        let created = connection.query(&format!("SHOW CREATE TABLE {quoted}"))?;
        let create = without_counter(created.values("Create Table").next().unwrap_or_default());
        let summed = connection.query(&format!("CHECKSUM TABLE {quoted}"))?;
        let sum = summed.values("Checksum").next().unwrap_or_default();
        state.insert(format!("table `{name}`"), format!("{create}\nrows {sum}"));
    }
    for row in connection.query("SHOW TRIGGERS")?.rows {
        let words: Vec<String> = row.into_iter().take(4).flatten().collect();
        state.insert(format!("trigger `{}`", words.first().map_or("", String::as_str)), words.join(" "));
    }
    Ok(state)
}

/// What differs, by name.
pub(super) fn differences(before: &State, after: &State) -> Vec<String> {
    let names = before.keys().chain(after.keys()).collect::<std::collections::BTreeSet<_>>();
    names.into_iter().filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

fn without_counter(create: &str) -> String {
    let Some((head, tail)) = create.split_once(" AUTO_INCREMENT=") else { return create.to_owned() };
    format!("{head}{}", tail.trim_start_matches(|digit: char| digit.is_ascii_digit()))
}
