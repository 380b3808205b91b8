//! A folder with a file to edit, a journal of its own, and plans for them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use change::plan::Plan;
use serde_json::{Value, json};

use super::command::{Ran, narrows};

pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.0.path().join("etc")).unwrap();
        fs::write(place.path("a.conf"), "# mine\n").unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("etc").join(name)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.0.path().join("state")
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Every file of the folder, with its bytes.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(self.0.path().join("etc")).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    /// Runs the program with the journal of this place.
    pub(crate) fn narrows(&self, arguments: &[&str]) -> Ran {
        let state = self.state();
        narrows(&[arguments, &["--state-dir", state.to_str().unwrap()]].concat())
    }

    /// A saved plan that adds a line to each of these files.
    pub(crate) fn plan(&self, names: &[&str]) -> String {
        self.saved(names, |_| {})
    }

    /// A saved plan for `a.conf`, changed by somebody who knows how to make its hash.
    pub(crate) fn plan_of(&self, edit: impl Fn(&mut Value)) -> String {
        self.saved(&["a.conf"], edit)
    }

    fn saved(&self, names: &[&str], edit: impl Fn(&mut Value)) -> String {
        let changes: Vec<_> = names.iter().map(|name| self.change(name)).collect();
        let mut json = json!({
            "schema": "narrows.plan/1",
            "hash": "",
            "host": { "name": null, "machine_id": null, "kernel": null },
            "changes": changes,
            "files": [],
            "refused": [],
            "by_hand": [],
        });
        edit(&mut json);
        let mut plan: Plan = serde_json::from_value(json).unwrap();
        plan.hash = plan.digest().unwrap();
        let path = self.0.path().join("plan.json");
        fs::write(&path, serde_json::to_vec_pretty(&plan).unwrap()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn change(&self, name: &str) -> Value {
        let path = self.path(name).to_str().unwrap().to_owned();
        let target: change::Target = serde_json::from_value(json!({ "kind": "file", "path": path })).unwrap();
        let before = target.fingerprint(&target.kind().read().unwrap());
        let edits = json!([{ "grammar": "line", "line": "tcp_bbr", "present": true }]);
        json!({
            "id": path,
            "causes": ["sockets.loss-limits-cubic"],
            "severity": "limiting",
            "remedy": "Load the module",
            "why": "1.5 % of segments are sent again",
            "evidence": [],
            "moves": "fewer segments are sent again",
            "change": {
                "what": { "kind": "file", "path": path, "edit": "add tcp_bbr", "edits": edits },
                "current": null,
                "target": { "value": "tcp_bbr", "formula": "one module a line", "inputs": [] },
                "persistence": path,
                "restart": "none",
                "risk": "none known",
            },
            "operations": [{
                "target": target,
                "action": { "action": "edit", "edits": edits },
                "phase": "lasting",
                "before": before,
            }],
            "reloads": [],
            "shell": [],
        })
    }
}
