//! The schemas of `docs/schema`, which refer to each other.

use boon::{Compiler, Schemas as Compiled};
use serde_json::Value;

const NAMES: [&str; 5] = ["report-1.json", "plan-1.json", "outcome-1.json", "history-1.json", "proof-1.json"];

pub(crate) struct Schemas {
    compiled: Compiled,
    indices: Vec<(&'static str, boon::SchemaIndex)>,
}

impl Schemas {
    pub(crate) fn new() -> Self {
        let mut compiler = Compiler::new();
        for name in NAMES {
            let path = format!("{}/../../docs/schema/{name}", env!("CARGO_MANIFEST_DIR"));
            let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            compiler.add_resource(name, schema).unwrap();
        }
        let mut compiled = Compiled::new();
        let indices = NAMES.map(|name| (name, compiler.compile(name, &mut compiled).unwrap()));
        Self { compiled, indices: indices.into() }
    }

    /// Holds a document to a schema.
    pub(crate) fn hold(&self, name: &str, document: &Value) {
        let (_, index) = self.indices.iter().find(|(known, _)| *known == name).unwrap();
        if let Err(error) = self.compiled.validate(document, *index) {
            panic!("{name}: {error:#}");
        }
    }
}
