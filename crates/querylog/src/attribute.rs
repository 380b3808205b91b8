//! Names of attributes of events, interned: an attribute is a small number that is the same in all digests of a process.

use std::sync::{LazyLock, RwLock};

/// What an attribute's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Time; values are whole microseconds, shown as seconds with six decimals.
    Microseconds,
    /// Anything counted: rows, bytes, pages, tables.
    Count,
}

impl Unit {
    /// How many of the stored whole numbers make one of the shown unit.
    #[must_use]
    pub fn scale(self) -> f64 {
        match self {
            Self::Microseconds => 1e6,
            Self::Count => 1.0,
        }
    }
}

/// How values of an attribute are read. An attribute that is not in the list of known ones is [`Kind::Open`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Always a number.
    Number(Unit),
    /// A time that the server writes in milliseconds.
    Milliseconds,
    /// `Yes` or `No`, or 1 or 0.
    Flag,
    /// Text, even where it looks like a number.
    Text,
    /// What the value looks like.
    Open,
    /// Not aggregated: identifiers that are different for every event or connection.
    Ignored,
}

/// An attribute, for example `Query_time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attribute(u16);

const TIME: Kind = Kind::Number(Unit::Microseconds);
const COUNT: Kind = Kind::Number(Unit::Count);

/// Attributes that servers are known to write. The frequent ones come first: a class has room for no more than the last it has.
const KNOWN: &[(&str, Kind)] = &[
    ("Query_time", TIME),
    ("Lock_time", TIME),
    ("Rows_sent", COUNT),
    ("Rows_examined", COUNT),
    ("Query_length", COUNT),
    ("Rows_affected", COUNT),
    ("Bytes_sent", COUNT),
    ("db", Kind::Text),
    ("user", Kind::Text),
    ("host", Kind::Text),
    ("Tmp_tables", COUNT),
    ("Tmp_disk_tables", COUNT),
    ("Tmp_table_sizes", COUNT),
    ("Merge_passes", COUNT),
    ("Thread_id", Kind::Ignored),
    ("Id", Kind::Ignored),
    ("Schema", Kind::Text),
    ("QC_hit", Kind::Flag),
    ("Full_scan", Kind::Flag),
    ("Full_join", Kind::Flag),
    ("Tmp_table", Kind::Flag),
    ("Tmp_table_on_disk", Kind::Flag),
    ("Filesort", Kind::Flag),
    ("Filesort_on_disk", Kind::Flag),
    ("Priority_queue", Kind::Flag),
    ("Killed", Kind::Flag),
    ("InnoDB_IO_r_ops", COUNT),
    ("InnoDB_IO_r_bytes", COUNT),
    ("InnoDB_IO_r_wait", TIME),
    ("InnoDB_rec_lock_wait", TIME),
    ("InnoDB_queue_wait", TIME),
    ("InnoDB_pages_distinct", COUNT),
    ("InnoDB_trx_id", Kind::Text),
    ("Last_errno", Kind::Text),
    ("Error_no", Kind::Text),
    ("Log_slow_rate_type", Kind::Text),
    ("Log_slow_rate_limit", Kind::Text),
    ("Errno", COUNT),
    ("Bytes_received", COUNT),
    ("Read_first", COUNT),
    ("Read_last", COUNT),
    ("Read_key", COUNT),
    ("Read_next", COUNT),
    ("Read_prev", COUNT),
    ("Read_rnd", COUNT),
    ("Read_rnd_next", COUNT),
    ("Sort_merge_passes", COUNT),
    ("Sort_range_count", COUNT),
    ("Sort_rows", COUNT),
    ("Sort_scan_count", COUNT),
    ("Created_tmp_disk_tables", COUNT),
    ("Created_tmp_tables", COUNT),
    ("Count_hit_tmp_table_size", COUNT),
    ("Start", Kind::Text),
    ("End", Kind::Text),
    ("Stored_routine", Kind::Text),
    ("Stored", Kind::Text),
    ("ip", Kind::Ignored),
    ("Pages_accessed", COUNT),
    ("Pages_read", COUNT),
    ("Pages_updated", COUNT),
    ("Pages_prefetched", COUNT),
    // MariaDB's `log_slow_verbosity=engine`; both are milliseconds (an engine time of 0.0122 in a query of 0.000195 s).
    ("Pages_read_time", Kind::Milliseconds),
    ("Engine_time", Kind::Milliseconds),
    ("Old_rows_read", COUNT),
    ("Warnings", COUNT),
    ("Profile_total", TIME),
    ("Profile_total_cpu", TIME),
    // What `performance_schema` counts and logs do not.
    ("Errors", COUNT),
    ("No_index_used", COUNT),
    ("Select_full_join", COUNT),
];

/// More names than these are not taken: what a hostile log can make a process remember is bounded.
const MOST_NAMES: usize = 512;
/// The longest name taken, in bytes.
const LONGEST_NAME: usize = 64;

#[derive(Debug, Default)]
struct Names {
    /// Those that are not known, in the order in which they were met.
    met: Vec<&'static str>,
}

static NAMES: LazyLock<RwLock<Names>> = LazyLock::new(RwLock::default);

