//! A statement, and the one that undoes it.

use std::time::{Duration, Instant};

use database::{DatabaseError, Table};
use serde::{Deserialize, Serialize};

use super::session::{Place, Session, client, code, failed};
use super::{Access, holders};
use crate::shell::quoted;
use crate::{Action, ChangeError, Kind, State};

/// How often a statement is sent that waits for others' locks. Each time it waits five seconds.
const TRIES: u32 = 3;
/// How long others have the table for themselves between two tries.
const BETWEEN_TRIES: Duration = Duration::from_secs(2);
/// The longest pause after a chunk: as long as the chunk took, at most this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// More chunks than this make no progress.
const MOST_CHUNKS: u32 = 10_000_000;
/// How much of a statement its name shows, in characters.
const SHOWN: usize = 100;
const UNDONE: &str = "0";
const DONE: &str = "1";

/// A statement, and the one that undoes it. Its state is the answer of its probe: 0 while it is not done, 1 once it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SqlStatement {
    /// The server, as its socket or address.
    pub server: String,
    /// The statement that makes the change. For ProxySQL, several with `;` between them.
    pub up: String,
    /// The statement that undoes it; empty where undoing an earlier change undoes it too.
    pub down: String,
    /// A query of one value: 0 while the statement is not done, 1 once it is.
    pub probe: String,
    /// Whether it is sent again until it changes no row.
    #[serde(default)]
    pub until_no_rows: bool,
    /// By what it lets narrows in.
    #[serde(default, skip_serializing_if = "Access::is_plain")]
    pub access: Access,
}

/// Whether a probe failed because an earlier change has not made yet what it looks at, or has been undone.
fn is_not_there_yet(error: &DatabaseError) -> bool {
    let codes = [code::NO_SUCH_TABLE, code::NO_SUCH_COLUMN, code::NO_SUCH_DATABASE];
    matches!(error, DatabaseError::Refused { code, .. } if codes.contains(code))
}

impl SqlStatement {
    /// The state that an answer of the probe tells.
    ///
    /// # Errors
    /// When it is neither 0 nor 1.
    pub(crate) fn state_of(&self, answer: &Table) -> Result<State, ChangeError> {
        match answer.first() {
            Some(value @ (UNDONE | DONE)) => Ok(State::text(value)),
            other => {
                let why = format!("`{}` gave {}, neither 0 nor 1", self.probe, other.unwrap_or("nothing"));
                Err(ChangeError::new(format!("read the state of {}", self.name()), why))
            }
        }
    }

    fn place(&self) -> Place<'_> {
        Place { server: &self.server, access: &self.access }
    }

    fn probed(&self, session: &mut Session) -> Result<State, ChangeError> {
        match session.raw_query(&self.probe) {
            Ok(answer) => self.state_of(&answer),
            Err(error) if is_not_there_yet(&error) => Ok(State::text(UNDONE)),
            Err(error) => Err(failed(&format!("read the state of {}", self.name()), error)),
        }
    }

    /// Statements that may be cut short in the middle leave rows behind though their probe says that they are not done.
    fn has_parts(&self, session: &Session) -> bool {
        self.until_no_rows || (session.is_proxysql && parts(&self.up).nth(1).is_some())
    }

    /// Takes away what a statement that was cut short left.
    ///
    /// # Errors
    /// When the server does not let us in, or refuses it.
    pub(crate) fn sweep(&self) -> Result<(), ChangeError> {
        if self.down.is_empty() {
            return Ok(());
        }
        let mut session = Session::open_for_work(&self.place(), &self.name())?;
        if self.has_parts(&session) { self.send(&mut session, &self.down) } else { Ok(()) }
    }

    fn send(&self, session: &mut Session, statement: &str) -> Result<(), ChangeError> {
        if session.is_proxysql {
            return parts(statement).try_for_each(|part| self.sent(session, part).map(drop));
        }
        if !self.until_no_rows {
            return self.sent(session, statement).map(drop);
        }
        for _ in 0..MOST_CHUNKS {
            let start = Instant::now();
            if self.sent(session, statement)? == 0 {
                return Ok(());
            }
            // The server has work of its own.
            std::thread::sleep(start.elapsed().min(LONGEST_PAUSE));
        }
        let why = format!("after {MOST_CHUNKS} times it still changes rows");
        Err(ChangeError::new(format!("send `{}`", short(statement)), why)
            .help("a statement for chunks must leave out the rows that it has changed"))
    }

    /// Sends a statement, again where it waited for a lock in vain. Returns how many rows it changed.
    fn sent(&self, session: &mut Session, statement: &str) -> Result<u64, ChangeError> {
        let attempted = || format!("send `{}` to {}", short(statement), self.server);
        let mut tries = 1;
        loop {
            match session.raw_execute(statement) {
                Ok(rows) => return Ok(rows),
                Err(DatabaseError::Refused { code: code::LOCK_WAIT_TIMEOUT | code::DEADLOCK, .. })
                    if tries < TRIES =>
                {
                    tries += 1;
                    std::thread::sleep(BETWEEN_TRIES);
                }
                Err(DatabaseError::Refused { code: code::LOCK_WAIT_TIMEOUT | code::DEADLOCK, .. }) => {
                    let why = format!(
                        "it waited {TRIES} times for a lock that another connection holds: {}",
                        holders::named(session)
                    );
                    let help = "let that transaction end, or end it with KILL, and try again; longer waits would \
                                hold up every query of the table";
                    return Err(ChangeError::new(attempted(), why).help(help));
                }
                Err(error) => return Err(failed(&attempted(), error)),
            }
        }
    }
}

