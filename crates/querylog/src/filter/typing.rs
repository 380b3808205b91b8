//! A tree as a condition: what is a number, what is text, and whether they may meet.

use super::Fault;
use super::parser::{Kind, Node};
use crate::attribute::{self, Attribute};

#[derive(Debug, Clone)]
pub(super) enum Condition {
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Number, Comparison, Number),
    /// Whether text is equal to a value.
    Equal(Text, Box<[u8]>),
    /// Whether text matches a pattern.
    Match(Text, Box<[u8]>),
    /// Whether a flag is set, or a number is not 0.
    Set(Attribute),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

#[derive(Debug, Clone)]
pub(super) enum Number {
    Constant(f64),
    Attribute(Attribute),
    QueryLength,
    Connection,
    Timestamp,
    Negative(Box<Number>),
    Calculated(Box<Number>, Calculation, Box<Number>),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Calculation {
    Plus,
    Minus,
    Times,
    Over,
    Remainder,
}

/// A text of an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Text {
    Query,
    Db,
    User,
    Host,
    Ip,
    Attribute(Attribute),
}

/// What a name may stand for.
enum Meaning {
    Number(Number),
    Text(Text),
    /// Flags, and attributes of which nothing is known: both may be compared with numbers.
    Open(Attribute),
}

/// The condition that a tree stands for.
pub(super) fn condition(node: &Node) -> Result<Condition, Fault> {
    match &node.kind {
        Kind::Not(inner) => Ok(Condition::Not(Box::new(condition(inner)?))),
        Kind::Binary("and", left, right) => {
            Ok(Condition::And(Box::new(condition(left)?), Box::new(condition(right)?)))
        }
        Kind::Binary("or", left, right) => {
            Ok(Condition::Or(Box::new(condition(left)?), Box::new(condition(right)?)))
        }
        Kind::Binary(operator @ ("~" | "!~"), left, right) => {
            let matches = Condition::Match(text(left)?, literal(right)?);
            Ok(if *operator == "~" { matches } else { Condition::Not(Box::new(matches)) })
        }
        Kind::Binary(operator, left, right) => match comparison(operator) {
            Some(comparison) => compared(node, left, comparison, right),
            None => Err(Fault::new(node.at, "this is a number; compare it with another, as in `a + b > 5`")),
        },
        Kind::Name(name, any) => match meaning(node, name, *any)? {
            Meaning::Open(attribute) => Ok(Condition::Set(attribute)),
            _ => Err(Fault::new(
                node.at,
                format!("compare `{name}` with something, as in `{name} > 0` or `{name} = 'x'`"),
            )),
        },
        _ => Err(Fault::new(node.at, "a comparison is missing, as in `query_time > 1s`")),
    }
}

fn comparison(operator: &str) -> Option<Comparison> {
    Some(match operator {
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        "=" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        ">=" => Comparison::GreaterOrEqual,
        ">" => Comparison::Greater,
        _ => return None,
    })
}

fn compared(node: &Node, left: &Node, comparison: Comparison, right: &Node) -> Result<Condition, Fault> {
    let of_text = match (&left.kind, &right.kind) {
        (_, Kind::Text(value)) => Some((left, value)),
        (Kind::Text(value), _) => Some((right, value)),
        _ => None,
    };
    let Some((named, value)) = of_text else {
        return Ok(Condition::Compare(number(left)?, comparison, number(right)?));
    };
    let equal = Condition::Equal(text(named)?, value.as_bytes().into());
    match comparison {
        Comparison::Equal => Ok(equal),
        Comparison::NotEqual => Ok(Condition::Not(Box::new(equal))),
        _ => Err(Fault::new(node.at, "text has no order; use =, !=, ~ or !~")),
    }
}

