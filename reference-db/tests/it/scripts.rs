//! Golden stories: `scripts/*.txt` hold commands above `---` and everything that then happened below.
//!
//! `UPDATE_EXPECT=1 cargo test -p reference-db scripts` writes what happens now; review it in the diff.

use std::path::{Path, PathBuf};

use crate::cluster::Cluster;
use reference_db::clock::DotSet;
use reference_db::request::Reading;
use reference_db::{
    Action, Ask, Condition, Consistency, Datum, Key, Nanos, NodeName, NodeSettings, Response, Step,
};

#[test]
fn stories_go_as_they_are_told() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let entries = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let commands = text.split("\n---\n").next().unwrap().trim_end();
        let told = format!("{commands}\n---\n{}", play(commands));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, told).unwrap();
        } else {
            assert_eq!(text, told, "{} goes differently: run with UPDATE_EXPECT=1", path.display());
        }
    }
}

fn play(commands: &str) -> String {
    let mut story = Story { cluster: None, context: None, told: String::new() };
    for line in commands.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let said = story.command(line);
        story.told += line;
        story.told += "\n";
        let trace =
            story.cluster.as_mut().map(|cluster| std::mem::take(&mut cluster.trace)).unwrap_or_default();
        for line in trace.into_iter().chain(said) {
            story.told += &format!("  {}\n", line.trim_start());
        }
    }
    story.told
}

struct Story {
    cluster: Option<Cluster>,
    /// Of the last read or write.
    context: Option<DotSet>,
    told: String,
}

impl Story {
    fn command(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["cluster", rest @ ..] = words.as_slice() {
            self.cluster = Some(found(rest));
            return Vec::new();
        }
        let cluster = self.cluster.as_mut().expect("a story begins with its cluster");
        match words.as_slice() {
            ["cut", from, "to", to] => cluster.cut(name(from), name(to)),
            ["cut", one, other] => {
                cluster.cut(name(one), name(other));
                cluster.cut(name(other), name(one));
            }
            ["slow", from, to, delay] => cluster.slow(name(from), name(to), span(delay)),
            ["heal"] => cluster.heal(),
            ["tick", time] => cluster.pass(span(time)),
            ["crash", node] => cluster.crash(name(node)),
            ["wipe", node] => cluster.wipe(name(node)),
            ["restart", node] => cluster.restart(name(node)),
            ["settle"] => {
                return vec![if cluster.settle() { "all equal" } else { "still different" }.to_owned()];
            }
            ["state"] => return self.state(),
            _ => return vec![self.request(line)],
        }
        Vec::new()
    }

    fn request(&mut self, line: &str) -> String {
        let (line, with_context) = match line.strip_suffix(" with context") {
            Some(line) => (line, true),
            None => (line, false),
        };
        let (line, local) = match line.strip_suffix(" local") {
            Some(line) => (line, Consistency::Local),
            None => (line, Consistency::Default),
        };
        let (verb, rest) = line.split_once(' ').unwrap();
        let (node, rest) = rest.split_once(' ').unwrap();
        let ask = match verb {
            "txn" => Ask::Transaction(rest.split(';').map(|part| step(part.trim())).collect()),
            _ => Ask::Single(Step {
                context: if with_context { self.context.clone() } else { None },
                ..step(&format!("{verb} {rest}"))
            }),
        };
        match self.cluster.as_mut().unwrap().answer(name(node), ask, local) {
            None => "no answer".to_owned(),
            Some(response) => self.show(response),
        }
    }

    fn show(&mut self, response: Response) -> String {
        match response {
            Response::Read { reading, context } => {
                self.context = Some(context);
                shown(&reading)
            }
            Response::Written { dot, context } => {
                self.context = Some(context);
                format!("ok {dot}")
            }
            Response::Committed { dot, readings } => {
                let readings: Vec<String> = readings.iter().flatten().map(shown).collect();
                let dot = dot.map_or("nothing".to_owned(), |dot| dot.to_string());
                format!("committed {dot}; read [{}]", readings.join("; "))
            }
            Response::Refused(refusal) => format!("{}: {refusal}", refusal.outcome().name()),
            Response::Keys(_) | Response::Digest(_) | Response::Status(_) => unreachable!(),
        }
    }

