//! Golden stories: `scripts/*.txt` hold commands above `---` and everything that then happened below.
//!
//! `UPDATE_EXPECT=1 cargo test -p reference-db scripts` writes what happens now; review it in the diff.

use std::path::{Path, PathBuf};

use crate::cluster::Cluster;
use reference_db::clock::DotSet;
use reference_db::request::{Reading, Session, SyncState};
use reference_db::topology::Relink;
use reference_db::{
    Action, Ask, Condition, Consistency, Datum, Key, Nanos, NodeName, NodeSettings, Response, Setting, Step,
    Ticket,
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
    let mut story = Story {
        cluster: None,
        context: None,
        session: None,
        asked: Vec::new(),
        tells_acks: false,
        told: String::new(),
    };
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
    /// In which everything is asked, if there is one.
    session: Option<Session>,
    /// Requests that were asked and not waited for.
    asked: Vec<Ticket>,
    /// True in stories of which the cluster says who acknowledges.
    tells_acks: bool,
    told: String,
}

impl Story {
    fn command(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["cluster", rest @ ..] = words.as_slice() {
            self.tells_acks = rest.iter().any(|word| word.starts_with("ack="));
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
            ["far", delay] => cluster.far(span(delay)),
            ["heal"] => cluster.heal(),
            ["tick", time] => cluster.pass(span(time)),
            ["crash", node] => cluster.crash(name(node)),
            ["wipe", node] => cluster.wipe(name(node)),
            ["restart", node] => cluster.restart(name(node)),
            ["settle"] => {
                return vec![if cluster.settle() { "all equal" } else { "still different" }.to_owned()];
            }
            ["state"] => return self.state(),
            ["session"] => self.session = Some(Session::default()),
            ["session", "over"] => self.session = None,
            ["leader", node] => return vec![leader(cluster, name(node))],
            ["discarded", node] => {
                let response = cluster.answer(name(node), Ask::Discarded, Consistency::Local);
                return vec![response.map_or("no answer".to_owned(), |response| self.show(response))];
            }
            ["promote", node, force @ ..] => {
                let ask = Ask::Promote { force: force == ["force"] };
                let response = cluster.answer(name(node), ask, Consistency::Local);
                return vec![response.map_or("no answer".to_owned(), |response| self.show(response))];
            }
            ["layout", node] => return vec![layout(cluster, name(node))],
            ["relink", node, change @ ..] => {
                let response = cluster.answer(name(node), Ask::Relink(relink(change)), Consistency::Local);
                return vec![response.map_or("no answer".to_owned(), |response| self.show(response))];
            }
            ["replication", node] => return vec![replication(cluster, name(node))],
            ["ask", ..] => {
                let (node, ask, consistency) = self.understand(&line[4..]);
                let ticket = self.cluster.as_mut().unwrap().ask(node, ask, consistency);
                self.asked.push(ticket);
            }
            ["answers"] => return self.answers(),
            _ => return vec![self.request(line)],
        }
        Vec::new()
    }

    /// Asks and waits for the answer.
    fn request(&mut self, line: &str) -> String {
        let (node, ask, consistency) = self.understand(line);
        let cluster = self.cluster.as_mut().unwrap();
        cluster.session = self.session.clone();
        match cluster.answer(node, ask, consistency) {
            None => "no answer".to_owned(),
            Some(response) => self.show(response),
        }
    }

    /// What has come meanwhile of what was asked and not waited for.
    fn answers(&mut self) -> Vec<String> {
        let asked = std::mem::take(&mut self.asked);
        let mut replies = self.cluster.as_mut().unwrap().take_replies();
        let answers = asked.into_iter().map(|ticket| match replies.remove(&ticket) {
            None => "no answer yet".to_owned(),
            Some(response) => self.show(response),
        });
        answers.collect()
    }

