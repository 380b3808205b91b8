//! The queueing discipline at the root of an interface.

use serde::{Deserialize, Serialize};

use super::NetworkNamespace;
use super::interface::Place;
use super::qdisc_default::with_default;
use super::qdisc_options::{Asked, as_given, asked_of, bandwidth_options, limit_options, put_back_exactly};
use super::qdisc_read::{OF_THE_KERNEL, handle_number, read_root, refused};
use crate::netlink::traffic_control::{attach_root, remove_root};
use crate::shell::comment;
use crate::state::Contents;
use crate::{Action, ChangeError, Kind, QdiscState, State};

/// The handles of what narrows attached: two, as the kernel does not replace a discipline by another of its handle.
const OURS: [&str; 2] = ["4e41:", "4e42:"];
/// Kinds that work with no argument.
const WITHOUT_ARGUMENTS: [&str; 7] = ["fq", "fq_codel", "codel", "cake", "mq", "noqueue", "pfifo_fast"];
/// Kinds with one argument, their limit: packets for `pfifo`, bytes for `bfifo`.
const WITH_LIMIT: [&str; 2] = ["pfifo", "bfifo"];

/// The queueing discipline at the root of an interface.
///
/// It is set to `fq`, `fq_codel`, `codel`, `cake`, `mq`, `noqueue` or `pfifo_fast`, to `pfifo limit 1000` or
/// `bfifo limit 100000`, or to `cake bandwidth 5000000bit`. `mq` is always attached anew: its queues follow `net.core.default_qdisc` only then.
/// Counters are no part of its state. Packets in the old queue are lost.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Qdisc {
    /// The network interface.
    pub interface: String,
    /// The network namespace of the interface; `None` for that of narrows itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NetworkNamespace>,
}

impl Qdisc {
    fn place(&self) -> Place<'_> {
        Place { interface: &self.interface, namespace: self.namespace.as_ref() }
    }

    fn attach(&self, attempted: &str, to: &QdiscState) -> Result<(), ChangeError> {
        self.place().change(attempted, |index| self.write_here(attempted, index, to))
    }

    /// Attaches `to`, in the namespace of the caller.
    fn write_here(&self, attempted: &str, index: u32, to: &QdiscState) -> Result<(), ChangeError> {
        let now = read_root(attempted, index)?;
        let refused = |error| refused(attempted, &to.kind, error);
        if to.handle == OF_THE_KERNEL {
            if now.handle == OF_THE_KERNEL {
                // What the kernel attached cannot be removed, only replaced.
                let passing = handle_number(attempted, other_handle(&now.handle))?;
                attach_root(index, "pfifo", passing, &[]).map_err(refused)?;
            }
            return remove_root(index).map_err(refused);
        }
        let handle = handle_number(attempted, &to.handle)?;
        if now.handle == to.handle {
            // With its handle in use the kernel would change the old one, and refuse another kind.
            remove_root(index).map_err(refused)?;
        }
        attach_root(index, &to.kind, handle, &as_given(&to.kind, &to.options.0)).map_err(refused)
    }
}

impl Kind for Qdisc {
    fn name(&self) -> String {
        self.place().name("qdisc")
    }

    fn read(&self) -> Result<State, ChangeError> {
        let attempted = format!("read {}", self.name());
        let found = self.place().visit(&attempted, |index| read_root(&attempted, index))?;
        Ok(found.map_or(State::Absent, State::Qdisc))
    }

    fn write(&self, state: &State) -> Result<(), ChangeError> {
        let State::Qdisc(to) = state else {
            return Err(ChangeError::new(format!("write {}", self.name()), "it holds a queueing discipline"));
        };
        let attempted = format!("write {} {} to {}", to.kind, to.handle, self.name());
        if matches!(self.read()?, State::Qdisc(now) if normal(&now) == normal(to)) {
            return Ok(());
        }
        with_default(&attempted, attached_by_default(to), || self.attach(&attempted, to))
    }

    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError> {
        let attempted = format!("change {}", self.name());
        let Action::Set { value } = action else {
            return Err(ChangeError::new(attempted, "a queueing discipline is only set to a kind"));
        };
        let State::Qdisc(now) = now else {
            return Err(ChangeError::new(attempted, format!("there is no interface {}", self.interface)));
        };
        let (kind, options) = asked_for(&attempted, value)?;
        let as_asked = || asked_of(kind, &now.options.0) == asked_of(kind, &options);
        let there = now.kind == kind && (options.is_empty() || as_asked());
        if there && kind != "mq" {
            return Ok(State::Qdisc(now.clone()));
        }
        put_back(&attempted, &self.interface, now)?;
        Ok(State::Qdisc(QdiscState {
            kind: kind.to_owned(),
            handle: other_handle(&now.handle).to_owned(),
            options: Contents(options),
            below: vec![],
            configured: vec![],
        }))
    }

