//! What a PHP file defines and includes: the parts of [`crate::PhpConstants`].

use crate::document::Span;

/// One `define('NAME', …)` or `const NAME = …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhpConstant {
    /// Its name.
    pub name: String,
    /// Its value where it is a literal; `None` for an expression.
    pub value: Option<PhpLiteral>,
    /// The line of the definition, from 1.
    pub line: usize,
    /// Where the value stands.
    pub value_span: Span,
    /// Where the whole statement stands, its `;` included.
    pub statement_span: Span,
    /// What decides whether it is set at all.
    pub condition: PhpCondition,
    /// Whether the statement defines this constant alone.
    pub alone: bool,
}

/// What decides whether a definition takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhpCondition {
    /// Nothing: it stands at the top of the file.
    None,
    /// It is set where it was not before: `if (!defined('NAME'))`, `defined('NAME') || define(…)`.
    UnlessDefined,
    /// Anything else: another condition, a loop, a function.
    Other,
}

/// A literal of PHP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhpLiteral {
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// A number as written, a sign included.
    Number(String),
    /// A string without its quotes, invalid UTF-8 replaced.
    Text(String),
}

impl PhpLiteral {
    /// The value as text: `true`, `false`, `null`, a number as written, a string without quotes.
    pub fn text(&self) -> &str {
        match self {
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Null => "null",
            Self::Number(text) | Self::Text(text) => text,
        }
    }
}

/// One `require`, `include` or their `_once`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhpInclude {
    /// The line, from 1.
    pub line: usize,
    /// The file where it can be told: an absolute path as written, or one below the folder of this file, which begins
    /// with `./`. `None` for anything that only running PHP could tell.
    pub path: Option<String>,
    /// The last string in the expression, such as `wp-settings.php`.
    pub ends_with: Option<String>,
    /// Where the statement stands.
    pub span: Span,
    /// Whether it stands under a condition.
    pub conditional: bool,
}
