//! Controls: what can be done to a target, and the refusal of what cannot.
//!
//! ```text
//! target               network  process  data  clock  packets  disk     plan: disk-full = "C"
//! simulated nodes      yes      yes      yes   yes    yes      yes      runs
//! our own processes    yes      yes      yes   yes    no       no       refused before the run, in words
//! a URL                no       no       no    no     no       no       refused
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, Schedule};

/// One kind of power over a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// Links can be cut, clogged and slowed.
    Network,
    /// Processes can be killed, started, stopped and continued.
    Process,
    /// What a node stored can be deleted while it is down.
    Data,
    /// Clocks can be set.
    Clock,
    /// Single messages between nodes can be lost, doubled and overtaken.
    Packets,
    /// Disks can fail, fill up, tear and lie.
    Disk,
    /// Answers can be kept from clients.
    Answers,
}

impl Control {
    /// All of them, in the order in which they are told.
    const ALL: [Self; 7] =
        [Self::Network, Self::Process, Self::Data, Self::Clock, Self::Packets, Self::Disk, Self::Answers];
}

impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Network => "network",
            Self::Process => "process",
            Self::Data => "data",
            Self::Clock => "clock",
            Self::Packets => "packet",
            Self::Disk => "disk",
            Self::Answers => "answer",
        })
    }
}

/// What a target offers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Controls {
    /// Links can be cut, clogged and slowed.
    pub network: bool,
    /// Processes can be killed, started, stopped and continued.
    pub process: bool,
    /// What a node stored can be deleted while it is down.
    pub data: bool,
    /// Clocks can be set.
    pub clock: bool,
    /// Single messages between nodes can be lost, doubled and overtaken.
    pub packets: bool,
    /// Disks can fail, fill up, tear and lie.
    pub disk: bool,
    /// Answers can be kept from clients.
    pub answers: bool,
}

impl Controls {
    /// Everything that there is: a simulated target.
    pub const ALL: Self = Self {
        network: true,
        process: true,
        data: true,
        clock: true,
        packets: true,
        disk: true,
        answers: true,
    };

    /// Whether the target offers this one.
    pub fn offers(self, control: Control) -> bool {
        match control {
            Control::Network => self.network,
            Control::Process => self.process,
            Control::Data => self.data,
            Control::Clock => self.clock,
            Control::Packets => self.packets,
            Control::Disk => self.disk,
            Control::Answers => self.answers,
        }
    }

    /// Refuses a schedule with a fault that needs what is not offered.
    pub fn admit(self, schedule: &Schedule) -> Result<(), Error> {
        for planned in &schedule.faults {
            let needed = planned.effects.iter().map(|effect| effect.needs());
            if let Some(needed) = needed.into_iter().find(|needed| !self.offers(*needed)) {
                let (fault, name) = (planned.id, planned.name.clone());
                return Err(Error::NotOffered { fault, name, needed, offered: self.to_string() });
            }
        }
        Ok(())
    }
}

/// Such as `network, process and clock control`.
impl fmt::Display for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offered: Vec<String> =
            Control::ALL.iter().filter(|control| self.offers(**control)).map(Control::to_string).collect();
        f.pad(&match offered.as_slice() {
            [] => "no control".to_owned(),
            [only] => format!("{only} control only"),
            [first @ .., last] => format!("{} and {last} control", first.join(", ")),
        })
    }
}