    /// Of what narrows attached with the kernel's own parameters, only kind and handle count.
    fn normal(&self, state: &State) -> State {
        match state {
            State::Qdisc(qdisc) => State::Qdisc(normal(qdisc)),
            state => state.clone(),
        }
    }

    fn shell(&self, to: &State) -> Vec<String> {
        let State::Qdisc(to) = to else { return vec![] };
        let device = ["dev", &self.interface, "root"];
        if to.handle == OF_THE_KERNEL {
            return vec![self.place().line(&[&["tc", "qdisc", "del"], &device[..]].concat())];
        }
        let mut words =
            [&["tc", "qdisc", "replace"], &device[..], &["handle", &to.handle, &to.kind]].concat();
        let options = normal(to).options.0;
        let asked = asked_of(&to.kind, &options).filter(|asked| asked.options() == options);
        let asked = asked.map(Asked::words);
        if let Some([word, figure]) = &asked {
            words.extend([word.as_ref(), figure.as_ref()]);
        } else if !options.is_empty() && to.kind != "pfifo_fast" {
            return vec![comment(&format!("# {} of {} with all its options", self.name(), to.kind))];
        }
        vec![self.place().line(&words)]
    }

    fn boot_lines(&self, to: &State) -> Option<Vec<String>> {
        match to {
            State::Qdisc(to) if to.handle == OF_THE_KERNEL => None,
            to => Some(self.place().at_boot(self.shell(to))),
        }
    }
}

/// Refuses what could not be put back exactly.
fn put_back(attempted: &str, interface: &str, now: &QdiscState) -> Result<(), ChangeError> {
    let refuse = |why: String| {
        Err(ChangeError::new(attempted, why)
            .help(format!("if nothing needs it, take it away first: tc qdisc del dev {interface} root")))
    };
    if !now.configured.is_empty() {
        return refuse(format!(
            "the {} there now could not be put back exactly: it has {}",
            now.kind,
            now.configured.join(", ")
        ));
    }
    if now.below.len() > 1 {
        return refuse(format!(
            "its queues differ ({}) and could not be put back exactly",
            now.below.join(", ")
        ));
    }
    if now.handle != OF_THE_KERNEL && !put_back_exactly(&now.kind) {
        return refuse(format!("narrows does not know how to put {} back exactly", now.kind));
    }
    Ok(())
}

/// The kind and the options of `fq` or `pfifo limit 100`.
fn asked_for<'a>(attempted: &str, value: &'a str) -> Result<(&'a str, Vec<u8>), ChangeError> {
    let words: Vec<_> = value.split_whitespace().collect();
    match words.as_slice() {
        [kind] if WITHOUT_ARGUMENTS.contains(kind) => Ok((kind, vec![])),
        [kind, "limit", limit] if WITH_LIMIT.contains(kind) => {
            let limit = super::interface::number(attempted, limit)?;
            Ok((kind, limit_options(limit)))
        }
        [kind] if WITH_LIMIT.contains(kind) => {
            Err(ChangeError::new(attempted, format!("{kind} needs its limit")).help(format!("say `{kind} limit 1000`")))
        }
        [kind @ "cake", "bandwidth", rate] => {
            let bits = rate.strip_suffix("bit").and_then(|bits| bits.parse::<u64>().ok());
            let bits = bits.filter(|bits| *bits >= 8).ok_or_else(|| {
                ChangeError::new(attempted, format!("`{rate}` is no rate")).help("say it as 5000000bit")
            })?;
            Ok((kind, bandwidth_options(bits / 8)))
        }
        _ => Err(ChangeError::new(attempted, format!("`{value}` is no discipline that narrows attaches")).help(
            "it takes fq, fq_codel, codel, cake, mq, noqueue, pfifo_fast, `pfifo limit N`, `bfifo limit N` and \
             `cake bandwidth Nbit`",
        )),
    }
}

/// A handle of ours that is not in use.
fn other_handle(now: &str) -> &'static str {
    let [first, second] = OURS;
    if now == first { second } else { first }
}

/// The kind that `net.core.default_qdisc` must name for the kernel to attach this by itself.
fn attached_by_default(to: &QdiscState) -> Option<&str> {
    match (to.kind.as_str(), to.handle.as_str()) {
        ("mq", _) => to.below.first().map(String::as_str),
        ("noqueue" | "noop", _) => None,
        (kind, OF_THE_KERNEL) => Some(kind),
        _ => None,
    }
}

fn normal(qdisc: &QdiscState) -> QdiscState {
    let mut qdisc = qdisc.clone();
    if OURS.contains(&qdisc.handle.as_str()) {
        qdisc.below.clear();
        qdisc.options.0 = asked_of(&qdisc.kind, &qdisc.options.0).map(Asked::options).unwrap_or_default();
    }
    qdisc
}

#[cfg(test)]
#[path = "qdisc_tests.rs"]
mod tests;