impl Kind for SqlStatement {
    fn name(&self) -> String {
        format!("{}: {}", self.server, short(&self.up))
    }

    fn read(&self) -> Result<State, ChangeError> {
        self.probed(&mut Session::open(&self.place(), &self.name())?)
    }

    fn write(&self, state: &State) -> Result<(), ChangeError> {
        let statement = match state {
            State::Text { value } if value == DONE => &self.up,
            State::Text { value } if value == UNDONE => &self.down,
            other => {
                let why = format!("this is not the state of a statement: {}", other.fingerprint());
                return Err(ChangeError::new(format!("write {}", self.name()), why));
            }
        };
        if statement.is_empty() {
            return Ok(());
        }
        let mut session = Session::open_for_work(&self.place(), &self.name())?;
        self.send(&mut session, statement)
    }

    fn wanted(&self, _now: &State, action: &Action) -> Result<State, ChangeError> {
        match action {
            Action::Run => Ok(State::text(DONE)),
            _ => Err(ChangeError::new(
                format!("change {}", self.name()),
                "a statement can be run, nothing else",
            )),
        }
    }

    fn shown(&self, state: &State) -> String {
        match state {
            State::Text { value } if value == DONE => "done".to_owned(),
            State::Text { value } if value == UNDONE => "not done".to_owned(),
            other => other.shown(),
        }
    }

    fn goes_with_an_earlier_one(&self) -> bool {
        self.down.is_empty()
    }

    fn end_what_was_left(&self) -> Result<(), ChangeError> {
        Session::open(&self.place(), &self.name())?.end_what_was_left()
    }

    fn shell(&self, to: &State) -> Vec<String> {
        let client = client(&self.place());
        let (statement, from) = match to {
            State::Text { value } if value == DONE => (&self.up, UNDONE),
            State::Text { value } if value == UNDONE => (&self.down, DONE),
            _ => return vec![],
        };
        if statement.is_empty() {
            return vec![];
        }
        let is_from = format!(
            "[ \"$({client} --execute={})\" != {} ]",
            quoted(&self.probe),
            if from == DONE { 1 } else { 0 }
        );
        if self.until_no_rows {
            let chunk = quoted(&format!("{statement}; SELECT ROW_COUNT() > 0"));
            return vec![format!("while [ \"$({client} --execute={chunk})\" = 1 ]; do sleep 0.1; done")];
        }
        vec![format!("{is_from} || {client} --execute={}", quoted(statement))]
    }

    /// It lasts by itself.
    fn boot_lines(&self, _to: &State) -> Option<Vec<String>> {
        None
    }
}

/// The statements of a text for ProxySQL, which has no compound ones.
fn parts(statement: &str) -> impl Iterator<Item = &str> {
    statement.split(';').map(str::trim).filter(|part| !part.is_empty())
}

/// The beginning of a statement on one line.
fn short(statement: &str) -> String {
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    line.chars().take(SHOWN).chain(['…']).collect()
}
