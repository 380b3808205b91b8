//! The JIT compiler: set and off, or on without a reason.

use model::{Derived, Missing, Outcome, Remedy, Severity};

use crate::opcache::Runtime;
use crate::opcache::view;
use crate::{Cause, Evidence};

pub(super) static CAUSE: Cause = Cause {
    id: "opcache.jit-without-benefit",
    title: "The JIT compiler is set up, and gains nothing",
    explains: &[],
    refutes: &[],
    document: include_str!("jit_without_benefit.md"),
    test,
};

const JIT: &str = "opcache.jit";
const BUFFER: &str = "opcache.jit_buffer_size";
/// Values that turn the compiler off whatever the buffer is.
const OFF: [&str; 6] = ["", "0", "off", "no", "false", "disable"];

fn test(evidence: &Evidence) -> Result<Outcome, Missing> {
    let runtimes = view::runtimes(evidence)?;
    let mut said = None;
    for runtime in runtimes {
        let status = view::status_of(evidence, &runtime.version);
        let (jit, buffer) = (
            view::setting(status, Some(runtime), JIT, "tracing"),
            view::setting(status, Some(runtime), BUFFER, "0"),
        );
        let name = view::name(&runtime.version);
        if status.is_none() && runtime.loaded.is_none() {
            let what = format!("every ini file of {name}");
            return Err(Missing::new(what, "run narrows as root: some of them could not be read"));
        }
        let wanted = runtime.settings.contains_key(JIT) && !is_off(&jit.0);
        let empty = matches!(buffer.0.trim(), "" | "0");
        let seen = [view::seen(JIT, &jit), view::seen(BUFFER, &buffer)];
        let on = status.map_or(!empty && !is_off(&jit.0), |status| status.jit_on == Some(true));
        if on {
            let summary = format!("{name}: {JIT} is {}, with {} of memory", jit.0, buffer.0);
            let missing = Missing::new(
                "CPU time per request with and without it",
                "narrows prove a plan that sets opcache.jit=off: WordPress waits for its database more than it computes",
            );
            let outcome = Outcome::consistent(Severity::Folklore, summary).lacks(missing);
            return Ok(outcome.seen_all(seen).remedy(off(runtime, &jit.0)));
        }
        if wanted && empty {
            let summary = format!("{name}: {JIT} is {}, and {BUFFER} is 0: the compiler is off", jit.0);
            return Ok(Outcome::confirmed(Severity::Folklore, summary)
                .seen_all(seen)
                .remedy(off(runtime, &jit.0)));
        }
        said.get_or_insert(format!("off in {name}: {JIT} is {}, {BUFFER} {}", jit.0, buffer.0));
    }
    Ok(Outcome::ruled_out(said.unwrap_or_else(|| "no PHP-FPM on this host".to_owned())))
}

fn is_off(jit: &str) -> bool {
    OFF.iter().any(|word| jit.trim().eq_ignore_ascii_case(word))
}

fn off(runtime: &Runtime, jit: &str) -> Remedy {
    let target =
        Derived::new("off", "what is off can break nothing; a gain of 5 % or more would be a reason for it")
            .input("now", jit, JIT);
    let settings = [(JIT, "off".to_owned())];
    let change = view::change(&runtime.version, Some(runtime), Some(jit.to_owned()), &settings, target);
    Remedy::new("Say what is the case: opcache.jit=off", "CPU time per request stays the same").change(change)
}
