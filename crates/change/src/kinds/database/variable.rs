//! A global variable of a running server.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::Access;
use super::rounding::Limits;
use super::session::{Place, Session, client, literal};
use crate::shell::quoted;
use crate::{Action, ChangeError, Kind, State};

/// How long the buffer pool may take to reach its size.
const RESIZING: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// A global variable of a running server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SqlVariable {
    /// The server, as its socket or address.
    pub server: String,
    /// The variable, as `max_connections`.
    pub name: String,
    /// By what it lets narrows in.
    #[serde(default, skip_serializing_if = "Access::is_plain")]
    pub access: Access,
}

/// Whether a text is the name of a variable, and no more.
pub(crate) fn is_option(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
}

/// The statement that reads a variable, which also a recorded answer holds: all of them.
pub(crate) fn said_in(table: &database::Table, name: &str) -> Option<String> {
    let (of, value) = (table.column("Variable_name")?, table.column("Value")?);
    let row = table.rows.iter().find(|row| {
        row.get(of).and_then(Option::as_deref).is_some_and(|text| text.eq_ignore_ascii_case(name))
    })?;
    row.get(value).cloned().map(Option::unwrap_or_default)
}

impl SqlVariable {
    fn place(&self) -> Place<'_> {
        Place { server: &self.server, access: &self.access }
    }

    fn session(&self) -> Result<Session, ChangeError> {
        Session::open(&self.place(), &self.name())
    }

    /// Whether the server refuses to have it set while it runs; `None` where it does not say.
    ///
    /// # Errors
    /// When the server does not let us in.
    pub(crate) fn is_fixed(&self) -> Result<Option<bool>, ChangeError> {
        Ok(Limits::of(&mut self.session()?, &self.name).is_fixed)
    }

    /// The file in which MySQL 8 keeps what `SET PERSIST` set, where this variable is among it. It is read after all
    /// option files (reference manual, "Persisted System Variables").
    ///
    /// # Errors
    /// When the server does not let us in.
    pub(crate) fn persisted_in(&self) -> Result<Option<String>, ChangeError> {
        let mut session = self.session()?;
        let statement = format!(
            "SELECT COUNT(*) FROM performance_schema.persisted_variables WHERE VARIABLE_NAME = {}",
            literal(&self.name)
        );
        // MariaDB has no such table.
        let Ok(table) = session.raw_query(&statement) else { return Ok(None) };
        if table.first().is_none_or(|count| count == "0") {
            return Ok(None);
        }
        let folder = session.query("SELECT @@GLOBAL.datadir", "ask where the data lie")?;
        Ok(Some(format!("{}/mysqld-auto.cnf", folder.first().unwrap_or_default().trim_end_matches('/'))))
    }

    fn value(&self, session: &mut Session) -> Result<String, ChangeError> {
        let attempted = format!("read {}", self.name());
        let statement = format!("SHOW GLOBAL VARIABLES WHERE Variable_name = {}", literal(&self.name));
        let table = session.query(&statement, &attempted)?;
        said_in(&table, &self.name).ok_or_else(|| {
            ChangeError::new(attempted, "the server has no such variable")
                .help("other versions may call it otherwise, or have dropped it")
        })
    }

    fn assignment(&self, value: &str) -> String {
        format!("SET GLOBAL {} = {}", self.name, literal(value))
    }
}

impl Kind for SqlVariable {
    fn name(&self) -> String {
        format!("@@global.{} of {}", self.name, self.server)
    }

    fn read(&self) -> Result<State, ChangeError> {
        Ok(State::text(self.value(&mut self.session()?)?))
    }

    fn write(&self, state: &State) -> Result<(), ChangeError> {
        let attempted = || format!("set {} to {}", self.name(), state.shown());
        let State::Text { value } = state else {
            return Err(ChangeError::new(attempted(), "this is not the value of a variable"));
        };
        let mut session = Session::open_for_work(&self.place(), &self.name())?;
        session.execute(&self.assignment(value), &attempted())?;
        if self.name == "innodb_buffer_pool_size" {
            resized(&mut session, &attempted())?;
        }
        Ok(())
    }

    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError> {
        let Action::Set { value } = action else {
            return Err(ChangeError::new(format!("change {}", self.name()), "it can only be set to a value"));
        };
        if *now == State::Absent || value.chars().any(char::is_control) {
            let why = "the value is not one line of text, or there is nothing to set it on";
            return Err(ChangeError::new(format!("set {}", self.name()), why));
        }
        Ok(State::text(value.trim()))
    }

    fn normal(&self, state: &State) -> State {
        match state {
            State::Text { value } => State::text(respelled(value)),
            other => other.clone(),
        }
    }

    /// A number that the server rounded, where its note was lost with the process that wrote it.
    fn is_between(&self, now: &State, _original: &State, wanted: &State) -> bool {
        let (Some(now), Some(wanted)) = (number(now), number(wanted)) else { return false };
        let Ok(mut session) = self.session() else { return false };
        Limits::of(&mut session, &self.name).rounded(wanted).contains(&now)
    }

    /// A number that the server rounded or held within its limits still goes the right way; one that it moved the other
    /// way, or left where it was, is refused.
    fn accepted(&self, now: &State, original: &State, wanted: &State) -> Option<String> {
        let (is, was, to) = (number(now)?, number(original)?, number(wanted)?);
        let right_way = if to > was { is > was } else { is < was };
        right_way.then(|| format!("{}: the server made {is} of {to}", self.name()))
    }

    fn end_what_was_left(&self) -> Result<(), ChangeError> {
        self.session()?.end_what_was_left()
    }

    fn shell(&self, to: &State) -> Vec<String> {
        let State::Text { value } = to else { return vec![] };
        vec![format!("{} --execute={}", client(&self.place()), quoted(&self.assignment(value)))]
    }

    /// A file keeps it.
    fn boot_lines(&self, _to: &State) -> Option<Vec<String>> {
        None
    }
}

/// A pool is resized in the background; until it is done, another size is refused.
fn resized(session: &mut Session, attempted: &str) -> Result<(), ChangeError> {
    let start = Instant::now();
    loop {
        let table = session.query("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_resize_status'", attempted)?;
        let status = table.values("Value").next().unwrap_or_default().to_lowercase();
        let settled = status.is_empty() || status.contains("complete") || status.contains("not changed");
        if settled || start.elapsed() > RESIZING {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
}

fn number(state: &State) -> Option<u128> {
    match state {
        State::Text { value } => value.trim().parse().ok(),
        _ => None,
    }
}

/// One spelling for values that mean the same: `ON` and `1`, `0.5` and `0.500000`, words in any case.
fn respelled(value: &str) -> String {
    let value = value.trim();
    let upper = value.to_ascii_uppercase();
    match upper.as_str() {
        "ON" | "TRUE" | "YES" => return "1".to_owned(),
        "OFF" | "FALSE" | "NO" => return "0".to_owned(),
        _ => {}
    }
    if let Some((whole, rest)) = value.split_once('.')
        && [whole, rest].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    {
        let rest = rest.trim_end_matches('0');
        return if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") };
    }
    let is_word = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_,-".contains(&byte));
    if is_word { upper } else { value.to_owned() }
}
