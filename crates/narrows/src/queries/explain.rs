//! `narrows queries explain`.

use std::path::Path;

use advice::{Dialect, Plan, Statement, StatementKind};
use anyhow::Context;

use super::server::{Opened, open};
use crate::arguments::Format;
use crate::arguments::queries::explain::Explain;
use crate::exit::{Exit, UsageError};
use crate::{output, render};

/// Reads a plan, or has the server make one, and draws it.
pub(crate) fn run(arguments: &Explain) -> anyhow::Result<Exit> {
    let (plan, of) = match (&arguments.query, &arguments.file) {
        (Some(query), _) => live(arguments, query)?,
        (None, Some(file)) if arguments.server.server.is_some() => {
            live(arguments, &super::input::text(file)?)?
        }
        (None, Some(file)) => (of_file(arguments, file)?, of_name(file)),
        (None, None) => {
            return Err(UsageError("name a file with a plan, or a query with --query".to_owned()).into());
        }
    };
    let judged = plan.judge();
    output::print(&match arguments.format {
        Format::Human => render::query_plan::human(&plan, &judged, &of),
        Format::Markdown => render::query_plan::markdown(&plan, &judged, &of),
        Format::Json => {
            let whole = serde_json::json!({ "of": of, "judgement": judged, "plan": plan });
            format!("{}\n", serde_json::to_string_pretty(&whole)?)
        }
    })?;
    Ok(Exit::Clear)
}

fn of_file(arguments: &Explain, file: &Path) -> anyhow::Result<Plan> {
    if arguments.analyze {
        let why = "--analyze runs a query: name it with --query, or the server with --server";
        return Err(UsageError(why.to_owned()).into());
    }
    Plan::read(&super::input::text(file)?).with_context(|| format!("read {}", of_name(file)))
}

fn of_name(file: &Path) -> String {
    if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() }
}

/// Has the server explain a query, and says what explained it.
fn live(arguments: &Explain, query: &str) -> anyhow::Result<(Plan, String)> {
    let query = query.trim().trim_end_matches(';').trim_end();
    let mut opened = open(&arguments.server)?;
    let dialect = Dialect::of_version(&opened.version);
    let text = if arguments.analyze {
        analyzed(&mut opened, arguments, &dialect, query)?
    } else {
        explained(&mut opened, &format!("EXPLAIN FORMAT=JSON {query}"))?
    };
    let of = format!("{dialect} at {}", opened.address);
    Ok((Plan::read(&text).with_context(|| format!("read the plan of {of}"))?, of))
}

fn explained(opened: &mut Opened, statement: &str) -> anyhow::Result<String> {
    let table = opened.connection.query_alone(statement)?;
    table.first().map(str::to_owned).with_context(|| format!("{} gave no plan", opened.address))
}

fn analyzed(
    opened: &mut Opened,
    arguments: &Explain,
    dialect: &Dialect,
    query: &str,
) -> anyhow::Result<String> {
    readable(query, dialect)?;
    let prefix = if dialect.mariadb {
        "ANALYZE FORMAT=JSON"
    } else if dialect.is_mysql((8, 3, 0)) {
        opened.connection.execute("SET SESSION explain_json_format_version = 2")?;
        "EXPLAIN ANALYZE FORMAT=JSON"
    } else {
        let why = format!(
            "{dialect} has no EXPLAIN ANALYZE as JSON (MySQL has it from 8.3 on); leave --analyze out"
        );
        return Err(UsageError(why).into());
    };
    let seconds = arguments.timeout.as_secs().max(1);
    // The client's deadline lies behind the server's, so that the server ends the query itself.
    opened.connection.set_deadline(arguments.timeout + std::time::Duration::from_secs(10));
    opened.connection.execute(&if dialect.mariadb {
        format!("SET SESSION max_statement_time = {seconds}")
    } else {
        format!("SET SESSION max_execution_time = {}", seconds * 1000)
    })?;
    opened.connection.execute("START TRANSACTION READ ONLY")?;
    let text = explained(opened, &format!("{prefix} {query}"));
    opened.try_execute("ROLLBACK");
    text
}

/// Refuses to run what does more than read.
fn readable(query: &str, dialect: &Dialect) -> Result<(), UsageError> {
    let refuse =
        |why: &str| Err(UsageError(format!("--analyze runs the query, and {why}; leave --analyze out")));
    let statement = match Statement::parse(query, dialect) {
        Ok(statement) => statement,
        Err(error) => return refuse(&format!("this one is not understood well enough to run it ({error})")),
    };
    if statement.kind != StatementKind::Select {
        return refuse("this one is no SELECT");
    }
    if statement.locks() {
        return refuse("this one takes locks or writes a file");
    }
    Ok(())
}
