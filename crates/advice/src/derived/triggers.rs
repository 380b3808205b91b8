//! Triggers that keep a derived table.

use super::{DerivedTable, Origin, literal, name};
use crate::Step;

/// The longest name of a trigger.
const LONGEST: usize = 64;

impl DerivedTable {
    /// Triggers on both base tables. They compute rows with `INSERT IGNORE`: a value that does not fit becomes what `CAST`
    /// makes of it, with a warning, and never fails the statement of the application.
    pub(super) fn triggers(&self) -> Vec<Step> {
        let link = name(self.id());
        let entity = name(self.pair.key);
        let keys = self.keys.join(", ");
        let concerns = |row: &str| format!("{row}.meta_key IN ({keys})");
        let refresh = |id: &str| self.refresh(id).join("; ");
        let when =
            |row: &str| format!("IF {} THEN {}; END IF;", concerns(row), refresh(&format!("{row}.{link}")));
        let moved = format!("NEW.{link} <> OLD.{link} OR NOT ({})", concerns("OLD"));
        let updated = format!(
            "IF {} THEN {}; END IF; IF {} AND ({moved}) THEN {}; END IF;",
            concerns("OLD"),
            refresh(&format!("OLD.{link}")),
            concerns("NEW"),
            refresh(&format!("NEW.{link}"))
        );
        let removed = format!("DELETE FROM {} WHERE {link} = OLD.{entity};", name(&self.name));
        // `UPDATE IGNORE` calls triggers for rows that it leaves alone, so that the old row is computed anew as well.
        let renamed = format!(
            "IF NEW.{entity} <> OLD.{entity} THEN {}; {}; ELSEIF {} THEN {}; END IF;",
            refresh(&format!("OLD.{entity}")),
            refresh(&format!("NEW.{entity}")),
            self.changed(),
            refresh(&format!("NEW.{entity}"))
        );
        [
            (&self.attributes, "INSERT", when("NEW")),
            (&self.attributes, "UPDATE", updated),
            (&self.attributes, "DELETE", when("OLD")),
            (&self.entities, "INSERT", format!("{};", refresh(&format!("NEW.{entity}")))),
            (&self.entities, "UPDATE", renamed),
            (&self.entities, "DELETE", removed),
        ]
        .into_iter()
        .map(|(table, event, body)| self.trigger(table, event, &body))
        .collect()
    }

    /// Whether a column of the entity changes that is copied, be it in case alone.
    fn changed(&self) -> String {
        let bytes = |row: &str, column: &str| format!("CAST({row}.{} AS BINARY)", name(column));
        let copied = self.columns.iter().filter_map(|column| match &column.source {
            Origin::Copied(copied) => {
                Some(format!("NOT ({} <=> {})", bytes("OLD", copied), bytes("NEW", copied)))
            }
            Origin::Computed(_) => None,
        });
        let changed = copied.collect::<Vec<_>>().join(" OR ");
        if changed.is_empty() { "FALSE".to_owned() } else { changed }
    }

    fn trigger(&self, table: &str, event: &str, body: &str) -> Step {
        let side = if table == self.attributes { "m" } else { "e" };
        let suffix = format!("_{side}_{}", event.to_lowercase());
        let room = LONGEST - suffix.len();
        let trigger = format!("{}{suffix}", self.name.chars().take(room).collect::<String>());
        let sql = format!(
            "CREATE TRIGGER {} AFTER {event} ON {} FOR EACH ROW BEGIN {body} END",
            name(&trigger),
            name(table)
        );
        let probe = format!(
            "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE() AND TRIGGER_NAME = {}",
            literal(&trigger)
        );
        let what = format!("keep it up to date after {event} on `{table}`");
        Step::once(what, sql, probe).undone_by(format!("DROP TRIGGER IF EXISTS {}", name(&trigger)))
    }
}
