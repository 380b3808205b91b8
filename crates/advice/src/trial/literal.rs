//! Values as SQL writes them.

/// How a column's values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As the server prints it: numbers.
    Bare,
    /// In quotes.
    Quoted,
    /// In hexadecimal digits: bytes and geometry.
    Bytes,
}

impl Form {
    /// By the type's name in `information_schema.COLUMNS.DATA_TYPE`.
    pub(super) fn of(kind: &str) -> Self {
        match kind.to_ascii_lowercase().as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float" | "double"
            | "year" => Self::Bare,
            "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "bit" | "geometry"
            | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
            | "geometrycollection" | "geomcollection" => Self::Bytes,
            _ => Self::Quoted,
        }
    }

    /// Appends a value.
    pub(super) fn write(self, value: Option<&[u8]>, to: &mut String) {
        let Some(value) = value else { return to.push_str("NULL") };
        match (self, std::str::from_utf8(value)) {
            (_, Ok("")) => to.push_str("''"),
            (Self::Bare, Ok(number)) => to.push_str(number),
            (Self::Quoted, Ok(text)) => {
                to.push('\'');
                for character in text.chars() {
                    if matches!(character, '\'' | '\\') {
                        to.push('\\');
                    }
                    to.push(character);
                }
                to.push('\'');
            }
            _ => {
                to.push_str("0x");
                let digit = |half: u8| char::from_digit(u32::from(half & 15), 16).unwrap_or('0');
                to.extend(value.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]));
            }
        }
    }
}

/// A name in backticks.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text in quotes, for a session in which a backslash escapes.
pub(super) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
}
