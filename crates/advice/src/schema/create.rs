//! `CREATE TABLE`.

use sqlparser::dialect::MySqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::{Column, Dialect, Index, IndexKind, IndexPart, TableDefinition};

/// Words that end a column's type.
const ATTRIBUTES: [&str; 28] = [
    "NOT",
    "NULL",
    "DEFAULT",
    "AUTO_INCREMENT",
    "COMMENT",
    "COLLATE",
    "CHARACTER",
    "CHARSET",
    "GENERATED",
    "AS",
    "PRIMARY",
    "UNIQUE",
    "KEY",
    "CHECK",
    "REFERENCES",
    "ON",
    "VISIBLE",
    "INVISIBLE",
    "STORAGE",
    "SRID",
    "REF_SYSTEM_ID",
    "VIRTUAL",
    "PERSISTENT",
    "STORED",
    "COLUMN_FORMAT",
    "CONSTRAINT",
    "WITHOUT",
    "COMPRESSED",
];

/// Reads the definition of a table.
pub(super) fn table(sql: &str, schema: Option<&str>, dialect: &Dialect) -> Result<TableDefinition, String> {
    let mysql = MySqlDialect {};
    let tokens = Tokenizer::new(&mysql, sql).tokenize().map_err(|error| error.to_string())?;
    let tokens: Vec<Token> =
        tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
    let open = tokens.iter().position(|token| *token == Token::LParen).ok_or("it has no columns")?;
    let (head, rest) = tokens.split_at(open);
    let close = closing(rest).ok_or("its parenthesis is not closed")?;
    let (body, options) = (rest.get(1..close).unwrap_or_default(), rest.get(close + 1..).unwrap_or_default());
    let mut names = head.iter().rev().filter_map(name);
    let mut table =
        TableDefinition { name: names.next().ok_or("it has no name")?, ..TableDefinition::default() };
    if matches!(head.iter().rev().nth(1), Some(Token::Period)) {
        table.schema = names.next().unwrap_or_default();
    } else if let Some(schema) = schema {
        table.schema = schema.to_owned();
    }
    table.engine = option(options, "ENGINE").unwrap_or_else(|| "InnoDB".to_owned());
    let charset = option(options, "CHARSET").or_else(|| option(options, "SET"));
    table.collation = option(options, "COLLATE").or_else(|| default_collation(&charset?, dialect));
    for item in split(body) {
        add(&mut table, item, dialect);
    }
    table.indexes.sort_by_key(|index| index.name != "PRIMARY");
    if table.columns.is_empty() { Err("it has no columns".to_owned()) } else { Ok(table) }
}

/// Where the first parenthesis closes.
fn closing(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().position(|token| {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    })
}

/// The parts between commas that stand in no parenthesis.
fn split(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    let mut depth = 0_usize;
    tokens.split(move |token| {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && *token == Token::Comma
    })
}

fn name(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) => Some(word.value.clone()),
        Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => Some(text.clone()),
        _ => None,
    }
}

/// A bare word in upper case; names in backticks are none.
fn word(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
        _ => None,
    }
}

/// The value of `NAME=value` or `NAME value`.
fn option(tokens: &[Token], wanted: &str) -> Option<String> {
    let at = tokens.iter().position(|token| word(token).as_deref() == Some(wanted))?;
    let value = tokens.get(at + 1..)?.iter().find(|token| **token != Token::Eq)?;
    name(value)
}

fn default_collation(charset: &str, dialect: &Dialect) -> Option<String> {
    let charset = charset.to_ascii_lowercase();
    match charset.as_str() {
        "binary" => None,
        "utf8mb4" if dialect.is_mysql((8, 0, 0)) => Some("utf8mb4_0900_ai_ci".to_owned()),
        "latin1" => Some("latin1_swedish_ci".to_owned()),
        _ => Some(format!("{charset}_general_ci")),
    }
}

fn add(table: &mut TableDefinition, item: &[Token], dialect: &Dialect) {
    let first = item.first().and_then(word).unwrap_or_default();
    match first.as_str() {
        "PRIMARY" | "UNIQUE" | "KEY" | "INDEX" | "FULLTEXT" | "SPATIAL" => table.indexes.extend(index(item)),
        "CONSTRAINT" => {
            let at =
                item.iter().position(|token| matches!(word(token).as_deref(), Some("PRIMARY" | "UNIQUE")));
            if let Some(item) = at.and_then(|at| item.get(at..)) {
                table.indexes.extend(index(item));
            }
        }
        "FOREIGN" | "CHECK" | "PERIOD" | "LIKE" => {}
        _ => column(table, item, dialect),
    }
}

