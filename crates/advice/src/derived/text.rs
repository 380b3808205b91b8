//! Names, literals and expressions as SQL writes them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::ControlFlow;

use sqlparser::ast::{Expr, Ident, Value, VisitMut, visit_expressions_mut};

/// The longest part that a name takes from a value.
const LONGEST: usize = 40;

/// A name in backticks.
pub(crate) fn name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text in quotes.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A column of a table, as an expression.
pub(crate) fn named(table: &str, column: &str) -> Expr {
    let ident = |value: &str| Ident::with_quote('`', value);
    if table.is_empty() {
        return Expr::Identifier(ident(column));
    }
    let table = Ident::new(table);
    Expr::CompoundIdentifier(vec![table, ident(column)])
}

/// A syntax tree as text. The parser's own printing would lose backslashes in strings.
pub(crate) fn sql<T: VisitMut + Clone + ToString>(tree: &T) -> String {
    let mut tree = tree.clone();
    let _ = visit_expressions_mut(&mut tree, |expression| {
        if let Expr::Value(value) = expression
            && let Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) = &value.value
        {
            value.value = Value::SingleQuotedString(text.replace('\\', "\\\\").replace('\'', "\\'"));
        }
        ControlFlow::<()>::Continue(())
    });
    tree.to_string()
}

/// Letters, digits and underscores of a text, for a name.
pub(crate) fn word(text: &str) -> String {
    let mut word = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            word.push(character.to_ascii_lowercase());
        } else if !word.is_empty() && !word.ends_with('_') {
            word.push('_');
        }
    }
    word.truncate(LONGEST);
    word.trim_end_matches('_').to_owned()
}

/// A name that no other feature of the same beginning has.
pub(crate) fn fresh_name(beginning: &str, of: &[String]) -> String {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    format!("{beginning}_{:04x}", hasher.finish() & 0xffff)
}
