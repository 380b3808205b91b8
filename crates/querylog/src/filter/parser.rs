//! Words as a tree, by precedence: `or`, `and`, `not`, comparison, sum, product, sign.

use super::Fault;
use super::lexer::{Token, Word};

/// A node and where it starts.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: usize,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Number(f64),
    Text(String),
    /// A name; `true` where it need not be known.
    Name(String, bool),
    Not(Box<Node>),
    Negative(Box<Node>),
    Binary(&'static str, Box<Node>, Box<Node>),
}

/// Deeper expressions are refused: evaluation walks the tree.
const DEEPEST: usize = 64;

/// The tree of an expression that ends at `end`.
pub(super) fn parse(tokens: &[Token], end: usize) -> Result<Node, Fault> {
    let mut parser = Parser { tokens, end, depth: 0 };
    let node = parser.level(0)?;
    match parser.tokens.first() {
        None => Ok(node),
        Some(token) => Err(Fault::new(token.at, "an operator such as `and` is missing here")),
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    end: usize,
    depth: usize,
}

/// Operators that bind two operands, the loosest first, by their own name.
const LEVELS: [&[(&str, &str)]; 3] = [
    &[("or", "or"), ("||", "or")],
    &[("and", "and"), ("&&", "and")],
    &[
        ("==", "="),
        ("!=", "!="),
        ("<>", "!="),
        ("<=", "<="),
        (">=", ">="),
        ("!~", "!~"),
        ("<", "<"),
        (">", ">"),
        ("=", "="),
        ("~", "~"),
    ],
];
const SUMS: &[(&str, &str)] = &[("+", "+"), ("-", "-")];
const PRODUCTS: &[(&str, &str)] = &[("*", "*"), ("/", "/"), ("%", "%")];

impl Parser<'_> {
    fn here(&self) -> usize {
        self.tokens.first().map_or(self.end, |token| token.at)
    }

    /// Takes the next word if it is one of these operators.
    fn operator(&mut self, operators: &[(&str, &'static str)]) -> Option<&'static str> {
        let found = match &self.tokens.first()?.word {
            Word::Sign(sign) => operators.iter().find(|(written, _)| written == sign),
            Word::Name(name, false) => {
                operators.iter().find(|(written, _)| written.eq_ignore_ascii_case(name))
            }
            _ => None,
        };
        let (_, operator) = found?;
        self.tokens = self.tokens.get(1..).unwrap_or_default();
        Some(operator)
    }

    fn level(&mut self, level: usize) -> Result<Node, Fault> {
        let operators = match level {
            0 | 1 => LEVELS.get(level).copied().unwrap_or_default(),
            2 => return self.negation(),
            3 => SUMS,
            4 => PRODUCTS,
            _ => return self.signed(),
        };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self.operator(operators) {
            let right = self.level(level + 1)?;
            left = Node { at: left.at, kind: Kind::Binary(operator, Box::new(left), Box::new(right)) };
            self.deeper()?;
        }
        Ok(left)
    }

    fn deeper(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        let shallow = self.depth <= DEEPEST;
        if shallow { Ok(()) } else { Err(Fault::new(self.here(), format!("more than {DEEPEST} operators"))) }
    }

    fn negation(&mut self) -> Result<Node, Fault> {
        let at = self.here();
        if self.operator(&[("not", "not"), ("!", "not")]).is_some() {
            self.deeper()?;
            return Ok(Node { at, kind: Kind::Not(Box::new(self.negation()?)) });
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Node, Fault> {
        let left = self.level(3)?;
        let comparisons = LEVELS.get(2).copied().unwrap_or_default();
        let Some(operator) = self.operator(comparisons) else { return Ok(left) };
        let right = self.level(3)?;
        let at = self.here();
        if self.operator(comparisons).is_some() {
            return Err(Fault::new(at, "two comparisons in a row; join them with `and`"));
        }
        Ok(Node { at: left.at, kind: Kind::Binary(operator, Box::new(left), Box::new(right)) })
    }

    fn signed(&mut self) -> Result<Node, Fault> {
        let at = self.here();
        if self.operator(&[("-", "-")]).is_some() {
            self.deeper()?;
            return Ok(Node { at, kind: Kind::Negative(Box::new(self.signed()?)) });
        }
        if self.operator(&[("(", "(")]).is_some() {
            self.deeper()?;
            let inner = self.level(0)?;
            let here = self.here();
            let closed = self.operator(&[(")", ")")]).is_some();
            return if closed { Ok(inner) } else { Err(Fault::new(here, "a `)` is missing here")) };
        }
        let Some((token, rest)) = self.tokens.split_first() else {
            return Err(Fault::new(at, "a name or a value is missing here"));
        };
        let kind = match &token.word {
            Word::Number(number) => Kind::Number(*number),
            Word::Text(text) => Kind::Text(text.clone()),
            Word::Name(name, any) => Kind::Name(name.clone(), *any),
            Word::Sign(sign) => {
                return Err(Fault::new(at, format!("a name or a value is missing in front of `{sign}`")));
            }
        };
        self.tokens = rest;
        Ok(Node { at, kind })
    }
}
