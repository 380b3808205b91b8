//! What became of options and variables from version to version.
//!
//! MariaDB accepts most options that it removed, warns, and does nothing (`MARIADB_REMOVED_OPTION` in sql/mysqld.cc); others stop it
//! from starting, as all that MySQL removed do. A prefix `loose_` turns a stop into a warning. Rows for MariaDB 10.11 are held to
//! the real program by `tests/mariadb_options.rs`.

mod mariadb;
mod mysql;

use super::{Flavor, Version};

/// How an option stands with a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Nothing is known against it.
    #[default]
    Fine,
    /// It works and is to go.
    Deprecated,
    /// It is accepted and does nothing.
    Inert,
    /// The server does not start with it.
    Refused,
}

/// What is known of an option of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionFact {
    /// The option, with `_`.
    pub option: &'static str,
    /// Since when it is to go.
    pub deprecated_since: Option<Version>,
    /// Since when it is accepted and does nothing.
    pub inert_since: Option<Version>,
    /// Since when the server does not start with it.
    pub removed_in: Option<Version>,
    /// Since when it is known at all; before, the server does not start with it.
    pub added_in: Option<Version>,
    /// What took its place.
    pub renamed_to: Option<&'static str>,
    /// Where this stands.
    pub source: &'static str,
}

const fn version(major: u32, minor: u32, patch: u32) -> Option<Version> {
    Some(Version { major, minor, patch })
}

const fn fact(option: &'static str, source: &'static str) -> VersionFact {
    VersionFact {
        option,
        deprecated_since: None,
        inert_since: None,
        removed_in: None,
        added_in: None,
        renamed_to: None,
        source,
    }
}

impl VersionFact {
    const fn deprecated(self, major: u32, minor: u32, patch: u32) -> Self {
        Self { deprecated_since: version(major, minor, patch), ..self }
    }

    const fn inert(self, major: u32, minor: u32, patch: u32) -> Self {
        Self { inert_since: version(major, minor, patch), ..self }
    }

    const fn removed(self, major: u32, minor: u32, patch: u32) -> Self {
        Self { removed_in: version(major, minor, patch), ..self }
    }

    const fn added(self, major: u32, minor: u32, patch: u32) -> Self {
        Self { added_in: version(major, minor, patch), ..self }
    }

    const fn now(self, name: &'static str) -> Self {
        Self { renamed_to: Some(name), ..self }
    }

    /// How the option stands with a version.
    pub fn standing(&self, version: Version) -> Standing {
        let since = |then: Option<Version>| then.is_some_and(|then| version >= then);
        match () {
            () if since(self.removed_in) || self.added_in.is_some_and(|added| version < added) => {
                Standing::Refused
            }
            () if since(self.inert_since) => Standing::Inert,
            () if since(self.deprecated_since) => Standing::Deprecated,
            () => Standing::Fine,
        }
    }
}

/// What is known of an option; the name with `_` and without `loose_` and the like.
pub fn known(flavor: Flavor, option: &str) -> Option<&'static VersionFact> {
    all(flavor).iter().find(|fact| fact.option == option)
}

/// All that is known of a product.
pub fn all(flavor: Flavor) -> &'static [VersionFact] {
    match flavor {
        Flavor::MariaDb => mariadb::FACTS,
        Flavor::MySql | Flavor::Percona => mysql::FACTS,
    }
}

/// How an option stands with a version, as far as is known.
pub fn standing(flavor: Flavor, version: Version, option: &str) -> Standing {
    known(flavor, option).map_or(Standing::Fine, |fact| fact.standing(version))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(flavor: Flavor, numbers: (u32, u32, u32), option: &str) -> Standing {
        let (major, minor, patch) = numbers;
        standing(flavor, Version { major, minor, patch }, option)
    }

    #[test]
    fn what_one_product_removed_another_keeps() {
        let instances = "innodb_buffer_pool_instances";
        assert_eq!(on(Flavor::MariaDb, (10, 11, 6), instances), Standing::Inert);
        assert_eq!(on(Flavor::MariaDb, (10, 4, 0), instances), Standing::Fine);
        assert_eq!(on(Flavor::MySql, (8, 0, 36), instances), Standing::Fine);
        assert_eq!(on(Flavor::MySql, (8, 0, 36), "query_cache_size"), Standing::Refused);
        assert_eq!(on(Flavor::Percona, (5, 7, 30), "query_cache_size"), Standing::Deprecated);
        assert_eq!(on(Flavor::MySql, (8, 0, 29), "innodb_redo_log_capacity"), Standing::Refused);
        assert_eq!(on(Flavor::MySql, (8, 0, 30), "innodb_log_file_size"), Standing::Deprecated);
    }

    #[test]
    fn every_row_says_something_says_where_from_and_stands_once() {
        for flavor in [Flavor::MariaDb, Flavor::MySql] {
            let facts = all(flavor);
            for fact in facts {
                let says = [fact.deprecated_since, fact.inert_since, fact.removed_in, fact.added_in];
                assert!(says.iter().any(Option::is_some), "{fact:?}");
                assert!(!fact.source.is_empty() && !fact.option.contains('-'), "{fact:?}");
                assert_eq!(facts.iter().filter(|other| other.option == fact.option).count(), 1, "{fact:?}");
            }
        }
    }
}