    fn understand(&self, line: &str) -> (NodeName, Ask, Consistency) {
        let (line, with_context) = match line.strip_suffix(" with context") {
            Some(line) => (line, true),
            None => (line, false),
        };
        let (line, consistency) = match line.strip_suffix(" local") {
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
        (name(node), ask, consistency)
    }

    fn show(&mut self, response: Response) -> String {
        match response {
            Response::Read { reading, context } => {
                self.context = Some(context);
                shown(&reading)
            }
            Response::Written { dot, context, acked_by } => {
                self.context = Some(context);
                format!("ok {dot}{}", self.acked_by(&acked_by))
            }
            Response::Committed { dot, readings, acked_by } => {
                let readings: Vec<String> = readings.iter().flatten().map(shown).collect();
                let dot = dot.map_or("nothing".to_owned(), |dot| dot.to_string());
                format!("committed {dot}{}; read [{}]", self.acked_by(&acked_by), readings.join("; "))
            }
            Response::Refused(refusal) => format!("{}: {refusal}", refusal.outcome().name()),
            Response::InSession { seen, response } => {
                if let Some(session) = &mut self.session {
                    session.seen = seen;
                }
                self.show(*response)
            }
            Response::Layout { layout, .. } => format!("epoch {}", layout.epoch),
            Response::Discarded(events) => {
                let dots: Vec<String> = events.iter().map(|event| event.dot.to_string()).collect();
                format!("discarded [{}]", dots.join(" "))
            }
            Response::Keys(_) | Response::Digest(_) | Response::Status(_) => unreachable!(),
        }
    }

    /// Who has it, in stories about just that.
    fn acked_by(&self, nodes: &[NodeName]) -> String {
        if !self.tells_acks {
            return String::new();
        }
        let names: Vec<&str> = nodes.iter().map(NodeName::as_str).collect();
        format!(", acked by {}", names.join(" "))
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

/// Who leads, as far as a node knows.
fn leader(cluster: &Cluster, name: NodeName) -> String {
    let Some(node) = cluster.node(name) else { return format!("{name} is down") };
    let status = node.status();
    let leader = status.leader.map_or("everyone".to_owned(), |leader| leader.to_string());
    format!("{name} term {}, {leader} leads", status.term)
}

/// By which layout a node goes.
fn layout(cluster: &Cluster, name: NodeName) -> String {
    let Some(node) = cluster.node(name) else { return format!("{name} is down") };
    let status = node.status();
    let downstream = status.peers.iter().filter(|peer| peer.downstream).map(|peer| peer.node.as_str());
    let to = downstream.collect::<Vec<_>>().join(" ");
    let aside = if status.included { "" } else { ", stands aside" };
    format!("{name} epoch {}, {}, sends to [{to}]{aside}", status.epoch, status.topology)
}

/// `topology=ring nodes=A+C`, `links=A-C`
fn relink(words: &[&str]) -> Relink {
    let mut change = Relink::default();
    for word in words {
        match word.split_once('=').expect("a change is NAME=VALUE") {
            ("topology", topology) => change.topology = Some(topology.parse().unwrap()),
            ("links", links) => change.links = Some(links.parse().unwrap()),
            ("nodes", nodes) => change.nodes = Some(nodes.split('+').map(name).collect()),
            (other, _) => panic!("there is no {other:?} to change"),
        }
    }
    change
}

/// What a node says of its replication.
fn replication(cluster: &Cluster, name: NodeName) -> String {
    let Some(status) = cluster.node(name).map(|node| node.status()) else { return format!("{name} is down") };
    let state = match status.state {
        SyncState::CatchingUp => "catching up",
        SyncState::InSync => "in sync",
    };
    let peers = status.peers.iter().map(|peer| {
        let removed = if peer.counted { "" } else { ", removed" };
        format!("; {} lacks {}{removed}", peer.node, peer.lag)
    });
    let degraded = if status.degraded { ", degraded" } else { "" };
    format!("{name} {state}, ack {}{degraded}{}", status.ack, peers.collect::<String>())
}

/// `lww ring causal A B C [setting=value ...] [defect ...]`
fn found(words: &[&str]) -> Cluster {
    let [mode, topology, delivery, rest @ ..] = words else {
        panic!("a cluster has a mode, topology and delivery")
    };
    let members = rest.iter().filter(|word| word.len() == 1).map(|word| name(word)).collect::<Vec<_>>();
    let named = rest.iter().filter_map(|word| word.split_once('='));
    let bare = rest.iter().filter(|word| !word.contains('='));
    let defects = bare.filter(|word| word.len() > 1).map(|word| word.parse().unwrap()).collect();
    let mut settings = NodeSettings::new(members[0], members.clone());
    settings.cluster.defects = defects;
    for (name, value) in
        [("mode", *mode), ("topology", *topology), ("delivery", *delivery)].into_iter().chain(named)
    {
        let setting = Setting::named(name).unwrap_or_else(|| panic!("there is no setting {name:?}"));
        setting.set(&mut settings.cluster, value).unwrap();
    }
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
