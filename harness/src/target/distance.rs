//! Distances: how long messages are on their way, where a cluster is spread over regions.
//!
//! ```text
//!   local    0.5 to 2 ms     within a region        local writes take 1 to 5 ms
//!   remote    50 to 200 ms   between two            one way
//!   eu-us     40 to 60 ms    between these two, both ways
//! ```
//!
//! A message is on its way for a time drawn evenly from the range, and keeps its place: connections deliver in order. The
//! defaults are those of textbooks on multi-leader replication: local writes of 1 to 5 ms, 50 to 200 ms across regions.

use std::fmt;
use std::str::FromStr;

use histories::Nanos;
use nemesis::duration;
use reference_db::NodeName;
use reference_db::region::Regions;

/// From the shortest to the longest way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Distance {
    pub(crate) min: Nanos,
    pub(crate) max: Nanos,
}

impl Distance {
    /// In the mean.
    pub(crate) fn mean(self) -> Nanos {
        Nanos(self.min.0.midpoint(self.max.0))
    }

    /// Around the mean, evenly spread.
    pub(crate) fn jitter(self) -> Nanos {
        Nanos((self.max.0 - self.min.0) / 2)
    }
}

/// The distance between any two regions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Distances {
    local: Distance,
    remote: Distance,
    between: Vec<((String, String), Distance)>,
}

const LOCAL: Distance = Distance { min: Nanos(500_000), max: Nanos::from_millis(2) };
const REMOTE: Distance = Distance { min: Nanos::from_millis(50), max: Nanos::from_millis(200) };

impl Default for Distances {
    fn default() -> Self {
        Self { local: LOCAL, remote: REMOTE, between: Vec::new() }
    }
}

impl Distances {
    /// The way from one node to another, or between a node and a client who lives where another node is; none where
    /// nothing is said of regions.
    pub(crate) fn way(&self, regions: &Regions, from: NodeName, to: NodeName) -> Option<Distance> {
        let (from, to) = (regions.of(from)?, regions.of(to)?);
        if from.name == to.name {
            return Some(self.local);
        }
        let (from, to) = (from.name.as_str(), to.name.as_str());
        let said = |((one, other), _): &&((String, String), Distance)| {
            (one == from && other == to) || (one == to && other == from)
        };
        Some(self.between.iter().find(said).map_or(self.remote, |(_, distance)| *distance))
    }

    /// Refuses distances between what is not there.
    pub(crate) fn admit(&self, regions: &Regions) -> Result<(), String> {
        if regions.is_empty() && *self != Self::default() {
            return Err("latency changes nothing here: it needs regions".into());
        }
        let known: Vec<&str> = regions.0.iter().map(|region| region.name.as_str()).collect();
        let named = self.between.iter().flat_map(|((one, other), _)| [one, other]);
        match named.into_iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(crate::names::unknown("region", name, known)),
            None => Ok(()),
        }
    }
}

/// `remote:80ms..120ms+eu-us:40ms..60ms`; what is not said is as it is built in.
impl FromStr for Distances {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut distances = Self::default();
        for part in text.split('+').filter(|part| !part.is_empty()) {
            let (pair, range) = part.split_once(':').ok_or_else(|| no_distance(part))?;
            let distance = parse_distance(range.trim())?;
            match pair.trim().split_once('-') {
                Some((one, other)) => {
                    distances.between.push(((one.to_owned(), other.to_owned()), distance));
                }
                None if pair.trim() == "local" => distances.local = distance,
                None if pair.trim() == "remote" => distances.remote = distance,
                None => return Err(no_distance(part)),
            }
        }
        Ok(distances)
    }
}

fn no_distance(part: &str) -> String {
    format!(
        "{part:?} is no distance; expected local, remote or two regions such as eu-us, and a range: eu-us:40ms..60ms"
    )
}

fn parse_distance(range: &str) -> Result<Distance, String> {
    let (min, max) = range.split_once("..").unwrap_or((range, range));
    let read = |text: &str| duration::parse(text).map_err(|error| error.to_string());
    match (read(min)?, read(max)?) {
        (min, max) if min <= max && max <= Nanos::from_millis(60_000) => Ok(Distance { min, max }),
        _ => Err(format!("{range:?} is no range; expected the shorter time first, and at most 60s")),
    }
}

/// What is not as it is built in.
impl fmt::Display for Distances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |name: &str, Distance { min, max }: Distance| {
            format!("{name}:{}..{}", duration::format(min), duration::format(max))
        };
        let named = [("local", self.local, LOCAL), ("remote", self.remote, REMOTE)];
        let named = named.into_iter().filter(|(_, distance, built_in)| distance != built_in);
        let named = named.map(|(name, distance, _)| shown(name, distance));
        let pairs =
            self.between.iter().map(|((one, other), distance)| shown(&format!("{one}-{other}"), *distance));
        f.write_str(&named.chain(pairs).collect::<Vec<_>>().join("+"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_read_as_they_are_shown_and_found_both_ways() {
        let text = "remote:80ms..120ms+eu-us:40ms..60ms";
        let distances: Distances = text.parse().unwrap();
        assert_eq!(distances.to_string(), text);
        let regions: Regions = "eu:A+B/us:C/asia:D".parse().unwrap();
        let mean = |from: &str, to: &str| {
            let [from, to] = [from, to].map(|name| NodeName::new(name).unwrap());
            distances.way(&regions, from, to).unwrap().mean()
        };
        assert_eq!(mean("A", "B"), Nanos(1_250_000));
        assert_eq!((mean("A", "C"), mean("C", "B")), (Nanos::from_millis(50), Nanos::from_millis(50)));
        assert_eq!(mean("C", "D"), Nanos::from_millis(100));
        assert_eq!(distances.admit(&regions), Ok(()));
    }

    #[test]
    fn what_is_no_distance_says_what_is() {
        let error = |text: &str| text.parse::<Distances>().unwrap_err();
        assert!(error("eu").contains("expected local, remote or two regions"), "{}", error("eu"));
        assert!(error("near:1ms").contains("expected local, remote"));
        assert!(error("local:9ms..1ms").contains("the shorter time first"));
        assert!(error("local:9").contains("unit"));
        let distances: Distances = "eu-uk:1ms".parse().unwrap();
        let flaw = distances.admit(&"eu:A/us:B".parse().unwrap()).unwrap_err();
        assert!(flaw.contains("region") && flaw.contains("uk"), "{flaw}");
        assert!(distances.admit(&Regions::default()).unwrap_err().contains("needs regions"));
    }
}
