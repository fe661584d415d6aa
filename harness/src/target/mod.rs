//! Targets: what is tested. A target that runs gives clients for its nodes, and whatever control
//! the harness has over it.

use std::fmt;
use std::str::FromStr;

use reference_db::{
    ClusterSettings, Defect, Mode, NodeConfig, NodeSettings, SETTINGS, Setting, SettingError, Timing,
};

use crate::names;

mod cluster;
mod distance;
pub(crate) mod processes;

pub(crate) use cluster::{Cluster, Hands, Power, Replicas};
pub(crate) use distance::{Distance, Distances};

/// What a plan says of its target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TargetSpec {
    /// The bundled database, as processes of its own.
    Reference(Box<ReferenceSpec>),
    /// A single copy in memory: what every guarantee must hold on.
    Control,
    /// A store that runs already and speaks the reference API, one URL a node.
    Urls(Vec<String>),
}

/// A cluster of the bundled database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReferenceSpec {
    /// How many nodes, 1 to 26: they are named by letters.
    pub(crate) nodes: u32,
    /// What they are all told.
    pub(crate) cluster: ClusterSettings,
    /// How far their regions are from each other.
    pub(crate) latency: Distances,
}

impl ReferenceSpec {
    /// What one of its nodes is told of itself and its cluster; refused where the settings do not fit together.
    pub(crate) fn node(&self, nodes: &[histories::NodeName], index: usize) -> Result<NodeConfig, String> {
        let name = |node: &histories::NodeName| reference_db::NodeName::new(node.as_str());
        let members: Vec<_> =
            nodes.iter().map(name).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        let cluster = self.cluster.clone();
        let timing = Timing::of(&cluster);
        NodeConfig::new(NodeSettings { cluster, timing, ..NodeSettings::new(members[index], members) })
            .map_err(|error| error.to_string())
    }

    /// How long a message is on its way between two nodes, or between a node and a client who lives where another is;
    /// none where nothing is said of regions.
    pub(crate) fn distance(&self, from: &histories::NodeName, to: &histories::NodeName) -> Option<Distance> {
        let name = |node: &histories::NodeName| reference_db::NodeName::new(node.as_str()).ok();
        self.latency.way(&self.cluster.regions, name(from)?, name(to)?)
    }

    /// True unless the node is there for something else than data.
    pub(crate) fn holds_data(&self, node: &histories::NodeName) -> bool {
        let none = self.cluster.witnesses.iter().chain(&self.cluster.routers);
        !none.into_iter().any(|other| other.as_str() == node.as_str())
    }

    /// Every setting that is not as it is built in, by name.
    fn said(&self) -> impl Iterator<Item = (&'static str, String)> {
        let built_in = ClusterSettings::default();
        SETTINGS.iter().filter(|setting| setting.name != "mode").filter_map(move |setting| {
            let value =
                setting.show(&self.cluster).filter(|value| setting.show(&built_in).as_ref() != Some(value));
            value.map(|value| (setting.name, value))
        })
    }

    /// `,defects=forget-tombstones+no-tie-break`, or nothing.
    fn defects_suffix(&self) -> String {
        let names: Vec<&str> = self.cluster.defects.iter().map(Defect::name).collect();
        if names.is_empty() { String::new() } else { format!(",defects={}", names.join("+")) }
    }
}

impl std::ops::Deref for ReferenceSpec {
    type Target = ClusterSettings;

    fn deref(&self) -> &ClusterSettings {
        &self.cluster
    }
}

impl std::ops::DerefMut for ReferenceSpec {
    fn deref_mut(&mut self) -> &mut ClusterSettings {
        &mut self.cluster
    }
}

impl Default for TargetSpec {
    fn default() -> Self {
        Self::reference(Mode::Lww)
    }
}

impl TargetSpec {
    /// Three nodes in this mode.
    pub(crate) fn reference(mode: Mode) -> Self {
        Self::Reference(Box::new(ReferenceSpec {
            nodes: 3,
            cluster: ClusterSettings { mode, ..ClusterSettings::default() },
            latency: Distances::default(),
        }))
    }

    /// What the header of a history and reports call it. No planted bug goes unsaid.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Reference(spec) => format!("reference:{}{}", spec.mode, spec.defects_suffix()),
            Self::Control | Self::Urls(_) => self.to_string(),
        }
    }

    pub(crate) fn set_mode(&mut self, name: &str) -> Result<(), String> {
        let mode = parse_mode(name)?;
        match self {
            Self::Reference(spec) => spec.mode = mode,
            Self::Control | Self::Urls(_) => *self = Self::reference(mode),
        }
        Ok(())
    }

    pub(crate) fn set_nodes(&mut self, nodes: u32) -> Result<(), String> {
        self.spec_mut()?.nodes = nodes;
        Ok(())
    }

    /// Takes a setting of the bundled database by its name, such as `topology`.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        // The mode is said by the target's own name.
        let mut known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        known.retain(|known| *known != "mode");
        if name == "latency" {
            self.spec_mut()?.latency = value.parse()?;
            return Ok(());
        }
        match Setting::named(name).filter(|setting| known.contains(&setting.name)) {
            Some(setting) => setting.set(&mut self.spec_mut()?.cluster, value).map_err(explained),
            None => Err(names::unknown(
                "setting of a target",
                name,
                known.into_iter().chain(["latency", "nodes"]),
            )),
        }
    }

    /// Refuses settings that do not fit together, such as a planted bug that could never bite.
    pub(crate) fn admit(&self) -> Result<(), String> {
        match self {
            Self::Reference(spec) => {
                spec.node(&self.nodes(), 0)?;
                spec.latency.admit(&spec.cluster.regions)
            }
            Self::Control | Self::Urls(_) => Ok(()),
        }
    }

    fn spec_mut(&mut self) -> Result<&mut ReferenceSpec, String> {
        match self {
            Self::Reference(spec) => Ok(spec),
            other => Err(format!("only reference:MODE has this setting, and the target is {other}")),
        }
    }
}

