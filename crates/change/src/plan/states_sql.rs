//! What a recorded host says of its databases.

use database::Table;
use host::{Host, Question};

use crate::kinds::{SqlStatement, SqlVariable, variable_said_in};
use crate::state::sha256;
use crate::{ChangeError, Kind, State};

/// A variable, from the recorded answer that holds all of them.
pub(super) fn variable(host: &dyn Host, variable: &SqlVariable) -> Result<State, ChangeError> {
    let table = asked(host, &variable.server, "variables", "SHOW GLOBAL VARIABLES", &variable.name())?;
    variable_said_in(&table, &variable.name).map(State::text).ok_or_else(|| {
        ChangeError::new(format!("read {}", variable.name()), "the server has no such variable")
    })
}

/// The state of a statement, from the recorded answer of its probe. Few records have one: plan on the host itself.
pub(super) fn statement(host: &dyn Host, statement: &SqlStatement) -> Result<State, ChangeError> {
    let name = format!("probe-{:.16}", sha256(statement.probe.as_bytes()));
    let table = asked(host, &statement.server, &name, &statement.probe, &statement.name())?;
    statement.state_of(&table)
}

fn asked(
    host: &dyn Host,
    server: &str,
    name: &str,
    statement: &str,
    what: &str,
) -> Result<Table, ChangeError> {
    let question =
        Question::Sql { server: server.to_owned(), name: name.to_owned(), statement: statement.to_owned() };
    let failed = |why: String| {
        ChangeError::new(format!("read the state of {what}"), why)
            .help("plan on the host itself, which can ask its server")
    };
    let answer = host.ask(&question).map_err(|error| failed(error.to_string()))?;
    serde_json::from_slice(&answer).map_err(|error| failed(error.to_string()))
}
