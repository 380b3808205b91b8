//! The logs, and the reports of pt-query-digest.

use std::io::Read;
use std::process::Command;

use flate2::read::GzDecoder;
use querylog::{All, Digest, Ingest, Settings};

/// The log of a golden: what the generator writes for it.
pub(crate) fn digest(name: &str) -> Digest {
    let (flavor, restarts) = match name.split_once("_4").unwrap() {
        (flavor, "nr") => (flavor, false),
        (flavor, _) => (flavor, true),
    };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join(format!("g_{name}.log"));
    let mut python = Command::new("python3");
    python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/generator/gen_slowlog.py"));
    python.args(["--flavor", flavor, "--size-mb", "4", "--out"]).arg(&log);
    if !restarts {
        python.arg("--no-restart");
    }
    let output = python.output().unwrap_or_else(|error| panic!("start python3: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let settings = Settings::default();
    let mut ingest = Ingest::new(&settings, &All);
    ingest.log(&format!("g_{name}.log"), &mut std::fs::File::open(&log).unwrap());
    ingest.finish()
}

/// A report of pt-query-digest.
pub(crate) fn golden(name: &str, kind: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance/goldens");
    let path = format!("{folder}/golden_{name}.{kind}.gz");
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("open {path}: {error}"));
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}
