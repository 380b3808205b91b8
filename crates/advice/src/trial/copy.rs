//! Copying rows from the source, in chunks, within limits.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use database::Connection;

use super::literal::quoted;
use super::ranges::{Share, shares, spans};
use super::source::{Source, SourceTable};
use super::{Limits, Link, Stop, TrialError};

/// The bytes of a statement that inserts rows.
const STATEMENT: usize = 1 << 20;
/// The bytes that one read of the source may give, about.
const CHUNK: u64 = 4 << 20;

/// Rows that were copied, by table.
pub(super) type Copied = BTreeMap<String, u64>;

/// Copies rows.
pub(super) struct Copier<'a> {
    pub(super) source: &'a mut Source,
    pub(super) target: &'a mut Connection,
    pub(super) limits: &'a Limits,
    pub(super) stop: &'a Stop,
    begun: Instant,
    bytes: u64,
    copied: Copied,
}

impl<'a> Copier<'a> {
    pub(super) fn new(
        source: &'a mut Source,
        target: &'a mut Connection,
        limits: &'a Limits,
        stop: &'a Stop,
    ) -> Self {
        Self { source, target, limits, stop, begun: Instant::now(), bytes: 0, copied: Copied::new() }
    }

    /// Copies tables that are there already, empty.
    pub(super) fn run(mut self, tables: &[SourceTable]) -> Result<Copied, TrialError> {
        let names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
        let (shares, part) = shares(tables, &Link::of_wordpress(&names), self.limits.bytes);
        let mut domains: BTreeMap<&str, Vec<(&SourceTable, &str)>> = BTreeMap::new();
        for table in tables {
            match shares.get(&table.name) {
                Some(Share::Ranges { domain, key }) => domains.entry(domain).or_default().push((table, key)),
                Some(Share::First(rows)) => self.first(table, *rows)?,
                Some(Share::Whole) | None => self.whole(table)?,
            }
        }
        for (domain, members) in domains {
            self.ranges(domain, &members, part)?;
        }
        Ok(self.copied)
    }

    fn whole(&mut self, table: &SourceTable) -> Result<(), TrialError> {
        match &table.key {
            Some(key) => match self.bounds(&table.name, key)? {
                Some((low, high)) => self.span(table, key, (low, high + 1)),
                None => self.first(table, 0),
            },
            None => self.first(table, u64::MAX),
        }
    }

    /// Parents and children range by range, so that they match wherever the limit is reached.
    fn ranges(
        &mut self,
        domain: &str,
        members: &[(&SourceTable, &str)],
        part: f64,
    ) -> Result<(), TrialError> {
        let leader = members.iter().find(|(table, _)| table.name == domain).or(members.first());
        let Some((leader, key)) = leader else { return Ok(()) };
        let Some((low, high)) = self.bounds(&leader.name, key)? else { return Ok(()) };
        for span in spans(low, high, part) {
            if self.bytes > self.limits.bytes.saturating_mul(2) || self.late() {
                break;
            }
            for (table, key) in members {
                self.span(table, key, span)?;
            }
        }
        Ok(())
    }

    fn bounds(&mut self, table: &str, key: &str) -> Result<Option<(i128, i128)>, TrialError> {
        let (table, key) = (quoted(table), quoted(key));
        let found = self.source.connection.query(&format!("SELECT MIN({key}), MAX({key}) FROM {table}"))?;
        let number = |at: usize| found.rows.first().and_then(|row| row.get(at)?.as_deref()?.parse().ok());
        Ok(number(0).zip(number(1)))
    }

    /// Rows whose key lies from the first number up to the second, which is left out.
    fn span(&mut self, table: &SourceTable, key: &str, (low, high): (i128, i128)) -> Result<(), TrialError> {
        let chunk = (CHUNK / (table.bytes / table.rows.max(1)).max(1)).clamp(100, 5_000);
        let (name, column) = (quoted(&table.name), quoted(key));
        let mut from = low;
        loop {
            let within = format!("{column} >= {from} AND {column} < {high}");
            let next = format!(
                "SELECT {column} FROM {name} WHERE {within} ORDER BY {column} LIMIT 1 OFFSET {chunk}"
            );
            let next =
                self.source.connection.query(&next)?.first().and_then(|value| value.parse::<i128>().ok());
            let until = next.map_or(high, |next| next.max(from + 1));
            self.rows(table, &format!("WHERE {column} >= {from} AND {column} < {until} ORDER BY {column}"))?;
            if next.is_none() {
                return Ok(());
            }
            from = until;
        }
    }

    fn first(&mut self, table: &SourceTable, rows: u64) -> Result<(), TrialError> {
        let most = self.limits.bytes / (table.bytes / table.rows.max(1)).max(1);
        self.rows(table, &format!("LIMIT {}", rows.min(most.max(1_000))))
    }

    fn late(&self) -> bool {
        self.begun.elapsed() > Duration::from_secs(self.limits.copy_s)
    }

    fn rows(&mut self, table: &SourceTable, condition: &str) -> Result<(), TrialError> {
        self.stop.check()?;
        if self.begun.elapsed() > Duration::from_secs(self.limits.copy_s.saturating_mul(2)) {
            let copied = self.copied.get(&table.name).copied().unwrap_or(0);
            let reason = format!(
                "{copied} rows took longer than {} s; allow more time or fewer bytes",
                self.limits.copy_s
            );
            return Err(TrialError::table(&table.name, reason));
        }
        let names = table.columns.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(", ");
        let select = format!("SELECT {names} FROM {} {condition}", quoted(&table.name));
        let head = format!("INSERT INTO {} ({names}) VALUES ", quoted(&table.name));
        let (target, mut batch, mut failed, mut count) = (&mut *self.target, head.clone(), None, 0_u64);
        let mut bytes = 0_u64;
        self.source.connection.each_row(&select, |row| {
            if failed.is_some() {
                return;
            }
            batch.push_str(if batch.len() > head.len() { ",(" } else { "(" });
            for (at, (value, (_, form))) in row.iter().zip(&table.columns).enumerate() {
                if at > 0 {
                    batch.push(',');
                }
                bytes += value.as_ref().map_or(1, Vec::len) as u64;
                form.write(value.as_deref(), &mut batch);
            }
            batch.push(')');
            count += 1;
            if batch.len() > STATEMENT {
                failed = target.execute(&batch).err();
                batch.truncate(head.len());
            }
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        if batch.len() > head.len() {
            target.execute(&batch)?;
        }
        self.bytes += bytes;
        *self.copied.entry(table.name.clone()).or_default() += count;
        Ok(())
    }
}
