//! `narrows queries fingerprint`.

use std::io::{BufRead, Read};

use anyhow::Context;
use querylog::ClassId;
use querylog::fingerprint::{Options, fingerprint_with};

use crate::arguments::queries::fingerprint::{Fingerprint, FingerprintFormat, Separator};
use crate::exit::Exit;
use crate::output;

/// Prints the ID and the fingerprint of each statement.
pub(crate) fn run(arguments: &Fingerprint) -> anyhow::Result<Exit> {
    let options = Options {
        rules: arguments.compat.into(),
        preserve_embedded_numbers: arguments.preserve_embedded_numbers,
        match_md5: arguments.match_md5_checksums,
    };
    let print = |statement: &[u8]| output::print(&line(statement, &options, arguments.format)?);
    for statement in &arguments.statements {
        print(statement.as_bytes())?;
    }
    if !arguments.statements.is_empty() {
        return Ok(Exit::Clear);
    }
    let reading = "reading statements from standard input";
    let mut input = std::io::stdin().lock();
    match arguments.separator {
        Separator::Lines => {
            for statement in input.split(b'\n') {
                let statement = statement.context(reading)?;
                if !statement.trim_ascii().is_empty() {
                    print(&statement)?;
                }
            }
        }
        Separator::Semicolons => {
            let mut text = Vec::new();
            input.read_to_end(&mut text).context(reading)?;
            querylog::statements(&text).into_iter().try_for_each(print)?;
        }
    }
    Ok(Exit::Clear)
}

fn line(statement: &[u8], options: &Options, format: FingerprintFormat) -> anyhow::Result<String> {
    let made = fingerprint_with(statement, options);
    let id = ClassId::of(&made);
    let text = String::from_utf8_lossy(&made);
    if format == FingerprintFormat::Human {
        let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        return Ok(format!("{id}  {shown}\n"));
    }
    let distillate = querylog::distill(statement);
    let object = serde_json::json!({
        "checksum": id.to_string(),
        "checksum_16": id.short(),
        "fingerprint": text,
        "distillate": String::from_utf8_lossy(&distillate),
    });
    Ok(serde_json::to_string(&object)? + "\n")
}
