//! Edits of configuration files as data: what is set or taken out, never where its bytes lie.
//!
//! An edit names a setting by the file's own grammar, so that several edits of one file do not disturb each other and
//! a file that someone reformatted in between is still edited rightly. Everything the edit does not name stays as it
//! is: comments, order, blank lines, line ends.

use serde::{Deserialize, Serialize};

/// One edit of one configuration file. The variant is the file's grammar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "grammar", rename_all = "kebab-case")]
pub enum Edit {
    /// An assignment of sysctl.d(5).
    Sysctl {
        /// The key with dots.
        key: String,
        /// The value; `None` takes the assignment out.
        value: Option<String>,
        /// The line that is meant, where the key stands on several; it must hold the key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
    },
    /// An option of a mount of fstab(5).
    Fstab {
        /// The mount point.
        mount_point: String,
        /// The option's name, such as `actimeo` or `noatime`.
        option: String,
        /// Set, with its value for options that have one, or taken out.
        to: Presence,
    },
    /// A setting of php.ini, a PHP-FPM pool or another ini file with `;` comments.
    Ini {
        /// The section without brackets; `None` for settings before the first.
        section: Option<String>,
        /// The key.
        key: String,
        /// The value, in the file's syntax; `None` takes the setting out.
        value: Option<String>,
    },
    /// An option of a MariaDB or MySQL option file, where `-` and `_` in names are the same and `#` begins a comment.
    OptionFile {
        /// The group without brackets.
        group: String,
        /// The option.
        option: String,
        /// The value; `None` takes the option out.
        value: Option<String>,
    },
    /// A setting of a systemd unit, drop-in, or .link file.
    Systemd {
        /// The section without brackets.
        section: String,
        /// The key.
        key: String,
        /// The value; `None` takes the setting out.
        value: Option<String>,
    },
    /// A constant that a PHP file such as `wp-config.php` defines.
    PhpConstant {
        /// Its name.
        name: String,
        /// The value as a literal of PHP: `true`, `60`, `'text'`; `None` takes the definition out.
        value: Option<String>,
    },
    /// A directive of Nginx.
    Nginx {
        /// The blocks it stands in, from the outside, each by its name and arguments: `["http", "server"]`. A block of
        /// the file itself when empty.
        block: Vec<String>,
        /// The directive.
        directive: String,
        /// The first argument that tells directives of one name apart, such as the address of `listen`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_argument: Option<String>,
        /// What is done to it.
        to: DirectiveEdit,
    },
    /// A keyword of HAProxy.
    Haproxy {
        /// The section with its name, such as `global` or `frontend www`.
        section: String,
        /// The keyword, which may be two words (`timeout connect`).
        keyword: String,
        /// The arguments; `None` takes the line out.
        arguments: Option<String>,
    },
    /// A variable of a file that a shell reads, such as those of `/etc/default`.
    ShellVariable {
        /// The variable.
        name: String,
        /// Words that its value must hold; those it holds already stay.
        add_words: Vec<String>,
    },
    /// Lines of a script, between a line `# begin NAME` and a line `# end NAME`.
    Block {
        /// The name, unique in the script.
        name: String,
        /// The lines; `None` takes the block out.
        lines: Option<Vec<String>>,
    },
    /// A whole line, such as a module's name in modules-load.d(5).
    Line {
        /// The line, without its end.
        line: String,
        /// Whether it stands in the file.
        present: bool,
    },
}

/// Whether something stands in a file, and with which value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case")]
pub enum Presence {
    /// It stands there.
    Set {
        /// Its value, for what has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
    },
    /// It does not.
    Removed,
}

/// What is done to a directive of Nginx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "kebab-case")]
pub enum DirectiveEdit {
    /// It stands there with these arguments, as written in the file.
    Arguments {
        /// The arguments.
        arguments: String,
    },
    /// One parameter of it has this value, as `backlog=4096` of `listen`; the others stay.
    Parameter {
        /// The parameter.
        name: String,
        /// Its value.
        value: String,
    },
    /// One of the directives of this name has exactly these arguments; the others stay, as with `add_header`.
    OneMore {
        /// The arguments.
        arguments: String,
    },
    /// A block with these arguments stands there, or does not.
    Block {
        /// The arguments before its brace.
        arguments: String,
        /// The lines it holds, as written in the file; `None` takes it out with all it holds.
        lines: Option<Vec<String>>,
    },
    /// It is taken out.
    Removed,
}
