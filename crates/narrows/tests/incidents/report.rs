//! The program's report of a tree, as people and as programs read it.

use std::process::Command;

use serde_json::Value;
use snapbox::{Assert, Data};

use super::tree::{HostTree, folder};

/// The widest line of a report for people.
const COLUMNS: usize = 100;

/// What the program says of a tree.
pub(crate) struct Report {
    json: Value,
    text: String,
}

fn run(tree: &HostTree, options: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
    command.args(["check", "--fail-on", "never"]).args(options).arg(tree.path()).env("NO_COLOR", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Report {
    /// Reads a tree, and compares the report for people with the golden one.
    pub(crate) fn of(name: &str, tree: &HostTree) -> Self {
        let report = Self::read(tree);
        let golden = folder().join(format!("{name}.report.txt"));
        Assert::new().action_env("SNAPSHOTS").eq(report.text.as_str(), Data::read_from(&golden, None).raw());
        report
    }

    /// Reads a tree twice: the same evidence gives the same report, within the width of a page.
    pub(crate) fn read(tree: &HostTree) -> Self {
        let (text, whole) = (run(tree, &[]), run(tree, &["--all"]));
        assert_eq!(text, run(tree, &[]), "the same evidence gave another report");
        let wide = |line: &&str| line.chars().count() > COLUMNS;
        let wide: Vec<_> = text.lines().chain(whole.lines()).filter(wide).collect();
        assert!(wide.is_empty(), "wider than {COLUMNS} columns: {wide:#?}");
        Self { json: serde_json::from_str(&run(tree, &["--format", "json"])).unwrap(), text }
    }

    fn cause(&self, id: &str) -> &Value {
        let causes = self.json["causes"].as_array().unwrap();
        causes.iter().find(|cause| cause["id"] == id).unwrap_or_else(|| panic!("no cause {id}"))
    }

    fn symptom(&self, id: &str) -> &Value {
        let symptoms = self.json["symptoms"].as_array().unwrap();
        symptoms.iter().find(|symptom| symptom["id"] == id).unwrap_or_else(|| panic!("no symptom {id}"))
    }

    fn has_verdict(&self, id: &str, verdict: &str) {
        let cause = self.cause(id);
        assert_eq!(cause["verdict"], verdict, "{cause:#}");
    }

    pub(crate) fn is_confirmed(&self, id: &str) {
        self.has_verdict(id, "confirmed");
    }

    pub(crate) fn is_ruled_out(&self, id: &str) {
        self.has_verdict(id, "ruled-out");
    }

    /// A symptom is not present.
    pub(crate) fn is_absent(&self, id: &str) {
        let symptom = self.symptom(id);
        assert_eq!(symptom["present"], false, "{symptom:#}");
    }

    /// A symptom is present, and its differential gives a cause this verdict.
    pub(crate) fn differs(&self, symptom: &str, cause: &str, verdict: &str) {
        let symptom = self.symptom(symptom);
        assert_eq!(symptom["present"], true, "{symptom:#}");
        let rows = symptom["differential"].as_array().unwrap();
        let row = rows.iter().find(|row| row["cause"] == cause);
        assert_eq!(row.unwrap_or(&Value::Null)["verdict"], verdict, "{symptom:#}");
    }

    /// A cause says so in its summary or in what was seen.
    pub(crate) fn says(&self, id: &str, words: &str) {
        let cause = self.cause(id);
        let said = format!("{} {}", cause["summary"], cause["observations"]);
        assert!(said.contains(words), "{cause:#}");
    }

    /// One of the changes that a cause proposes says so.
    pub(crate) fn remedies(&self, id: &str, words: &str) {
        let cause = self.cause(id);
        assert!(cause["remedies"].to_string().contains(words), "{cause:#}");
    }

    /// No change of any cause sets something to these words.
    pub(crate) fn never_proposes(&self, words: &str) {
        for cause in self.json["causes"].as_array().unwrap() {
            let changes = cause["remedies"].as_array().unwrap().iter();
            let changes = changes.flat_map(|remedy| remedy["changes"].as_array().unwrap());
            for change in changes {
                let value = change["target"]["value"].to_string();
                assert!(!value.contains(words), "{} proposes {value}", cause["id"]);
            }
        }
    }

    pub(crate) fn has_nothing_above_hygiene(&self) {
        for cause in self.json["causes"].as_array().unwrap() {
            let found = cause["verdict"] == "confirmed";
            let mild = cause["severity"] == "hygiene" || cause["severity"] == "folklore";
            assert!(!found || mild, "{cause:#}");
        }
    }

    /// The page of waiting tasks shows these functions in one stack, that ends in the wait for a reply.
    pub(crate) fn folds_a_stack_through(&self, functions: &[&str]) {
        let words = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let stacks: Vec<_> = words.split(" × ").collect();
        let holds = |stack: &&&str| {
            let mut rest = **stack;
            functions.iter().chain(&["rpc_wait_bit_killable"]).all(|function| {
                match rest.split_once(function) {
                    Some((_, after)) => {
                        rest = after;
                        true
                    }
                    None => false,
                }
            })
        };
        assert!(stacks.iter().any(|stack| holds(&stack)), "{}", self.text);
    }
}
