//! The course of scenarios whose fault is a question: find it in the log, explain it, try advice, change the tables, ask the
//! question that the advice gives instead, and take everything back.

use std::thread;
use std::time::Duration;

use model::Verdict;
use serde_json::Value;

use super::clients::{percentile_ms, steadily};
use super::question::{Cost, ask};
use super::{Database, SCHEMA, SLOW_LOG, SOCKET, wordpress};
use crate::faults::{Attempt, FaultError, Result};
use crate::score::{Effect, Expected, Named, Score};
use crate::site::Site;

/// A server that writes every statement into its slow log.
pub const LOGGED: &str = "slow_query_log = 1\nslow_query_log_file = /var/log/mysql/mariadb-slow.log\nlong_query_time = 0\n\
                          log_slow_verbosity = query_plan\ninnodb_buffer_pool_size = 512M\n";
/// How long visitors come.
const VISITS: Duration = Duration::from_secs(12);

/// What pages ask besides.
fn pages(index: usize) -> String {
    match index % 4 {
        0 => "SELECT option_name, option_value FROM wp_options WHERE autoload = 'yes'".to_owned(),
        1 => format!("SELECT * FROM wp_posts WHERE ID = {} LIMIT 1", 1 + index * 7919 % 10_000),
        2 => format!("SELECT meta_key, meta_value FROM wp_postmeta WHERE post_id = {}", 1 + index * 104_729 % 10_000),
        _ => "SELECT ID FROM wp_posts WHERE post_type = 'page' AND post_status = 'publish' ORDER BY post_date DESC LIMIT 10"
            .to_owned(),
    }
}

/// Visitors of ordinary pages, who rest between them, and one who asks this question again and again. Gives the seconds of its
/// answers.
pub fn visit(database: &Database, statement: &str) -> Result<Vec<f64>> {
    thread::scope(|scope| {
        let others = scope.spawn(|| {
            steadily(database, 2, VISITS, |index| {
                thread::sleep(Duration::from_millis(5));
                pages(index)
            })
        });
        let asked = steadily(database, 1, VISITS, |_| statement.to_owned())?;
        others.join().map_err(|_| FaultError::new("visitors panicked"))??;
        Ok(asked)
    })
}

/// Begins the slow log anew, as rotation does.
pub fn forget_log(database: &Database) -> Result<()> {
    database.machine.run(&["truncate", "-s", "0", SLOW_LOG]).map(drop)
}

/// Everything that makes up the schema of the site: its tables as the server would make them, triggers, routines and events.
pub fn schema(database: &Database) -> Result<String> {
    let names = database.run(&format!("SHOW FULL TABLES IN {SCHEMA}"))?;
    let shows = names.lines().filter_map(|line| line.split('\t').next());
    let mut all = shows
        .map(|table| database.run(&format!("SHOW CREATE TABLE {SCHEMA}.`{table}`")))
        .collect::<Result<Vec<_>>>()?;
    all.push(database.run(&format!("SHOW TRIGGERS IN {SCHEMA}; SHOW EVENTS IN {SCHEMA}"))?);
    all.push(database.run("SHOW PROCEDURE STATUS; SHOW DATABASES")?);
    Ok(without_counters(&all.join("\n")))
}

/// The next number of a table is where rows come to, and no part of its definition.
fn without_counters(text: &str) -> String {
    let words = text.split(' ').filter(|word| !word.starts_with("AUTO_INCREMENT="));
    words.collect::<Vec<_>>().join(" ")
}

/// Takes down whether something that was demanded came.
pub fn demand(score: &mut Score, what: &str, came: bool, summary: String) {
    score.causes.push(Named {
        cause: what.to_owned(),
        verdict: Some(if came { Verdict::Confirmed } else { Verdict::RuledOut }),
        first: came,
        summary,
    });
}

/// All of the answer.
fn unlimited(statement: &str) -> &str {
    statement.rsplit_once(" LIMIT ").map_or(statement, |(all, _)| all)
}

/// What a statement costs, asked a few times.
pub fn cost(database: &Database, statement: &str) -> Result<Cost> {
    ask(database, statement, 5)
}

/// A question that costs too much, and what narrows has to say and do about it.
pub struct QuestionCourse<'a> {
    /// The question.
    pub statement: &'a str,
    /// Tables that the digest has to name with it.
    pub tables: &'a [&'a str],
    /// What the plan's tree has to name.
    pub plan_names: &'a [&'a str],
    /// The advice that has to come.
    pub advice: &'a str,
    /// Rows that come and belong to the answer.
    pub change: &'a str,
    /// What takes them away again.
    pub change_back: &'a str,
    /// What asks the same of tables that are made for it: the healthy twin's visitors ask that.
    pub healthy: &'a str,
}

