//! The JSON reports, as parsed values.

use querylog::report::{Limit, Options, json};
use serde_json::{Map, Value};

use crate::logs::{digest, golden};

/// Differences, and how much was compared.
#[derive(Default)]
struct Comparison {
    compared: usize,
    differences: Vec<String>,
}

impl Comparison {
    fn same(&mut self, place: &str, ours: Option<&Value>, theirs: Option<&Value>) {
        self.compared += 1;
        if ours != theirs {
            let shown = |value: Option<&Value>| {
                value.map_or("nothing".to_owned(), |value| value.to_string().chars().take(200).collect())
            };
            self.differences.push(format!("{place}: ours {}, theirs {}", shown(ours), shown(theirs)));
        }
    }

    /// Statistics by attribute: all of theirs, and none that they do not have.
    fn metrics(&mut self, place: &str, ours: &Value, theirs: &Value) {
        let (ours, theirs) = (ours.as_object().unwrap(), theirs.as_object().unwrap());
        let mut names: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
        names.sort();
        names.dedup();
        let empty = Map::new();
        for name in names {
            let of = |metrics: &Map<String, Value>| {
                metrics.get(name).and_then(Value::as_object).cloned().unwrap_or(empty.clone())
            };
            let (ours, theirs) = (of(ours), of(theirs));
            let mut statistics: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
            statistics.sort();
            statistics.dedup();
            for statistic in statistics {
                self.same(&format!("{place} {name}.{statistic}"), ours.get(statistic), theirs.get(statistic));
            }
        }
    }

    fn class(&mut self, ours: &Value, theirs: &Value) {
        let place = theirs["checksum"].as_str().unwrap().to_owned();
        for field in [
            "checksum",
            "fingerprint",
            "distillate",
            "attribute",
            "query_count",
            "ts_min",
            "ts_max",
            "histograms",
        ] {
            self.same(&format!("{place} {field}"), ours.get(field), theirs.get(field));
        }
        self.metrics(&place, &ours["metrics"], &theirs["metrics"]);
        let (example, wanted) = (&ours["example"], &theirs["example"]);
        self.same(&format!("{place} example.ts"), example.get("ts"), wanted.get("ts"));
        let number = |value: &Value| value["Query_time"].as_str().unwrap().parse::<f64>().unwrap().into();
        let (time, wanted_time): (Value, Value) = (number(example), number(wanted));
        self.same(&format!("{place} example.Query_time"), Some(&time), Some(&wanted_time));
        // They write each byte as a character of its own.
        let latin: Vec<u8> =
            wanted["query"].as_str().unwrap().chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        let wanted_query = String::from_utf8_lossy(&latin).chars().take(9_000).collect::<String>();
        let query = example["query"].as_str().unwrap().chars().take(9_000).collect::<String>();
        self.same(&format!("{place} example.query"), Some(&query.into()), Some(&wanted_query.into()));
        let tables = |value: &Value| -> Vec<Value> {
            let all = value.get("tables").and_then(Value::as_array).cloned().unwrap_or_default();
            all.iter().flat_map(|table| [table["status"].clone(), table["create"].clone()]).collect()
        };
        self.same(&format!("{place} tables"), Some(&tables(ours).into()), Some(&tables(theirs).into()));
    }
}

/// Whether pt-query-digest rounded a mean to the other side, because its sum of decimal fractions is not exact: what lies exactly
/// between two microseconds, or as near to it as its error.
fn is_rounding(ours: &Value, theirs: &Value, count: f64) -> bool {
    let of = |metric: &Value, statistic: &str| {
        metric[statistic].as_str().and_then(|text| text.parse::<f64>().ok())
    };
    let (Some(sum), Some(ours), Some(theirs)) = (of(ours, "sum"), of(ours, "avg"), of(theirs, "avg")) else {
        return false;
    };
    let microseconds = sum / count * 1e6;
    let from_middle = (microseconds - microseconds.floor() - 0.5).abs();
    from_middle < 1e-6 && (ours - theirs).abs() < 1.000_001e-6
}

/// Takes what CONFORMANCE.md lists out of both sides.
fn take_documented(ours: &mut Value, theirs: &mut Value, documented: &mut Documented) {
    let count = ours["query_count"].as_f64().unwrap();
    let (ours, theirs) =
        (ours["metrics"].as_object_mut().unwrap(), theirs["metrics"].as_object_mut().unwrap());
    // A class keeps no attribute there that it first has behind event 1,000, if the class itself came before.
    let late = |name: &String| !theirs.contains_key(name) && documented.sparse.contains(&name.as_str());
    let lost: Vec<String> = ours.keys().filter(|name| late(name)).cloned().collect();
    documented.lost += lost.len();
    ours.retain(|name, _| !lost.contains(name));
    for (name, ours) in ours.iter_mut() {
        let Some(theirs) = theirs.get_mut(name) else { continue };
        if ours.get("avg") != theirs.get("avg") && is_rounding(ours, theirs, count) {
            documented.rounded += 1;
            theirs["avg"] = ours["avg"].clone();
        }
    }
}