fn number(node: &Node) -> Result<Number, Fault> {
    match &node.kind {
        Kind::Number(number) => Ok(Number::Constant(*number)),
        Kind::Negative(inner) => Ok(Number::Negative(Box::new(number(inner)?))),
        Kind::Name(name, any) => match meaning(node, name, *any)? {
            Meaning::Number(number) => Ok(number),
            Meaning::Open(attribute) => Ok(Number::Attribute(attribute)),
            Meaning::Text(_) => {
                Err(Fault::new(node.at, format!("`{name}` is text; put what it is compared with in quotes")))
            }
        },
        Kind::Binary(operator, left, right) => {
            let calculation = match *operator {
                "+" => Calculation::Plus,
                "-" => Calculation::Minus,
                "*" => Calculation::Times,
                "/" => Calculation::Over,
                "%" => Calculation::Remainder,
                _ => return Err(Fault::new(node.at, "a number is wanted here, and this is true or false")),
            };
            Ok(Number::Calculated(Box::new(number(left)?), calculation, Box::new(number(right)?)))
        }
        Kind::Text(_) | Kind::Not(_) => Err(Fault::new(node.at, "a number is wanted here")),
    }
}

fn text(node: &Node) -> Result<Text, Fault> {
    let Kind::Name(name, any) = &node.kind else {
        return Err(Fault::new(node.at, "the name of a text is wanted here: query, db, user, host or ip"));
    };
    match meaning(node, name, *any)? {
        Meaning::Text(text) => Ok(text),
        Meaning::Open(attribute) => Ok(Text::Attribute(attribute)),
        Meaning::Number(_) => Err(Fault::new(
            node.at,
            format!("`{name}` is a number; write what it is compared with without quotes"),
        )),
    }
}

fn literal(node: &Node) -> Result<Box<[u8]>, Fault> {
    match &node.kind {
        Kind::Text(text) => Ok(text.as_bytes().into()),
        _ => Err(Fault::new(node.at, "a pattern in quotes is wanted here, as in `query ~ 'wp_options'`")),
    }
}

fn meaning(node: &Node, name: &str, any: bool) -> Result<Meaning, Fault> {
    let is = |known: &[&str]| known.iter().any(|known| name.eq_ignore_ascii_case(known));
    let texts: [(&[&str], Text); 5] = [
        (&["query", "arg"], Text::Query),
        (&["db", "schema", "database"], Text::Db),
        (&["user"], Text::User),
        (&["host"], Text::Host),
        (&["ip"], Text::Ip),
    ];
    if let Some((_, text)) = texts.iter().find(|(names, _)| is(names)) {
        return Ok(Meaning::Text(*text));
    }
    if is(&["query_length", "bytes"]) {
        return Ok(Meaning::Number(Number::QueryLength));
    }
    if is(&["thread_id", "id", "connection"]) {
        return Ok(Meaning::Number(Number::Connection));
    }
    if is(&["timestamp"]) {
        return Ok(Meaning::Number(Number::Timestamp));
    }
    let attribute = if any { Attribute::of(name) } else { Attribute::meant(name) };
    let attribute = attribute.ok_or_else(|| Fault::new(node.at, unknown(name)))?;
    Ok(match attribute.kind() {
        attribute::Kind::Number(_) => Meaning::Number(Number::Attribute(attribute)),
        attribute::Kind::Text => Meaning::Text(Text::Attribute(attribute)),
        _ => Meaning::Open(attribute),
    })
}

/// Says that a name is not known, and which one is nearest.
fn unknown(name: &str) -> String {
    let nearest = Attribute::known().map(|known| (distance(name, known), known)).min();
    let hint = match nearest {
        Some((distance, known)) if distance * 3 <= name.chars().count() => format!("did you mean {known}?"),
        _ => "names are those of the log, such as Query_time, Rows_examined, db".to_owned(),
    };
    format!("no attribute `{name}` is known: {hint} (in backquotes, any name is taken)")
}

/// How many letters must change to make one name of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (place, letter) in one.to_lowercase().chars().enumerate() {
        let mut next = vec![place + 1];
        for ((above, pair), theirs) in row.iter().skip(1).zip(&row).zip(&other) {
            let left = next.last().copied().unwrap_or_default();
            next.push((above + 1).min(left + 1).min(pair + usize::from(letter != *theirs)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