impl QuestionCourse<'_> {
    /// Looks at the twin: `prepare` makes the tables that visitors ask, `clear` takes them away.
    pub fn look_at_twin(&self, score: &mut Score, database: &Database) -> Result<()> {
        let load = || visit(database, self.healthy).map(drop);
        let check = || database.machine.site.check(&["--for", "8s"]);
        let mut report = crate::http_burst::meanwhile(VISITS, load, check)?;
        report.causes.retain(|cause| cause.id.starts_with("mysql."));
        score.judge_twin(&report);
        let Cost { ms, rows_read, .. } = cost(database, self.healthy)?;
        score
            .remarks
            .push(format!("the twin's visitors ask another question: {ms:.2} ms, {rows_read:.0} rows read"));
        Ok(())
    }

    /// Takes it on tables without what the question needs: undone is what is as it was in the whole schema.
    pub fn take(&self, score: &mut Score, database: &Database) -> Result<()> {
        let before = cost(database, self.statement)?;
        forget_log(database)?;
        let asked = visit(database, self.statement)?;
        score.remarks.push(format!(
            "the question under load: {} × in {:.0} s, p50 {:.0} ms",
            asked.len(),
            VISITS.as_secs_f64(),
            percentile_ms(&asked, 50)
        ));
        let site = &database.machine.site;
        self.digest(score, site)?;
        self.explain(score, site)?;
        let schema_before = schema(database)?;
        let rewritten = self.advise(score, site)?;
        site.apply()?;
        let after = cost(database, &rewritten)?;
        demand(
            score,
            "the same answer",
            after.answer == before.answer,
            format!("{} ids", after.answer.len()),
        );
        let [old, new] = [self.statement, &rewritten].map(|statement| ask(database, unlimited(statement), 1));
        let (mut old, mut new) = (old?.answer, new?.answer);
        // Rows at the edge are equally far, but for what rounding leaves: their order is nobody's.
        old.sort_unstable();
        new.sort_unstable();
        let all = old == new && old.len() > before.answer.len();
        demand(score, "the same answer without LIMIT", all, format!("{} and {} ids", old.len(), new.len()));
        wordpress::within(database, self.change)?;
        let [old, new] = [self.statement, &rewritten].map(|statement| ask(database, statement, 1));
        let (old, new) = (old?.answer, new?.answer);
        demand(
            score,
            "the same answer once a row has come",
            old == new && old != before.answer,
            format!("{old:?} and {new:?}, before {:?}", before.answer),
        );
        wordpress::within(database, self.change_back)?;
        site.undo()?;
        let undone = cost(database, self.statement)?;
        score.restored = Some(schema(database)? == schema_before && undone.answer == before.answer);
        let effect = |metric: &str, before, after, undone, share| Effect {
            change: self.advice.to_owned(),
            metric: metric.to_owned(),
            before,
            after,
            undone: Some(undone),
            expected: Expected::FallsTo(share),
        };
        score.effects.push(effect("rows read", before.rows_read, after.rows_read, undone.rows_read, 0.01));
        score.effects.push(effect("ms of the question", before.ms, after.ms, undone.ms, 0.1));
        Ok(())
    }

    /// The class of the question is the first that the digest of the slow log names.
    fn digest(&self, score: &mut Score, site: &Site) -> Result<()> {
        let digest = match site.succeeds(&["queries", "digest", SLOW_LOG, "--format", "json"]) {
            Ok(json) => serde_json::from_str::<Value>(&json).attempt(|| "understand a digest".to_owned())?,
            // The rest is worth knowing all the same.
            Err(error) => {
                demand(score, "queries digest: ranked first", false, error.to_string());
                return Ok(());
            }
        };
        let first = digest["classes"][0]["fingerprint"].as_str().unwrap_or_default();
        let named = self.tables.iter().all(|table| first.contains(table));
        demand(score, "queries digest: ranked first", named, first.to_owned());
        Ok(())
    }

    /// The tree of its plan names what costs time.
    fn explain(&self, score: &mut Score, site: &Site) -> Result<()> {
        let words = ["--server", SOCKET, "--db", SCHEMA, "--query", self.statement];
        let tree = site.succeeds(&[&["queries", "explain"][..], &words].concat())?;
        let lower = tree.to_lowercase();
        let named = self.plan_names.iter().all(|name| lower.contains(name));
        demand(score, "queries explain: names what costs", named, tree);
        Ok(())
    }

    /// Tries advice and saves it as a plan; gives the question that is to be asked instead.
    fn advise(&self, score: &mut Score, site: &Site) -> Result<String> {
        let plan = site.plan_path();
        let words = ["--server", SOCKET, "--db", SCHEMA, "--query", self.statement];
        let more = ["--try", "--format", "json", "--plan", &plan];
        let output = site.narrows(&[&["queries", "advise"][..], &words, &more].concat())?;
        let (json, complaint) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let found: Value = serde_json::from_str(&json).map_err(|_| {
            FaultError::new(format!("narrows queries advise: {}: {complaint}", output.status))
        })?;
        let unread = found["unread"].as_array().into_iter().flatten();
        score.remarks.extend(unread.map(|why| format!("not looked at: {why}")));
        let all = found["advice"].as_array().into_iter().flatten();
        let advice = all.clone().find(|advice| advice["id"] == self.advice);
        let ids: Vec<_> = all.filter_map(|advice| advice["id"].as_str()).collect();
        let Some(advice) = advice else {
            return Err(FaultError::new(format!(
                "narrows advises {ids:?}, withdrawn {}",
                found["withdrawn"]
            )));
        };
        let trial = &advice["trial"];
        demand(score, self.advice, trial["helps"] == true, trial["verdict"].to_string());
        score.remarks.push(format!("tried: {}; all advice: {ids:?}", trial["verdict"]));
        let after = advice["rewrites"][0]["after"].as_str();
        after.map(str::to_owned).ok_or_else(|| FaultError::new(format!("{} rewrites nothing", self.advice)))
    }
}