/// Differences that are listed, by kind.
#[derive(Default)]
struct Documented {
    /// Attributes that only some events of this log have.
    sparse: &'static [&'static str],
    lost: usize,
    rounded: usize,
}

fn reports(name: &str) -> (Value, Value) {
    let options = Options { limit: Limit::All, show_literals: true, ..Options::default() };
    let ours = serde_json::from_str(&json::render(&digest(name), &options)).unwrap();
    (ours, serde_json::from_str(&golden(name, "json")).unwrap())
}

fn check(name: &str, sparse: &'static [&'static str], fewest: usize) {
    let (mut ours, mut theirs) = reports(name);
    let mut comparison = Comparison::default();
    for field in ["query_count", "unique_query_count", "rate_limit"] {
        comparison.same(field, ours["global"].get(field), theirs["global"].get(field));
    }
    let size = |report: &Value| report["global"]["files"][0]["size"].clone();
    comparison.same("size", Some(&size(&ours)), Some(&size(&theirs)));
    comparison.metrics("global", &ours["global"]["metrics"], &theirs["global"]["metrics"]);
    let (ours, theirs) = (ours["classes"].as_array_mut().unwrap(), theirs["classes"].as_array_mut().unwrap());
    assert_eq!(ours.len(), theirs.len(), "classes of {name}");
    let mut documented = Documented { sparse, ..Documented::default() };
    for (ours, theirs) in ours.iter_mut().zip(theirs) {
        take_documented(ours, theirs, &mut documented);
        comparison.class(ours, theirs);
    }
    let shown: Vec<_> = comparison.differences.iter().take(20).collect();
    assert!(
        shown.is_empty(),
        "{} of {} values of {name} differ: {shown:#?}",
        comparison.differences.len(),
        comparison.compared
    );
    assert!(comparison.compared >= fewest, "{} values compared", comparison.compared);
    assert!(
        documented.rounded * 1000 < comparison.compared,
        "{} means rounded otherwise",
        documented.rounded
    );
    println!(
        "{name}: {} values equal, {} means rounded otherwise, {} attributes of classes lost there",
        comparison.compared, documented.rounded, documented.lost
    );
}

#[test]
fn a_log_of_mysql_8_is_digested_as_pt_query_digest_does() {
    check("mysql8_4", &[], 11_000);
}

#[test]
fn a_log_of_mysql_8_with_log_slow_extra_is_digested_as_pt_query_digest_does() {
    check("mysql8extra_4", &[], 37_000);
}

#[test]
fn a_log_of_mariadb_is_digested_as_pt_query_digest_does() {
    check("mariadb_4nr", &["Tmp_tables", "Tmp_disk_tables", "Tmp_table_sizes"], 14_000);
}

#[test]
fn a_log_of_mariadb_with_plans_is_digested_as_pt_query_digest_does() {
    check("mariadb-full_4nr", &["Tmp_tables", "Tmp_disk_tables", "Tmp_table_sizes"], 17_000);
}

#[test]
fn a_log_of_percona_server_is_digested_as_pt_query_digest_does() {
    check("percona_4", &[], 31_000);
}

/// There, a header of MariaDB amid the log swallows the event behind it and becomes part of the statement before it. Two headers
/// make two classes that are none, and take two events from each of our counts.
#[test]
fn headers_amid_a_log_of_mariadb_cost_no_event_here() {
    for name in ["mariadb_4", "mariadb-full_4"] {
        let (ours, theirs) = reports(name);
        let count = |report: &Value| report["global"]["query_count"].as_u64().unwrap();
        assert_eq!(count(&ours), count(&theirs) + 2, "{name}");
        let by_id = |report: &Value| -> Map<String, Value> {
            let classes = report["classes"].as_array().unwrap().iter();
            classes.map(|class| (class["checksum"].as_str().unwrap().to_owned(), class.clone())).collect()
        };
        let (ours, mut theirs) = (by_id(&ours), by_id(&theirs));
        let all = theirs.len();
        theirs.retain(|_, class| !class["example"]["query"].as_str().unwrap().contains("mariadbd, Version"));
        assert_eq!((ours.len(), theirs.len()), (all - 2, all - 2), "{name}");
        let more = |class: &Value, id: &String| {
            class["query_count"].as_u64().unwrap() - theirs[id]["query_count"].as_u64().unwrap()
        };
        let differing: Vec<u64> =
            ours.iter().map(|(id, class)| more(class, id)).filter(|more| *more > 0).collect();
        assert_eq!(differing.iter().sum::<u64>(), 4, "{name}");
    }
}
