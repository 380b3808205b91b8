//! Tables from `SHOW CREATE TABLE` and from dumps.

use std::io::BufRead;

use super::{Dialect, Schema};

/// The longest line that is looked at: definitions are short, rows of a dump are not.
const LINE: usize = 256 << 10;
/// The longest definition, in bytes.
const DEFINITION: usize = 1 << 20;

impl Schema {
    /// Reads the definitions of tables out of a dump (`mysqldump`, `mariadb-dump`) or of what `SHOW CREATE TABLE` printed;
    /// everything else is skipped. What was there and could not be read is in [`Schema::notes`].
    ///
    /// # Errors
    /// Where the source cannot be read.
    pub fn from_dump(mut source: impl BufRead, dialect: Dialect) -> std::io::Result<Self> {
        let mut schema = Self { dialect, ..Self::default() };
        let (mut line, mut definition) = (Vec::new(), String::new());
        while next_line(&mut source, &mut line)? {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            if definition.is_empty() {
                schema.heading(text);
                let Some(start) = beginning(text) else { continue };
                definition = start;
            } else {
                definition.push('\n');
                definition.push_str(text);
            }
            if ends(&definition) || definition.len() > DEFINITION {
                schema.define(&definition);
                definition.clear();
            }
        }
        if !definition.is_empty() {
            schema.define(&definition);
        }
        Ok(schema)
    }

    /// What comments and `USE` say of all that follows.
    fn heading(&mut self, line: &str) {
        let known = self.dialect != Dialect::default();
        if let Some(version) = line.strip_prefix("-- Server version").filter(|_| !known) {
            self.dialect = Dialect::of_version(version.trim());
        }
        if let Some(name) = line.strip_prefix("USE ") {
            self.current = Some(name.trim_end_matches(';').trim_matches(['`', ' ']).replace("``", "`"));
        }
    }

    fn define(&mut self, definition: &str) {
        match super::create::table(definition, self.current.as_deref(), &self.dialect) {
            Ok(table) => self.insert(table),
            Err(reason) => {
                let beginning: String = definition.chars().take(60).collect();
                self.notes.push(format!("`{}` … was not read: {reason}", beginning.trim_end()));
            }
        }
    }
}

/// Reads a line, of which not more than [`LINE`] bytes are kept; false at the end.
fn next_line(source: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    let mut any = false;
    loop {
        let buffer = source.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any);
        }
        any = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(buffer.len(), |end| end + 1);
        let room = LINE.saturating_sub(line.len());
        line.extend(buffer.iter().take(taken.min(room)));
        source.consume(taken);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// The beginning of a definition, where the line holds one: bare, after the table's name in a column, or after a heading.
fn beginning(line: &str) -> Option<String> {
    let at = ["CREATE TABLE", "create table", "Create table", "CREATE TEMPORARY TABLE"];
    let at = at.iter().filter_map(|words| line.find(words)).min()?;
    let before = line.get(..at)?.trim();
    let columns = line.get(..at)?.ends_with('\t');
    match before {
        "" | "Create Table:" => Some(line.get(at..)?.to_owned()),
        // The batch format of the client: a column of names, and line ends written as \n.
        _ if columns => Some(format!("{};", line.get(at..)?.replace("\\n", "\n"))),
        _ => None,
    }
}

/// Whether the definition is complete: it ends with `;`, or with the line of options that `\G` prints.
fn ends(definition: &str) -> bool {
    let last = definition.lines().next_back().unwrap_or_default();
    definition.ends_with(';') || (last.starts_with(") ENGINE") && !last.contains("PARTITION"))
}
