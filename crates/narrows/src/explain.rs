//! `narrows explain`.

use std::fmt::Write;

use stack::{Layer, document, layers};

use crate::arguments::Explain;
use crate::exit::{Exit, UsageError};
use crate::output;

/// Prints a document, or the list of them.
pub(crate) fn run(arguments: &Explain) -> anyhow::Result<Exit> {
    let text = match &arguments.id {
        None => list(layers::LAYERS),
        Some(id) => one(id, arguments.cases)?,
    };
    output::print(&text)?;
    Ok(Exit::Clear)
}

fn one(id: &str, cases: bool) -> Result<String, UsageError> {
    if let Some(layer) = layers::LAYERS.iter().find(|layer| layer.id == id) {
        return Ok(list(&[layer]));
    }
    let causes = layers::causes().map(|(_, cause)| (cause.id, cause.document));
    let symptoms = layers::symptoms().map(|(_, symptom)| (symptom.id, symptom.document));
    let Some((id, text)) = causes.chain(symptoms).find(|(known, _)| *known == id) else {
        return Err(UsageError(format!("nothing is named {id}{}; `narrows explain` lists all", nearest(id))));
    };
    let shown = if cases { text } else { document::parse(text).prose };
    Ok(format!("{id}\n\n{}\n{}", shown.trim_end(), relations(id)))
}

/// What a cause explains, or which causes could explain a symptom.
fn relations(id: &str) -> String {
    let mut text = String::new();
    if let Some((_, cause)) = layers::causes().find(|(_, cause)| cause.id == id) {
        if !cause.explains.is_empty() {
            let _ = write!(text, "\nCould explain: {}\n", cause.explains.join(", "));
        }
        for refutation in cause.refutes {
            let _ = write!(text, "\nCannot explain {}: {}\n", refutation.symptom, refutation.because);
        }
    } else {
        let causes = layers::causes().filter(|(_, cause)| cause.explains.contains(&id));
        let causes: Vec<_> = causes.map(|(_, cause)| cause.id).collect();
        if !causes.is_empty() {
            let _ = write!(text, "\nCould be explained by: {}\n", causes.join(", "));
        }
    }
    text
}

fn list(layers: &[&Layer]) -> String {
    let mut text = String::new();
    for layer in layers {
        let _ = writeln!(text, "{}: {}", layer.id, layer.title);
        for symptom in layer.symptoms {
            let _ = writeln!(text, "  {:<44} symptom  {}", symptom.id, symptom.title);
        }
        for cause in layer.causes {
            let _ = writeln!(text, "  {:<44} cause    {}", cause.id, cause.title);
        }
        text.push('\n');
    }
    text
}

/// The known identity that shares most of its words with what was typed.
fn nearest(typed: &str) -> String {
    let words = |id: &str| id.split(['.', '-']).map(str::to_owned).collect::<Vec<_>>();
    let typed = words(typed);
    let all =
        layers::causes().map(|(_, cause)| cause.id).chain(layers::symptoms().map(|(_, symptom)| symptom.id));
    let shared = |id: &str| words(id).iter().filter(|word| typed.contains(word)).count();
    let best = all.max_by_key(|id| shared(id)).filter(|id| shared(id) > 0);
    best.map(|id| format!(" (did you mean {id}?)")).unwrap_or_default()
}
