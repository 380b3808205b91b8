//! `narrows preload`.

use std::fmt::Write;

use host::{Host, LiveHost};
use stack::opcache::preload::{self, Selection};

use crate::arguments::preload::Preload;
use crate::exit::{Exit, UsageError};
use crate::output;

/// Where Composer puts libraries.
const LIBRARIES: &str = "vendor";

/// Writes the script, and says what is in it and what is not.
pub(crate) fn run(arguments: &Preload) -> anyhow::Result<Exit> {
    let folder = std::path::absolute(&arguments.folder)?;
    let Some(folder) = folder.to_str() else {
        return Err(UsageError("the folder's name must be UTF-8".to_owned()).into());
    };
    let host = LiveHost::new();
    host.list(folder)?;
    let from = if arguments.from.is_empty() { vec![LIBRARIES.to_owned()] } else { arguments.from.clone() };
    for library in &from {
        if host.list(&format!("{folder}/{library}")).is_err() {
            let why = format!(
                "{folder} has no folder {library}: name those of libraries with --from, as `--from lib`"
            );
            return Err(UsageError(why).into());
        }
    }
    let selection = preload::select(&preload::candidates(&host, folder, &from)?);
    output::note(&account(&selection, arguments.all));
    if selection.files.is_empty() {
        return Ok(Exit::Findings);
    }
    let script = script(folder, &selection);
    match &arguments.output {
        Some(path) => host::write_local(path, script.as_bytes())?,
        None => output::print(&script)?,
    }
    Ok(Exit::Clear)
}

/// What is taken, and what is left out and why.
fn account(selection: &Selection, all: bool) -> String {
    let left: usize = selection.left_out.values().map(Vec::len).sum();
    let mut text = format!(
        "{} classes in {} files; {left} files are left out:\n",
        selection.classes,
        selection.files.len()
    );
    for (reason, files) in &selection.left_out {
        let _ = writeln!(text, "{:>7} {}", files.len(), reason.words());
        let shown = if all { files.len() } else { 1 };
        for (path, class) in files.iter().take(shown) {
            let class = class.as_ref().map_or_else(String::new, |class| format!("  ({class})"));
            let _ = writeln!(text, "          {path}{class}");
        }
    }
    text
}

fn script(folder: &str, selection: &Selection) -> String {
    let mut text = format!(
        "<?php\n// Preloads {} classes of {} into OPcache; made by `narrows preload`.\n\
         //   opcache.preload = this file, opcache.preload_user = the user of the pools; leave opcache.enable_cli at 0.\n\
         // It counts for all pools of a PHP-FPM, and a new version of the code needs a restart: make it anew at each deployment.\n\
         foreach ([\n",
        selection.classes,
        one_line(folder)
    );
    for file in &selection.files {
        let _ = writeln!(text, "    {},", quoted(file));
    }
    text.push_str(
        "] as $file) {\n    if (is_file($file)) {\n        opcache_compile_file($file);\n    }\n}\n",
    );
    text
}

/// A text for a comment: what could end the comment is taken out.
fn one_line(text: &str) -> String {
    text.replace("?>", "").chars().filter(|letter| !letter.is_control()).collect()
}

/// A string in PHP's single quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_cannot_become_code() {
        assert_eq!(quoted("/srv/it's\\n"), r"'/srv/it\'s\\n'");
        assert_eq!(one_line("/srv/a\nexit; ?> x"), "/srv/aexit;  x");
    }
}
