//! What a fault is, as its table says it: a kind with its argument, or effect by effect. It stands
//! beside `at`, or in `then` beside `when`.

use std::fmt;

use histories::Nanos;
use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::fault::{self, Argument, EFFECTS, FLAP_PERIOD, Fault, Form, Pinned};
use crate::{Effect, Error, duration};

#[derive(Clone)]
pub(super) enum What {
    /// A fault of the registry.
    Kind(&'static dyn Fault, Argument),
    /// What a fault comes to, effect by effect.
    Pinned(Pinned),
}

impl What {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Kind(fault, _) => fault.name(),
            Self::Pinned(_) => EFFECTS,
        }
    }

    pub(super) fn form(&self) -> Result<Box<dyn Form>, Error> {
        match self {
            Self::Kind(fault, argument) => fault.parse(argument),
            Self::Pinned(pinned) => Ok(Box::new(pinned.clone())),
        }
    }

    /// Writes it as entries of a table that may have others.
    pub(super) fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Self::Kind(fault, argument) => map.serialize_entry(fault.name(), argument),
            Self::Pinned(pinned) => {
                if let Some(period) = pinned.flap_period {
                    map.serialize_entry(FLAP_PERIOD, &duration::format(period))?;
                }
                map.serialize_entry(EFFECTS, &pinned.effects)
            }
        }
    }
}

impl PartialEq for What {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Kind(one, argument), Self::Kind(other, same)) => {
                one.name() == other.name() && argument == same
            }
            (Self::Pinned(one), Self::Pinned(other)) => one == other,
            (Self::Kind(..), Self::Pinned(_)) | (Self::Pinned(_), Self::Kind(..)) => false,
        }
    }
}

/// As TOML would have it, without the braces.
impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind(fault, argument) => write!(f, "{} = {argument}", fault.name()),
            Self::Pinned(pinned) => pinned.fmt(f),
        }
    }
}

/// As a table of its own.
impl Serialize for What {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.entries(&mut map)?;
        map.end()
    }
}

/// As a table of its own: exactly one kind.
impl<'de> Deserialize<'de> for What {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = What;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one fault, such as { kill = \"A\" }")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<What, A::Error> {
                let mut reading = Reading::default();
                while let Some(key) = entries.next_key::<WhatKey>()? {
                    reading.take(key, &mut entries)?;
                }
                let what = reading.finish().map_err(A::Error::custom)?;
                what.ok_or_else(|| A::Error::custom(Error::NoFault { known: fault::names() }))
            }
        }
        deserializer.deserialize_map(Table)
    }
}

/// What was read of it so far.
#[derive(Default)]
pub(super) struct Reading {
    what: Option<What>,
    flap_period: Option<Nanos>,
}

impl Reading {
    /// Reads the value of a key; a second kind is refused.
    pub(super) fn take<'de, A: MapAccess<'de>>(
        &mut self,
        key: WhatKey,
        entries: &mut A,
    ) -> Result<(), A::Error> {
        let what = match key {
            WhatKey::FlapPeriod => {
                self.flap_period = Some(entries.next_value::<duration::Text>()?.0);
                return Ok(());
            }
            WhatKey::Effects => {
                let effects: Vec<Effect> = entries.next_value()?;
                What::Pinned(Pinned { effects, flap_period: None })
            }
            WhatKey::Kind(fault) => What::Kind(fault, entries.next_value_seed(ArgumentOf(fault))?),
        };
        let second = what.name();
        match self.what.replace(what) {
            Some(first) => Err(A::Error::custom(Error::TwoFaults { first: first.name(), second })),
            None => Ok(()),
        }
    }

    /// What it says, if it says anything.
    pub(super) fn finish(self) -> Result<Option<What>, Error> {
        match (self.what, self.flap_period) {
            (Some(What::Pinned(pinned)), flap_period) => {
                Ok(Some(What::Pinned(Pinned { flap_period, ..pinned })))
            }
            (_, Some(_)) => Err(Error::FlapPeriod),
            (what, None) => Ok(what),
        }
    }
}

/// A key that says what the fault is.
pub(super) enum WhatKey {
    Effects,
    FlapPeriod,
    Kind(&'static dyn Fault),
}

impl WhatKey {
    pub(super) fn of(name: &str) -> Result<Self, Error> {
        match name {
            EFFECTS => Ok(Self::Effects),
            FLAP_PERIOD => Ok(Self::FlapPeriod),
            name => fault::find(name).map(Self::Kind),
        }
    }
}

/// Finds the fault of the key, so that the error points at it.
impl<'de> Deserialize<'de> for WhatKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Reads an argument and has the fault check it, so that the error points at the value.
struct ArgumentOf(&'static dyn Fault);

impl<'de> DeserializeSeed<'de> for ArgumentOf {
    type Value = Argument;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Argument, D::Error> {
        let argument = Argument::deserialize(deserializer)?;
        self.0.parse(&argument).map_err(D::Error::custom)?;
        Ok(argument)
    }
}
