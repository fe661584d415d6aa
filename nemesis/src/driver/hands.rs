//! The hands: how one effect is done to a live cluster, and undone.

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use histories::{NodeName, NodeState};
use tokio::time::timeout;

use super::Cluster;
use crate::{Effect, Endpoint, Latency, ProcessState, Supervisor};

const NO_PROCESSES: &str = "the target offers no process control";
const NO_CLOCKS: &str = "the target offers no clock control";

impl Cluster {
    /// Does the network effects that no other fault has done yet. Done when this returns.
    pub(super) fn inject_network(&self, effects: &[Effect]) {
        for effect in self.active().network.inject(effects) {
            self.set_link(effect, true);
        }
    }

    /// Undoes the network effects that no other fault still needs.
    pub(super) fn heal_network(&self, effects: &[Effect]) {
        for effect in self.active().network.heal(effects) {
            self.set_link(effect, false);
        }
    }

    /// Does what is on, and undoes what is not.
    fn set_link(&self, effect: &Effect, on: bool) {
        let Some(mesh) = &self.controls.mesh else { return };
        match effect {
            Effect::Cut { from, to } if on => mesh.cut(from, to),
            Effect::Cut { from, to } => mesh.restore(from, to),
            Effect::Slow { from, to, latency_ms, jitter_ms } if on => {
                mesh.slow(from, to, latency(*latency_ms, *jitter_ms));
            }
            Effect::Slow { from, to, .. } => mesh.unslow(from, to),
            // A clog is done as cuts, one after another. The others are not offered.
            Effect::Clog { .. }
            | Effect::Lose { .. }
            | Effect::Duplicate { .. }
            | Effect::Reorder { .. }
            | Effect::Kill { .. }
            | Effect::Pause { .. }
            | Effect::Wipe { .. }
            | Effect::Disk { .. }
            | Effect::LoseAnswers { .. }
            | Effect::Clock { .. } => {}
        }
    }

    /// Does something to a node, and sees whether it is so; the evidence either way.
    pub(super) async fn inject_node(&self, effect: &Effect) -> Result<String, String> {
        let supervisor = || self.controls.supervisor.as_ref().ok_or(NO_PROCESSES);
        // Noted first: if the run is dropped meanwhile, it is undone.
        let note = || self.active().nodes.push(effect.clone());
        match effect {
            Effect::Kill { node } => {
                let supervisor = supervisor()?;
                note();
                self.kill(supervisor, node).await
            }
            Effect::Wipe { node } => {
                let (supervisor, folder) = (supervisor()?, self.controls.data.get(node));
                let folder = folder.ok_or_else(|| format!("nobody knows where {node} keeps its data"))?;
                note();
                let gone = self.kill(supervisor, node).await?;
                let bytes =
                    wipe(folder).map_err(|error| format!("{gone}, but its data is there: {error}"))?;
                Ok(format!("{gone}; {bytes} bytes deleted"))
            }
            Effect::Pause { node } => {
                let supervisor = supervisor()?;
                note();
                supervisor.pause(node).await.map_err(in_words)?;
                let evidence = self.is_paused(supervisor, node).await?;
                self.emit_node(node, NodeState::Paused, "stopped");
                Ok(evidence)
            }
            Effect::Clock { node, .. } => {
                let clocks = self.controls.clocks.as_ref().ok_or(NO_CLOCKS)?;
                note();
                clocks(node.clone(), Some(effect.clone())).await
            }
            Effect::LoseAnswers { node, of, every } => {
                self.controls.answers.begin(node, *of, *every);
                Ok(String::new())
            }
            Effect::Disk { .. } => Err("the target offers no disk control".to_owned()),
            Effect::Cut { .. }
            | Effect::Slow { .. }
            | Effect::Clog { .. }
            | Effect::Lose { .. }
            | Effect::Duplicate { .. }
            | Effect::Reorder { .. } => Ok(String::new()),
        }
    }

    async fn kill(&self, supervisor: &Supervisor, node: &NodeName) -> Result<String, String> {
        let status = supervisor.kill(node).await.map_err(in_words)?;
        self.emit_node(node, NodeState::Down, format!("killed ({status})"));
        Ok(format!("process {node} is gone ({status})"))
    }

    async fn is_paused(&self, supervisor: &Supervisor, node: &NodeName) -> Result<String, String> {
        if let Some(state @ ProcessState::Exited(_)) = supervisor.state(node) {
            return Err(format!("process {node} is {state}"));
        }
        match supervisor.is_stopped(node) {
            Some(true) => Ok(format!("process {node} is stopped")),
            Some(false) => Err(format!("process {node} still runs")),
            None => self.is_mute(node).await,
        }
    }

    /// Where the system does not say, a paused node shows by its silence.
    async fn is_mute(&self, node: &NodeName) -> Result<String, String> {
        let patience = std::time::Duration::from_millis(250);
        let address = self.controls.mesh.as_ref().and_then(|mesh| mesh.address(&Endpoint::Clients, node));
        let address = address.ok_or_else(|| format!("nothing tells whether {node} is stopped"))?;
        match crate::verify::answer(address, patience).await {
            None => Ok(format!("{node} did not answer for {} ms", patience.as_millis())),
            Some(_) => Err(format!("{node} still answers")),
        }
    }

