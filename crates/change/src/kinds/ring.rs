//! The size of a ring, in descriptors.

use serde::{Deserialize, Serialize};

use super::NetworkNamespace;
use super::interface::{Place, number};
use crate::ethtool::{self, Structure, Values};
use crate::{Action, ChangeError, Kind, State};

/// Which ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RingSide {
    /// What the card received.
    Receive,
    /// What the card shall send.
    Transmit,
}

impl RingSide {
    /// As ethtool(8) spells it.
    fn word(self) -> &'static str {
        match self {
            Self::Receive => "rx",
            Self::Transmit => "tx",
        }
    }

    /// The largest size and the size now.
    fn of(self, values: &Values) -> (u32, u32) {
        let ([receive_most, _, _, transmit_most], [receive, _, _, transmit]) = (values.most, values.now);
        match self {
            Self::Receive => (receive_most, receive),
            Self::Transmit => (transmit_most, transmit),
        }
    }

    fn with(self, values: &Values, size: u32) -> Values {
        let [receive, mini, jumbo, transmit] = values.now;
        let now = match self {
            Self::Receive => [size, mini, jumbo, transmit],
            Self::Transmit => [receive, mini, jumbo, size],
        };
        Values { now, ..*values }
    }
}

/// The size of a ring, in descriptors.
///
/// Its state is the size as text. Writing resets the interface with most drivers: packets are lost for up to a second.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ring {
    /// The network interface.
    pub interface: String,
    /// Which ring.
    pub side: RingSide,
    /// The network namespace of the interface; `None` for that of narrows itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<NetworkNamespace>,
}

impl Ring {
    fn place(&self) -> Place<'_> {
        Place { interface: &self.interface, namespace: self.namespace.as_ref() }
    }

    fn values(&self, attempted: &str) -> Result<Option<Values>, ChangeError> {
        self.place().visit(attempted, |_| self.values_here(attempted))
    }

    /// The values, in the namespace of the caller.
    fn values_here(&self, attempted: &str) -> Result<Values, ChangeError> {
        let values =
            ethtool::get(&self.interface, Structure::Rings).map_err(|error| match error.raw_os_error() {
                Some(libc::EOPNOTSUPP) => ChangeError {
                    errno: Some(libc::EOPNOTSUPP),
                    ..ChangeError::new(attempted, "its driver has no rings")
                },
                _ => ChangeError::io(attempted, &error),
            })?;
        match self.side.of(&values) {
            (0, _) => Err(ChangeError::new(attempted, "its driver has no such ring")),
            _ => Ok(values),
        }
    }

    fn fits(&self, attempted: &str, values: &Values, size: u32) -> Result<(), ChangeError> {
        let (most, _) = self.side.of(values);
        if size <= most {
            return Ok(());
        }
        let option = format!("{}_queue_size", self.side.word());
        Err(ChangeError::new(attempted, format!("the device takes at most {most} descriptors"))
            .help(format!("on a virtual machine, ask the hypervisor for {option}={size}")))
    }

    fn write_here(&self, attempted: &str, size: u32) -> Result<(), ChangeError> {
        let values = self.values_here(attempted)?;
        if self.side.of(&values).1 == size {
            // Some drivers reset the interface even for the size it has.
            return Ok(());
        }
        self.fits(attempted, &values, size)?;
        ethtool::set(&self.interface, Structure::Rings, &self.side.with(&values, size)).map_err(|error| {
            let refused = ChangeError::io(attempted, &error);
            match error.raw_os_error() {
                Some(libc::EOPNOTSUPP | libc::ENOENT) => refused.help(
                    "its driver cannot change the size; virtio_net can from Linux 6.0, if the hypervisor offers \
                     VIRTIO_F_RING_RESET",
                ),
                _ => refused.help(format!("`dmesg` and `ethtool -g {}` may say why", self.interface)),
            }
        })
    }
}

impl Kind for Ring {
    fn name(&self) -> String {
        self.place().name(&format!("{} ring", self.side.word()))
    }

    fn read(&self) -> Result<State, ChangeError> {
        let values = self.values(&format!("read {}", self.name()))?;
        Ok(values.map_or(State::Absent, |values| State::text(self.side.of(&values).1.to_string())))
    }

    fn write(&self, state: &State) -> Result<(), ChangeError> {
        let State::Text { value } = state else {
            return Err(ChangeError::new(format!("write {}", self.name()), "a ring holds a number"));
        };
        let attempted = format!("write {value} to {}", self.name());
        let size = number(&attempted, value)?;
        self.place().change(&attempted, |_| self.write_here(&attempted, size))
    }

    /// The state depends on the value alone. Where the interface can be read, the device's maximum is checked too.
    fn wanted(&self, now: &State, action: &Action) -> Result<State, ChangeError> {
        let attempted = format!("change {}", self.name());
        let Action::Set { value } = action else {
            return Err(ChangeError::new(attempted, "a ring is only set to a number"));
        };
        if *now == State::Absent {
            return Err(ChangeError::new(attempted, format!("there is no interface {}", self.interface)));
        }
        let size = number(&attempted, value)?;
        if size == 0 {
            return Err(ChangeError::new(attempted, "a ring of no descriptors carries nothing"));
        }
        Ok(State::text(size.to_string()))
    }

    fn check(&self, wanted: &State) -> Result<(), ChangeError> {
        let attempted = format!("change {}", self.name());
        let State::Text { value } = wanted else { return Ok(()) };
        let size = number(&attempted, value)?;
        match self.values(&attempted) {
            Ok(Some(values)) => self.fits(&attempted, &values, size),
            _ => Ok(()),
        }
    }

    fn normal(&self, state: &State) -> State {
        match state {
            State::Text { value } => {
                let size = value.trim().parse::<u32>();
                State::text(size.map_or_else(|_| value.trim().to_owned(), |size| size.to_string()))
            }
            state => state.clone(),
        }
    }

    fn shell(&self, to: &State) -> Vec<String> {
        let State::Text { value } = self.normal(to) else { return vec![] };
        vec![self.place().line(&["ethtool", "-G", &self.interface, self.side.word(), &value])]
    }

    fn boot_lines(&self, to: &State) -> Option<Vec<String>> {
        Some(self.place().at_boot(self.shell(to)))
    }
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
