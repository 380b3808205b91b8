//! Global variables of database servers: at run time, and in the option file that keeps them over a restart.

use model::Edit;

use super::choose::Wish;
use super::lower::{Ground, Lowered, edit_step, set_now};
use super::{activation, lower_files};
use crate::owners::{Claim, claim_of_managed_file, claim_of_set_persist, read_file, set_persist_file_of};
use crate::{Phase, Target};

/// How a variable is kept over a restart of its server.
pub(super) struct Keeping<'a> {
    /// The option file; empty where there is none.
    pub(super) file: &'a str,
    /// Its group; empty for that of every server.
    pub(super) group: &'a str,
    /// Whether the running server refuses to have it set.
    pub(super) fixed: bool,
}

/// Both places of a variable in one change. One that the running server refuses to have set goes into the file alone, and
/// acts after a restart, which happens only where it is asked for.
pub(super) fn variable(
    ground: &Ground<'_>,
    wish: &mut Wish,
    target: Target,
    keeping: &Keeping<'_>,
) -> Lowered {
    let Target::SqlVariable(of) = &target else { return Ok((vec![], vec![])) };
    let usual = set_persist_file_of(ground.host, &of.name).map(str::to_owned);
    if let Some(path) = ground.states.persisted_in(of)?.or(usual) {
        return Err(claim_of_set_persist(&of.name, &path));
    }
    let value = wish.change.target.value.trim().to_owned();
    let fixed = keeping.fixed || ground.states.is_fixed(of)? == Some(true);
    if keeping.file.is_empty() {
        if fixed {
            return Err(Claim {
                because: format!(
                    "the running server refuses to have {} set, and it has no option file",
                    of.name
                ),
                owner: None,
                instead: "set it where the server's options come from, and restart it".to_owned(),
            });
        }
        return Ok((vec![set_now(target, value)], vec![]));
    }
    let path = ground.states.resolve(keeping.file)?;
    let bytes = read_file(ground.host, &path)?.unwrap_or_default();
    let edits = vec![Edit::OptionFile {
        group: if keeping.group.is_empty() { "mysqld" } else { keeping.group }.to_owned(),
        option: of.name.clone(),
        value: Some(value.clone()),
    }];
    if let Some(claim) =
        claim_of_managed_file(&path, &bytes).or_else(|| lower_files::unchecked(&path, &edits))
    {
        return Err(claim);
    }
    if fixed {
        let reloads = activation::of(ground.host, &path, &edits);
        if wish.change.restart == "none" {
            let units = reloads.iter().map(|reload| reload.unit.as_str()).collect::<Vec<_>>().join(", ");
            wish.change.restart = format!("systemctl restart {units}: every connection ends");
        }
        return Ok((vec![edit_step(&path, edits, Phase::Now)], reloads));
    }
    path.clone_into(&mut wish.change.persistence);
    Ok((vec![set_now(target, value), edit_step(&path, edits, Phase::Lasting)], vec![]))
}
