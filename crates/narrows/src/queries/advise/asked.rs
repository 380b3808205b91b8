//! The queries to advise on: those of logs and digests, those of files, and those of the command line.

use advice::Figures;
use anyhow::Context;
use querylog::source::digest;
use querylog::{All, Attribute, Class, ClassId, Rules, Settings, fingerprint, statements};

use crate::arguments::queries::advise::Advise;
use crate::queries::input;

/// The longest sample of a class that is kept: a statement that was cut cannot be parsed.
const SAMPLE: usize = 256 << 10;

/// A query to advise on.
pub(super) struct Asked {
    /// Its class ID.
    pub(super) class: String,
    /// The statement.
    pub(super) sql: String,
    /// The schema that it was sent to, where a log says so.
    pub(super) database: Option<String>,
    /// What the log says of its class.
    pub(super) figures: Figures,
}

/// All of them, those of which a log says that they took most time first.
pub(super) fn queries(arguments: &Advise) -> anyhow::Result<Vec<Asked>> {
    let mut asked = Vec::new();
    if !arguments.logs.is_empty() {
        let settings = Settings { sample_bytes: SAMPLE, ..Settings::default() };
        let digest = digest(&arguments.logs, &settings, &All)?;
        asked.extend(digest.ranked().into_iter().take(usize::from(arguments.limit)).filter_map(of_class));
    }
    asked.extend(arguments.query.iter().map(|sql| of_text(sql)));
    if let Some(file) = &arguments.queries {
        let text = input::text(file).with_context(|| format!("read the queries of {}", file.display()))?;
        let parts = statements(text.as_bytes());
        asked.extend(parts.into_iter().map(|part| of_text(&String::from_utf8_lossy(part))));
    }
    Ok(asked)
}

fn of_class(class: &Class) -> Option<Asked> {
    let worst = class.worst()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let each = |attribute: Attribute| {
        class.metric(attribute).map(|metric| metric.sum() / metric.count().max(1) as f64)
    };
    let figures = Figures {
        count: class.count(),
        time_s: class.metric(Attribute::QUERY_TIME).map_or(0.0, querylog::Metric::sum),
        rows_examined: each(Attribute::ROWS_EXAMINED),
        rows_sent: each(Attribute::ROWS_SENT),
    };
    Some(Asked {
        class: ClassId::of(class.fingerprint()).to_string(),
        sql: text(&worst.query),
        database: Some(text(&worst.db)).filter(|name| !name.is_empty()),
        figures,
    })
}

fn of_text(sql: &str) -> Asked {
    let sql = sql.trim().trim_end_matches(';').trim_end();
    let class = ClassId::of(&fingerprint(sql.as_bytes(), Rules::default())).to_string();
    Asked { class, sql: sql.to_owned(), database: None, figures: Figures::default() }
}