    /// Undoes it: starts again, lets go on, and waits until the node answers, or sets its clock right.
    pub(super) async fn heal_node(&self, effect: &Effect) -> Result<String, String> {
        let supervisor = || self.controls.supervisor.as_ref().ok_or(NO_PROCESSES);
        let done = match effect {
            Effect::Kill { node } => supervisor()?.restart(node).await.map(|_| "restarted"),
            Effect::Wipe { node } => supervisor()?.restart(node).await.map(|_| "restarted, empty,"),
            Effect::Pause { node } => supervisor()?.resume(node).await.map(|()| "goes on"),
            Effect::Clock { node, .. } => {
                self.active().nodes.retain(|active| active != effect);
                return self.set_clock(node, None).await;
            }
            Effect::LoseAnswers { node, .. } => {
                self.controls.answers.end(node);
                return Ok(format!("every answer of {node} is heard again"));
            }
            Effect::Disk { .. }
            | Effect::Cut { .. }
            | Effect::Slow { .. }
            | Effect::Clog { .. }
            | Effect::Lose { .. }
            | Effect::Duplicate { .. }
            | Effect::Reorder { .. } => return Ok(String::new()),
        };
        self.active().nodes.retain(|active| active != effect);
        let (done, Some(node)) = (done.map_err(in_words)?, effect.node()) else { return Ok(String::new()) };
        let patience = self.controls.ready_timeout;
        match timeout(patience, (self.controls.ready)(node.clone())).await {
            Ok(Ok(())) => {
                self.emit_node(&node, NodeState::Up, done.trim_end_matches(','));
                self.set_clock_again(&node).await?;
                Ok(format!("process {node} {done} and answers"))
            }
            Ok(Err(reason)) => Err(format!("process {node} {done}, but is not ready: {reason}")),
            Err(_) => {
                Err(format!("process {node} {done}, but does not answer after {} s", patience.as_secs()))
            }
        }
    }

    /// A node whose process is gone has no wrong clock: it starts with the right one.
    async fn set_clock(&self, node: &NodeName, wrong: Option<Effect>) -> Result<String, String> {
        let gone = |supervisor: &Supervisor| matches!(supervisor.state(node), Some(ProcessState::Exited(_)));
        if self.controls.supervisor.as_ref().is_some_and(gone) {
            return Ok(format!("process {node} is gone, and its clock with it"));
        }
        let clocks = self.controls.clocks.as_ref().ok_or(NO_CLOCKS)?;
        clocks(node.clone(), wrong).await
    }

    /// A restarted process shows the right time; a fault may still want it wrong.
    async fn set_clock_again(&self, node: &NodeName) -> Result<(), String> {
        let is_clock =
            |effect: &&Effect| matches!(effect, Effect::Clock { node: other, .. } if other == node);
        let wrong = self.active().nodes.iter().find(is_clock).cloned();
        match wrong {
            Some(wrong) => self.set_clock(node, Some(wrong)).await.map(drop),
            None => Ok(()),
        }
    }

    /// Whether what is active now keeps this node from answering the other end.
    pub(super) fn is_hindered(&self, from: &Endpoint, to: &NodeName) -> bool {
        let there = Endpoint::Node(to.clone());
        let active = self.active();
        let on_link = |effect: &Effect| {
            effect.link().is_some_and(|(source, target)| {
                (&source, &target) == (from, &there) || (&source, &target) == (&there, from)
            })
        };
        let on_node = |effect: &Effect| effect.needs_process() && effect.node().as_ref() == Some(to);
        active.network.effects().any(on_link) || active.nodes.iter().any(on_node)
    }

    /// Heals what is left without waiting: for a run that is dropped.
    pub(super) fn heal_now(self: &Arc<Self>) {
        let left = std::mem::take(&mut *self.active());
        for effect in left.network.effects() {
            self.set_link(effect, false);
        }
        let runtime = tokio::runtime::Handle::try_current();
        for effect in left.nodes {
            if let (Effect::Pause { node }, Some(supervisor)) = (&effect, &self.controls.supervisor) {
                drop(supervisor.resume_soon(node));
            } else if let Ok(runtime) = &runtime {
                let cluster = Arc::clone(self);
                runtime.spawn(async move { cluster.heal_node(&effect).await });
            }
        }
    }
}

/// Deletes what is in the folder; says how many bytes that were.
fn wipe(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    fs::remove_dir_all(folder)?;
    fs::create_dir_all(folder)?;
    Ok(bytes)
}

fn latency(latency_ms: u64, jitter_ms: u64) -> Latency {
    let millis = std::time::Duration::from_millis;
    Latency { mean: millis(latency_ms), jitter: millis(jitter_ms) }
}

/// An error with its causes.
fn in_words(error: crate::Error) -> String {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}