impl Attribute {
    /// How long the query took.
    pub const QUERY_TIME: Self = Self(0);
    /// How long it waited for locks of tables.
    pub const LOCK_TIME: Self = Self(1);
    /// Rows sent to the client.
    pub const ROWS_SENT: Self = Self(2);
    /// Rows read by the server.
    pub const ROWS_EXAMINED: Self = Self(3);
    /// The length of the query's text, in bytes.
    pub const QUERY_LENGTH: Self = Self(4);
    /// Rows changed.
    pub const ROWS_AFFECTED: Self = Self(5);
    /// Bytes sent to the client.
    pub const BYTES_SENT: Self = Self(6);
    /// The default schema.
    pub const DB: Self = Self(7);
    /// The user's name.
    pub const USER: Self = Self(8);
    /// The client's host, or its address where the host is not known.
    pub const HOST: Self = Self(9);
    pub(crate) const SCHEMA: Self = Self(16);

    /// The attribute of a name, which is remembered when it is new; `None` when it is too long or too many were met.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        if let Some(found) = Self::find(name) {
            return Some(found);
        }
        if name.len() > LONGEST_NAME || name.is_empty() {
            return None;
        }
        let mut names = NAMES.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(place) = names.met.iter().position(|met| *met == name) {
            return Self::at(KNOWN.len() + place);
        }
        if KNOWN.len() + names.met.len() >= MOST_NAMES {
            return None;
        }
        names.met.push(Box::leak(name.to_owned().into_boxed_str()));
        Self::at(KNOWN.len() + names.met.len() - 1)
    }

    /// The attribute of a name, if it is known or was met before.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        if let Some(place) = KNOWN.iter().position(|(known, _)| *known == name) {
            return Self::at(place);
        }
        let names = NAMES.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        Self::at(KNOWN.len() + names.met.iter().position(|met| *met == name)?)
    }

    /// The attribute that a person means: whatever the case of the letters; `bytes` is the query's length, `schema` the database.
    #[must_use]
    pub fn meant(name: &str) -> Option<Self> {
        let name = match () {
            () if name.eq_ignore_ascii_case("bytes") => "Query_length",
            () if name.eq_ignore_ascii_case("schema") || name.eq_ignore_ascii_case("database") => "db",
            () => name,
        };
        let known = KNOWN.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some(place) = known {
            return Self::at(place);
        }
        let names = NAMES.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let met = names.met.iter().position(|met| met.eq_ignore_ascii_case(name))?;
        Self::at(KNOWN.len() + met)
    }

    /// Names of the attributes that servers are known to write.
    pub(crate) fn known() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|(name, _)| *name)
    }

    fn at(place: usize) -> Option<Self> {
        u16::try_from(place).ok().map(Self)
    }

    /// Its name, as the server writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let place = usize::from(self.0);
        if let Some((name, _)) = KNOWN.get(place) {
            return name;
        }
        let names = NAMES.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        names.met.get(place - KNOWN.len()).copied().unwrap_or("?")
    }

    /// Its unit where it is a number: names that end in `time` or `wait` are times, as in pt-query-digest's reports, and so
    /// are the stages of a profile.
    #[must_use]
    pub fn unit(self) -> Unit {
        match KNOWN.get(usize::from(self.0)) {
            Some((_, Kind::Number(unit))) => *unit,
            Some((_, Kind::Milliseconds)) => Unit::Microseconds,
            Some(_) => Unit::Count,
            None => {
                let name = self.name();
                let is_time =
                    name.ends_with("time") || name.ends_with("wait") || name.starts_with("Profile_");
                if is_time { Unit::Microseconds } else { Unit::Count }
            }
        }
    }

    pub(crate) fn kind(self) -> Kind {
        KNOWN.get(usize::from(self.0)).map_or(Kind::Open, |(_, kind)| *kind)
    }

    pub(crate) fn place(self) -> usize {
        usize::from(self.0)
    }

    /// The attribute at a place; the caller has it from [`Attribute::place`].
    pub(crate) fn from_place(place: usize) -> Self {
        Self(u16::try_from(place).unwrap_or(u16::MAX))
    }
}

impl std::fmt::Display for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_stand_where_their_names_do() {
        for (attribute, name) in [
            (Attribute::QUERY_TIME, "Query_time"),
            (Attribute::LOCK_TIME, "Lock_time"),
            (Attribute::ROWS_SENT, "Rows_sent"),
            (Attribute::ROWS_EXAMINED, "Rows_examined"),
            (Attribute::QUERY_LENGTH, "Query_length"),
            (Attribute::ROWS_AFFECTED, "Rows_affected"),
            (Attribute::BYTES_SENT, "Bytes_sent"),
            (Attribute::DB, "db"),
            (Attribute::USER, "user"),
            (Attribute::HOST, "host"),
            (Attribute::SCHEMA, "Schema"),
        ] {
            assert_eq!(attribute.name(), name);
            assert_eq!(Attribute::of(name), Some(attribute));
        }
    }

    #[test]
    fn a_name_that_is_new_keeps_its_number_and_a_time_is_known_by_its_name() {
        let attribute = Attribute::of("Some_new_wait").unwrap();
        assert_eq!(Attribute::of("Some_new_wait"), Some(attribute));
        assert_eq!(attribute.name(), "Some_new_wait");
        assert_eq!(attribute.unit(), Unit::Microseconds);
        assert_eq!(Attribute::of(&"x".repeat(65)), None);
    }
}
