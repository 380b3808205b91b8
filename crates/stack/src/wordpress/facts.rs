//! What is known of each WordPress on the host.

use std::collections::BTreeMap;

use model::Unread;
use serde::{Deserialize, Serialize};

use crate::php_fpm::FileProblem;

/// Every WordPress of the host, read once per window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Each site that a document root of Nginx leads to.
    pub sites: Vec<Site>,
    /// What could not be read, while the rest was.
    pub unread: Vec<Unread>,
}

/// One WordPress.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Site {
    /// The folder with `wp-load.php`.
    pub root: String,
    /// The document root that led to it, as Nginx names it.
    pub document_root: String,
    /// The host's name by which Debian's package chooses the configuration: `blog.example.com`, or `default`.
    pub name: Option<String>,
    /// The version (`wp-includes/version.php`).
    pub version: Option<String>,
    /// The file that configures it: `wp-config.php` of the folder or of the one above, at the end of includes (Debian's
    /// `/etc/wordpress/config-*.php`).
    pub config_file: Option<String>,
    /// Constants of `wp-config.php` by name; keys, salts and passwords are taken out.
    pub constants: BTreeMap<String, Constant>,
    /// What of `wp-config.php` could not be understood.
    pub problems: Vec<FileProblem>,
    /// Folders and files of `wp-content/plugins`. Whether a plugin is active only the database knows.
    pub plugins: Vec<String>,
    /// Drop-ins of `wp-content` (`object-cache.php`, `advanced-cache.php`, `db.php`).
    pub drop_ins: Vec<String>,
    /// The user and group that own `wp-config.php`, where they could be read.
    pub owner: Option<String>,
}

/// The value of a constant.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Constant {
    /// The value where it is a literal: `true`, `false`, a number, or text without quotes. `None` for an expression.
    pub value: Option<String>,
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// Whether it is set only under a condition (`if (…) { define(…) }`).
    pub conditional: bool,
}

impl Site {
    /// Its folder, and the host's name where several sites share the folder.
    pub fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("{} ({name})", self.root),
            None => self.root.clone(),
        }
    }

    /// Whether a constant is true; `None` where it is not set, or set to what only running PHP could tell.
    pub fn is_true(&self, constant: &str) -> Option<bool> {
        let found = self.constants.get(constant).filter(|found| !found.conditional)?;
        let value = found.value.as_deref()?;
        Some(!["false", "0", "", "null"].iter().any(|word| value.eq_ignore_ascii_case(word)))
    }
}
