//! `cargo xtask new-cause layer.problem`: two files and one line in the layer's list.

use anyhow::{Context, bail};

const RUST: &str = r#"//! TITLE.

use model::{Missing, Outcome};

use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "ID",
    title: "TITLE",
    explains: &[],
    refutes: &[],
    document: include_str!("FILE.md"),
    test,
};

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let LAYER = evidence.latest(|reading| &reading.LAYER)?;
    Ok(Outcome::ruled_out(format!("nothing is decided yet over {LAYER:?}")))
}
"#;

const MARKDOWN: &str = "# TITLE

## What it checks

## Why it matters

## Evidence

## What it changes

## Risk and undo

## Sources

## Cases

### a host that has it

```verdict
confirmed
```

### a host that has not

```verdict
ruled-out
```

### a host that could not be read

```verdict
unknown
```
";

/// Writes the files of a cause whose test fails until it is written.
pub(crate) fn run(id: &str) -> anyhow::Result<()> {
    let (layer, problem) =
        id.split_once('.').context("an identity is layer.problem, as in nfs.slot-exhaustion")?;
    let well_formed = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_lowercase() || b"-_".contains(&b) || b.is_ascii_digit())
    };
    if !well_formed(layer) || !well_formed(problem) {
        bail!("{id} must be lower-case words joined by hyphens");
    }
    let folder = crate::root().join("crates/stack/src").join(layer).join("causes");
    if !folder.is_dir() {
        bail!("there is no layer {layer}; crates/stack/src/layers.rs lists them");
    }
    let file = problem.replace('-', "_");
    let title = sentence(problem);
    let filled = |template: &str| {
        template.replace("LAYER", layer).replace("TITLE", &title).replace("FILE", &file).replace("ID", id)
    };
    for (ending, template) in [("rs", RUST), ("md", MARKDOWN)] {
        let path = folder.join(format!("{file}.{ending}"));
        if path.exists() {
            bail!("{} exists already", path.display());
        }
        std::fs::write(&path, filled(template))
            .with_context(|| format!("could not write {}", path.display()))?;
        println!("wrote {}", path.display());
    }
    list(&folder.join("mod.rs"), &file)
}

fn list(path: &std::path::Path, file: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let end = text.rfind("];").context("the list CAUSES was not found")?;
    let (before, after) = text.split_at(end);
    let comma = if before.trim_end().ends_with(['[', ',']) { "" } else { "," };
    let before = format!("{}{comma} &{file}::CAUSE", before.trim_end());
    let declared = match before.find("\nmod ") {
        Some(at) => format!("{}\nmod {file};{}", &before[..at], &before[at..]),
        None => before.replacen("use crate::Cause;\n", &format!("use crate::Cause;\n\nmod {file};\n"), 1),
    };
    std::fs::write(path, format!("{declared}{after}"))?;
    println!("listed it in {}; now write the test and its cases, then: cargo test -p stack", path.display());
    crate::run::run("cargo", &["fmt", "--package", "stack"])
}

fn sentence(problem: &str) -> String {
    let words = problem.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
