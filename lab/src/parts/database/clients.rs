//! Clients of a database, each on a connection of its own.

use std::sync::RwLock;
use std::thread;
use std::time::{Duration, Instant};

use ::database::{Connection, DatabaseError};

use super::{Database, login};
use crate::faults::{Attempt, FaultError, Result};
use crate::machine::count;

/// A client needs little memory; there may be thousands.
const STACK: usize = 256 << 10;
/// The longest that a client waits for its connection, and for each answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What each of many clients does, all of them at once.
#[derive(Debug, Clone)]
pub struct Sessions {
    /// Clients.
    pub clients: usize,
    /// Where the server or what stands before it listens.
    pub port: u16,
    /// Statements of each, one after another.
    pub statements: Vec<String>,
    /// How long each rests after a statement.
    pub pause: Duration,
}

/// What came of a crowd of clients.
#[derive(Debug, Clone, Default)]
pub struct Crowd {
    /// How long each took to be let in, in seconds.
    pub connects: Vec<f64>,
    /// How long each answer took, in seconds.
    pub answers: Vec<f64>,
    /// Clients that the server turned away with error 1040, "Too many connections".
    pub turned_away: usize,
    /// What else went wrong, in words.
    pub failures: Vec<String>,
}

impl Crowd {
    /// Clients that were let in, and those that were turned away, of 100.
    pub fn turned_away_of_100(&self) -> f64 {
        100.0 * count(self.turned_away) / count(self.connects.len() + self.turned_away + self.failures.len())
    }

    fn take(&mut self, other: Self) {
        self.connects.extend(other.connects);
        self.answers.extend(other.answers);
        self.turned_away += other.turned_away;
        self.failures.extend(other.failures);
    }
}

/// A percentile by the nearest rank, in milliseconds.
pub fn percentile_ms(seconds: &[f64], percentile: usize) -> f64 {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percentile).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).map_or(f64::NAN, |seconds| seconds * 1000.0)
}

/// Sends a crowd: all connect at once, ask, and leave.
pub fn crowd(database: &Database, sessions: &Sessions) -> Result<Crowd> {
    database.within(|| {
        // Held until all are there.
        let gate = RwLock::new(());
        let closed = gate.write().map_err(|_| FaultError::new("a client panicked"))?;
        thread::scope(|scope| {
            let visit = || {
                drop(gate.read());
                session(sessions)
            };
            let start = || thread::Builder::new().stack_size(STACK).spawn_scoped(scope, visit);
            let clients: std::io::Result<Vec<_>> = (0..sessions.clients).map(|_| start()).collect();
            drop(closed);
            let mut all = Crowd::default();
            for client in clients.attempt(|| format!("start {} clients", sessions.clients))? {
                all.take(client.join().map_err(|_| FaultError::new("a client panicked"))?);
            }
            Ok(all)
        })
    })
}

fn session(sessions: &Sessions) -> Crowd {
    let (mut seen, begun) = (Crowd::default(), Instant::now());
    let mut connection = match Connection::open(&login(sessions.port), PATIENCE) {
        Ok(connection) => connection,
        Err(error) if is_full(&error) => return Crowd { turned_away: 1, ..seen },
        Err(error) => return Crowd { failures: vec![error.to_string()], ..seen },
    };
    seen.connects.push(begun.elapsed().as_secs_f64());
    for statement in &sessions.statements {
        let asked = Instant::now();
        match connection.query(statement) {
            Ok(_) => seen.answers.push(asked.elapsed().as_secs_f64()),
            Err(error) => {
                seen.failures.push(error.to_string());
                return seen;
            }
        }
        thread::sleep(sessions.pause);
    }
    seen
}

fn is_full(error: &DatabaseError) -> bool {
    matches!(error, DatabaseError::Connect { reason, .. } if reason.contains("1040"))
}

/// Lets a few clients ask again and again for a stretch of time; the `index`th time of each client asks `statement(index)`.
/// Gives the seconds of every answer.
pub fn steadily(
    database: &Database,
    clients: usize,
    during: Duration,
    statement: impl Fn(usize) -> String + Sync,
) -> Result<Vec<f64>> {
    database.within(|| {
        thread::scope(|scope| {
            let ask = |client: usize| {
                let statement = &statement;
                move || -> Result<Vec<f64>> {
                    let connection = Connection::open(&login(3306), PATIENCE);
                    let mut connection = connection.attempt(|| "connect to the server".to_owned())?;
                    super::use_site(&mut connection)?;
                    let (begun, mut seconds) = (Instant::now(), vec![]);
                    while begun.elapsed() < during {
                        let asked = Instant::now();
                        let index = seconds.len() * clients + client;
                        connection.query(&statement(index)).attempt(|| "ask the server".to_owned())?;
                        seconds.push(asked.elapsed().as_secs_f64());
                    }
                    Ok(seconds)
                }
            };
            let clients: Vec<_> = (0..clients).map(|client| scope.spawn(ask(client))).collect();
            let mut all = vec![];
            for client in clients {
                all.extend(client.join().map_err(|_| FaultError::new("a client panicked"))??);
            }
            Ok(all)
        })
    })
}