    fn state(&mut self) -> Vec<String> {
        let cluster = self.cluster.as_mut().unwrap();
        let members = cluster.settings.members.clone();
        let describe = |name: NodeName| {
            let Some(applied) = cluster.node(name).map(|node| node.digest().applied) else {
                return format!("{name} is down");
            };
            let contents = cluster.contents(name);
            let keys: Vec<String> =
                contents.iter().map(|(key, held)| format!("{key} = {}", shown(held))).collect();
            format!("{name} {applied} {}", keys.join(", "))
        };
        members.into_iter().map(describe).collect()
    }
}

/// `lww ring causal A B C [defect ...]`
fn found(words: &[&str]) -> Cluster {
    let [mode, topology, delivery, rest @ ..] = words else {
        panic!("a cluster has a mode, topology and delivery")
    };
    let members = rest.iter().filter(|word| word.len() == 1).map(|word| name(word)).collect::<Vec<_>>();
    let tombstones = rest.iter().find_map(|word| word.strip_prefix("tombstones=")).map(span);
    let rest = rest.iter().filter(|word| !word.contains('='));
    let defects = rest.filter(|word| word.len() > 1).map(|word| word.parse().unwrap()).collect();
    let settings = NodeSettings {
        mode: mode.parse().unwrap(),
        topology: topology.parse().unwrap(),
        delivery: delivery.parse().unwrap(),
        defects,
        tombstones: tombstones.unwrap_or_default(),
        ..NodeSettings::new(members[0], members.clone())
    };
    let mut cluster = Cluster::new(settings, 1);
    // Everyone has heard of everyone.
    cluster.pass(Nanos::from_millis(10));
    cluster
}

fn step(text: &str) -> Step {
    let words: Vec<&str> = text.split_whitespace().collect();
    let datum = |text: &str| Datum::parse(text).unwrap();
    let (key, action) = match words.as_slice() {
        ["get" | "read", key] => (key, Action::Read),
        ["put" | "write", key, value, ..] => (key, Action::Write { value: datum(value) }),
        ["delete", key, ..] => (key, Action::Delete),
        ["append", key, value] => (key, Action::Append { value: datum(value) }),
        ["increment", key, by] => (key, Action::Increment { by: by.parse().unwrap() }),
        ["add", key, value] => (key, Action::Add { value: datum(value) }),
        ["remove", key, value] => (key, Action::Remove { value: datum(value) }),
        ["cas", key, from, to] => (key, Action::Cas { from: datum(from), to: datum(to) }),
        _ => panic!("{text:?} is no command"),
    };
    let condition = match words.as_slice() {
        [.., "if-absent"] => Condition::Absent,
        [.., "if-match", version] => Condition::Versions(vec![version.parse().unwrap()]),
        _ => Condition::Always,
    };
    Step { condition, ..Step::new(Key::from(*key), action) }
}

fn shown(reading: &Reading) -> String {
    match reading {
        Reading::Absent => "absent".to_owned(),
        Reading::One { value, version: Some(version) } => format!("{value} ({version})"),
        Reading::One { value, version: None } => value.to_string(),
        Reading::Siblings(siblings) => {
            let each = siblings.iter().map(|sibling| format!("{} ({})", sibling.value, sibling.version));
            format!("siblings {}", each.collect::<Vec<_>>().join(" | "))
        }
    }
}

fn name(text: &str) -> NodeName {
    NodeName::new(text).unwrap()
}

fn span(text: &str) -> Nanos {
    Nanos::from_millis(text.strip_suffix("ms").unwrap().parse().unwrap())
}
