//! Tokens, bounded before anything recursive sees them.

use sqlparser::dialect::MySqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::Unparsed;

/// The longest statement that is looked at, in bytes.
const LONGEST: usize = 1 << 20;
/// The most operators in a chain, which is the depth of the tree that is made of them.
const CHAIN: usize = 1200;
/// The deepest parentheses.
const DEPTH: usize = 100;

/// Words that change nothing of a statement's meaning and that the parser does not know.
const SKIPPED: [&str; 2] = ["SQL_CACHE", "SQL_NO_FCACHE"];

/// The statement's tokens: what the parser does not know and what does not matter is gone.
pub(super) fn tokens(sql: &str) -> Result<Vec<TokenWithSpan>, Unparsed> {
    if sql.len() > LONGEST {
        return Err(Unparsed::TooLong(sql.len()));
    }
    let mut tokens = Vec::new();
    let dialect = MySqlDialect {};
    Tokenizer::new(&dialect, sql)
        .tokenize_with_location_into_buf(&mut tokens)
        .map_err(|error| Unparsed::Syntax(error.to_string()))?;
    tokens.retain(|token| !skipped(&token.token));
    while matches!(tokens.last(), Some(last) if matches!(last.token, Token::SemiColon | Token::Whitespace(_)))
    {
        tokens.pop();
    }
    bounded(&tokens)?;
    Ok(tokens)
}

fn skipped(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none()
        && SKIPPED.iter().any(|skipped| word.value.eq_ignore_ascii_case(skipped)))
}

/// Refuses what would make a tree so deep that walking or dropping it takes more stack than a thread has.
fn bounded(tokens: &[TokenWithSpan]) -> Result<(), Unparsed> {
    let (mut open, mut chain, mut sum) = (Vec::new(), 0_usize, 0_usize);
    for token in tokens {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => open.push(std::mem::take(&mut chain)),
            Token::RParen | Token::RBracket | Token::RBrace => {
                sum = sum.saturating_sub(chain);
                chain = open.pop().unwrap_or(0);
            }
            Token::Comma => {
                sum = sum.saturating_sub(chain);
                chain = 0;
            }
            token if deepens(token) => {
                chain += 1;
                sum += 1;
            }
            _ => {}
        }
        if open.len() > DEPTH || sum > CHAIN {
            return Err(Unparsed::TooDeep);
        }
    }
    Ok(())
}

fn deepens(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::XOR
                | Keyword::NOT
                | Keyword::DIV
                | Keyword::MOD
                | Keyword::LIKE
                | Keyword::IS
                | Keyword::IN
                | Keyword::BETWEEN
                | Keyword::UNION
                | Keyword::INTERSECT
                | Keyword::EXCEPT
                | Keyword::CASE
                | Keyword::BINARY
                | Keyword::COLLATE
                | Keyword::INTERVAL
                | Keyword::SELECT
                | Keyword::REGEXP
                | Keyword::RLIKE
        ),
        Token::Whitespace(_)
        | Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::Period
        | Token::SemiColon
        | Token::Placeholder(_)
        | Token::EOF => false,
        _ => true,
    }
}
