//! Seeds: one makes a whole run. Each component forks a stream of its own by name, so that one more
//! draw here shifts nothing there.
//!
//! ```text
//!   7f3a91c2 ──fork("load")──► stream of the load ──fork("c3")──► stream of client 3
//!            └─fork("faults")► stream of the fault schedule
//! ```

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::str::FromStr;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Where all the randomness of a run comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    /// A seed nobody chose, short enough to type.
    pub(crate) fn random() -> Self {
        // The standard library seeds each of these from the operating system.
        Self(RandomState::new().build_hasher().finish() & u64::from(u32::MAX))
    }

    /// The seed of the component `name`.
    pub(crate) fn fork(self, name: &str) -> Self {
        Self(name.bytes().fold(mix(self.0), |hash, byte| mix(hash ^ u64::from(byte))))
    }

    /// The stream of numbers of this seed.
    pub(crate) fn stream(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.0)
    }

    /// The seed of the `index`th repetition; the first is the seed itself.
    pub(crate) fn repetition(self, index: u32) -> Self {
        if index == 0 { self } else { Self(self.fork(&format!("repeat {index}")).0 & u64::from(u32::MAX)) }
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, fig. 17): a bijection that
/// spreads each bit over all.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        u64::from_str_radix(text.trim_start_matches("0x"), 16).map(Self).map_err(|_| {
            format!("{text:?} is no seed; expected up to 16 hexadecimal digits, such as 7f3a91c2")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn a_seed_survives_a_round_trip_as_text() {
        let seed = Seed(0x7f3a_91c2);
        assert_eq!(seed.to_string(), "7f3a91c2");
        assert_eq!("7f3a91c2".parse(), Ok(seed));
        assert!("7f3a91cx".parse::<Seed>().is_err());
    }

    #[test]
    fn streams_differ_by_name_and_repeat_by_seed() {
        let draw = |name: &str| Seed(1).fork(name).stream().next_u64();
        assert_eq!(draw("load"), draw("load"));
        assert_ne!(draw("load"), draw("faults"));
    }
}