fn parse_mode(name: &str) -> Result<Mode, String> {
    let known = Mode::ALL.iter().map(|mode| mode.name());
    name.parse().map_err(|_| names::unknown("mode of the bundled database", name, known))
}

/// Names that do not exist are answered with the nearest, as everywhere.
fn explained(error: SettingError) -> String {
    match error {
        SettingError::Unknown(unknown) => {
            names::unknown(unknown.kind, &unknown.given, unknown.choices.split(", "))
        }
        SettingError::Count { .. }
        | SettingError::Duration(_)
        | SettingError::Graph(_)
        | SettingError::Name(_)
        | SettingError::Region(_)
        | SettingError::Suspicion { .. } => error.to_string(),
    }
}

/// `reference:lww`, `reference:lww,nodes=5,topology=ring,delivery=fifo,defects=no-tie-break+forget-tombstones`,
/// `control`, or URLs with commas between them.
impl FromStr for TargetSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("reference:") {
            return parse_reference(rest);
        }
        if text == "control" {
            return Ok(Self::Control);
        }
        if text.starts_with("http://") {
            return text.split(',').map(parse_url).collect::<Result<_, _>>().map(Self::Urls);
        }
        if text.starts_with("https://") {
            return Err(format!("{text:?}: TLS is not spoken here; give the store's http:// address"));
        }
        Err(format!(
            "no target {text:?}; expected reference:MODE (such as reference:lww), control, \
             or the URLs of a store that speaks the reference API (such as http://127.0.0.1:8080)"
        ))
    }
}

fn parse_reference(text: &str) -> Result<TargetSpec, String> {
    let mut parts = text.split(',');
    let mut target = TargetSpec::reference(parse_mode(parts.next().unwrap_or_default())?);
    for part in parts {
        match part.split_once('=') {
            Some(("nodes", nodes)) => {
                let nodes = nodes.parse().ok().filter(|nodes| (1..=26).contains(nodes));
                target.set_nodes(nodes.ok_or("nodes: expected a whole number from 1 to 26")?)?;
            }
            Some((name, value)) => target.set(name, value)?,
            None => target.set(part, "")?,
        }
    }
    Ok(target)
}

fn parse_url(text: &str) -> Result<String, String> {
    let url = text.trim().trim_end_matches('/');
    match reqwest::Url::parse(url) {
        Ok(parsed) if parsed.scheme() == "http" && parsed.host_str().is_some() => Ok(url.to_string()),
        Ok(_) => Err(format!("{url:?} is no http:// address")),
        Err(error) => Err(format!("{url:?}: {error}; expected an address such as http://127.0.0.1:8080")),
    }
}

impl fmt::Display for TargetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Control => f.write_str("control"),
            Self::Urls(urls) => f.write_str(&urls.join(",")),
            Self::Reference(spec) => {
                write!(f, "reference:{}", spec.mode)?;
                if spec.nodes != 3 {
                    write!(f, ",nodes={}", spec.nodes)?;
                }
                spec.said().try_for_each(|(name, value)| write!(f, ",{name}={value}"))?;
                let latency = spec.latency.to_string();
                if latency.is_empty() { Ok(()) } else { write!(f, ",latency={latency}") }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_survive_a_round_trip_as_text() {
        for text in [
            "reference:lww",
            "reference:siblings,nodes=5,delivery=fifo,topology=ring",
            "reference:single-leader,ack=semi-sync,ack-timeout=500ms,on-ack-timeout=block",
            "reference:lww,nodes=5,defects=forget-tombstones+no-tie-break",
            "reference:crdt,tombstones=1500ms",
            "reference:lww,regions=eu:A+B/us:C,topology=two-tier,latency=eu-us:40ms..60ms",
            "control",
            "http://a:1,http://b:2",
        ] {
            assert_eq!(text.parse::<TargetSpec>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn no_planted_bug_goes_unsaid_and_none_is_toothless() {
        let target = |text: &str| text.parse::<TargetSpec>().unwrap();
        assert_eq!(target("reference:crdt,nodes=5").label(), "reference:crdt");
        let planted = target("reference:lww,nodes=5,defects=no-tie-break");
        assert_eq!(planted.label(), "reference:lww,defects=no-tie-break");
        assert_eq!(planted.admit(), Ok(()));
        assert_eq!(
            target("reference:siblings,defects=no-tie-break").admit().unwrap_err(),
            "defect no-tie-break changes nothing here: it needs a mode that compares clocks"
        );
    }

    #[test]
    fn a_target_that_does_not_exist_is_answered_with_the_nearest() {
        let flaw = |text: &str| text.parse::<TargetSpec>().unwrap_err();
        assert!(
            flaw("reference:sibling").contains("did you mean siblings?"),
            "{}",
            flaw("reference:sibling")
        );
        assert!(
            flaw("reference:lww,defects=no-tie").contains("did you mean no-tie-break?"),
            "{}",
            flaw("reference:lww,defects=no-tie")
        );
        assert!(flaw("lww").contains("expected reference:MODE"));
        assert!(flaw("https://a").contains("http://"));
    }
}
