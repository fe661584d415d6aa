//! Controls: what can be done to a target, and the refusal of what cannot.
//!
//! ```text
//! target          network   process          plan: pause = "C"
//! our own nodes   yes       yes              runs
//! a URL           no        no               refused before the run starts, in words
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Schedule};

/// One kind of power over a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// Links can be cut and slowed.
    Network,
    /// Processes can be killed, started, stopped and continued.
    Process,
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Network => "network",
            Self::Process => "process",
        })
    }
}

/// What a target offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Controls {
    /// Links can be cut and slowed.
    pub network: bool,
    /// Processes can be killed, started, stopped and continued.
    pub process: bool,
}

impl Controls {
    /// Everything that there is.
    pub const ALL: Self = Self { network: true, process: true };

    /// Whether the target offers this one.
    pub fn offers(self, control: Control) -> bool {
        match control {
            Control::Network => self.network,
            Control::Process => self.process,
        }
    }

    /// Refuses a schedule with a fault that needs what is not offered.
    pub fn admit(self, schedule: &Schedule) -> Result<(), Error> {
        for planned in &schedule.faults {
            let needed = planned.effects.iter().map(|effect| effect.target().needs());
            if let Some(needed) = needed.into_iter().find(|needed| !self.offers(*needed)) {
                let (fault, name) = (planned.id, planned.name.clone());
                return Err(Error::NotOffered { fault, name, needed, offered: self.to_string() });
            }
        }
        Ok(())
    }
}

impl fmt::Display for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match (self.network, self.process) {
            (true, true) => "network and process control",
            (true, false) => "network control only",
            (false, true) => "process control only",
            (false, false) => "no control",
        })
    }
}