fn column(table: &mut TableDefinition, item: &[Token], dialect: &Dialect) {
    let Some((first, rest)) = item.split_first() else { return };
    let Some(name) = name(first) else { return };
    let is_attribute = |token: &Token| word(token).is_some_and(|word| ATTRIBUTES.contains(&word.as_str()));
    let end = rest.iter().position(is_attribute).unwrap_or(rest.len());
    let (kind, attributes) = rest.split_at(end);
    let kind = written(kind);
    let has = |words: &[&str]| {
        attributes.windows(words.len()).any(|window| {
            window.iter().zip(words).all(|(token, wanted)| word(token).as_deref() == Some(*wanted))
        })
    };
    let charset = option(attributes, "SET").or_else(|| option(attributes, "CHARSET"));
    let own = option(attributes, "COLLATE").or_else(|| default_collation(&charset?, dialect));
    let collation = if is_text(&kind) { own.or_else(|| table.collation.clone()) } else { None };
    let primary = has(&["PRIMARY", "KEY"]);
    let unique = has(&["UNIQUE"]);
    if primary || unique {
        table.indexes.push(Index {
            name: if primary { "PRIMARY".to_owned() } else { name.clone() },
            unique: true,
            parts: vec![IndexPart { column: name.clone(), ..IndexPart::default() }],
            ..Index::default()
        });
    }
    table.columns.push(Column { name, kind, nullable: !primary && !has(&["NOT", "NULL"]), collation });
}

/// Whether values of a type are text with a collation.
pub(crate) fn is_text(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    ["char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"]
        .iter()
        .any(|name| kind == *name || kind.strip_prefix(name).is_some_and(|rest| rest.starts_with(['(', ' '])))
}

/// Tokens as the server writes types: words apart, nothing else.
fn written(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        if matches!(token, Token::Word(_)) && !text.is_empty() {
            text.push(' ');
        }
        match token {
            Token::Word(word) => text.push_str(&word.value.to_ascii_lowercase()),
            other => text.push_str(&other.to_string()),
        }
    }
    text
}

fn index(item: &[Token]) -> Option<Index> {
    let open = item.iter().position(|token| *token == Token::LParen)?;
    let (head, rest) = item.split_at(open);
    let words: Vec<String> = head.iter().filter_map(word).collect();
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    let close = closing(rest)?;
    let parts: Vec<IndexPart> = split(rest.get(1..close)?).filter_map(part).collect();
    let options = rest.get(close + 1..).unwrap_or_default();
    let uses_hash = |tokens: &[Token]| {
        let mut words = tokens.iter().filter_map(word);
        words.any(|word| word == "USING") && words.next().as_deref() == Some("HASH")
    };
    let hash = uses_hash(head) || uses_hash(options);
    let named = head.iter().rev().find_map(|token| match token {
        Token::Word(word) if word.quote_style.is_some() => Some(word.value.clone()),
        _ => None,
    });
    let primary = words.first().is_some_and(|word| word == "PRIMARY");
    let bare = || {
        let reserved = ["UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "USING", "BTREE", "HASH"];
        head.iter()
            .find(|token| word(token).is_some_and(|word| !reserved.contains(&word.as_str())))
            .and_then(name)
    };
    let name = if primary { Some("PRIMARY".to_owned()) } else { named.or_else(bare) };
    let kind = match () {
        () if has("FULLTEXT") => IndexKind::Fulltext,
        () if has("SPATIAL") => IndexKind::Spatial,
        () if hash => IndexKind::Hash,
        () => IndexKind::Btree,
    };
    let hidden = options.iter().filter_map(word).any(|word| word == "INVISIBLE" || word == "IGNORED");
    let name = name.or_else(|| parts.first().map(|part| part.column.clone()))?;
    Some(Index { name, unique: primary || has("UNIQUE"), kind, parts, hidden, ..Index::default() })
}

fn part(tokens: &[Token]) -> Option<IndexPart> {
    let descending = tokens.iter().filter_map(word).any(|word| word == "DESC");
    match tokens {
        [Token::LParen, ..] => {
            Some(IndexPart { column: written(tokens), descending, ..IndexPart::default() })
        }
        [first, rest @ ..] => {
            let prefix = match rest {
                [Token::LParen, Token::Number(number, _), Token::RParen, ..] => number.parse().ok(),
                _ => None,
            };
            Some(IndexPart { column: name(first)?, prefix, descending, distinct: None })
        }
        [] => None,
    }
}
