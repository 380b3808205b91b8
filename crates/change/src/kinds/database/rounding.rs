//! What a server makes of a number that it does not take as it is.

use super::session::Session;

/// What MariaDB says of a variable.
const OF_MARIADB: &str = "SELECT NUMERIC_MIN_VALUE, NUMERIC_MAX_VALUE, NUMERIC_BLOCK_SIZE, READ_ONLY \
    FROM information_schema.SYSTEM_VARIABLES WHERE VARIABLE_NAME = ";
/// What MySQL 8 says of one. It has no table of those that are fixed.
const OF_MYSQL: &str = "SELECT MIN_VALUE, MAX_VALUE, NULL, NULL FROM performance_schema.variables_info \
    WHERE VARIABLE_NAME = ";

/// What a server says of a variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Limits {
    least: Option<u128>,
    most: Option<u128>,
    block: Option<u128>,
    /// Whether it can be set in the options only; `None` where the server does not say.
    pub(super) is_fixed: Option<bool>,
}

impl Limits {
    /// Asks the server. One that does not say has no limits.
    pub(super) fn of(session: &mut Session, name: &str) -> Self {
        let name = super::session::literal(name);
        let asked = |session: &mut Session, query: &str| {
            let table = session.raw_query(&format!("{query}{name}")).ok()?;
            table.rows.into_iter().next()
        };
        let Some(row) = asked(session, OF_MARIADB).or_else(|| asked(session, OF_MYSQL)) else {
            return Self::default();
        };
        let cell = |at: usize| row.get(at).and_then(Option::as_deref);
        let number = |at: usize| cell(at).and_then(|text| text.parse::<u128>().ok());
        let mut limits = Self {
            least: number(0),
            most: number(1).filter(|most| *most > 0),
            block: number(2).filter(|block| *block > 1),
            is_fixed: cell(3).map(|text| text == "YES"),
        };
        // MySQL and MariaDB before 10.11.12 round up to whole chunks of all instances.
        if name == "'innodb_buffer_pool_size'"
            && let Some(chunk) = chunk(session)
        {
            limits.block = Some(chunk);
        }
        limits
    }

    /// What the server may make of a number: the nearest one that it takes, below or above.
    pub(super) fn rounded(&self, wanted: u128) -> Vec<u128> {
        let clamped = wanted.max(self.least.unwrap_or(0)).min(self.most.unwrap_or(u128::MAX));
        let block = self.block.unwrap_or(1);
        let below = clamped - clamped % block;
        let above = if below == clamped { below } else { below.saturating_add(block) };
        vec![clamped, below, above]
    }
}

/// Bytes of the chunks that a buffer pool grows by; `None` where there are none.
fn chunk(session: &mut Session) -> Option<u128> {
    let value = |session: &mut Session, name: &str| {
        let table =
            session.raw_query(&format!("SHOW GLOBAL VARIABLES WHERE Variable_name = '{name}'")).ok()?;
        table.values("Value").next()?.parse::<u128>().ok()
    };
    let chunk = value(session, "innodb_buffer_pool_chunk_size").filter(|bytes| *bytes > 1)?;
    Some(chunk.saturating_mul(value(session, "innodb_buffer_pool_instances").unwrap_or(1).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_within_the_limits_and_to_whole_blocks() {
        let limits = Limits { least: Some(10), most: Some(100_000), block: Some(16), is_fixed: Some(false) };
        assert_eq!(limits.rounded(5), [10, 0, 16]);
        assert_eq!(limits.rounded(100), [100, 96, 112]);
        assert_eq!(limits.rounded(200_000), [100_000, 100_000, 100_000]);
        assert_eq!(Limits::default().rounded(7), [7, 7, 7]);
    }
}
