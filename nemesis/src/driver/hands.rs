//! The hands: how one effect is done to a live cluster, and undone.

use std::sync::Arc;

use histories::{NodeName, NodeState};
use tokio::time::timeout;

use super::Cluster;
use crate::{Effect, Endpoint, Latency, ProcessState, Supervisor};

const NO_PROCESSES: &str = "the target offers no process control";

impl Cluster {
    /// Does the network effects that no other fault has done yet. Done when this returns.
    pub(super) fn inject_network(&self, effects: &[Effect]) {
        for effect in self.active().network.inject(effects) {
            self.do_network(effect);
        }
    }

    /// Undoes the network effects that no other fault still needs.
    pub(super) fn heal_network(&self, effects: &[Effect]) {
        for effect in self.active().network.heal(effects) {
            self.undo_network(effect);
        }
    }

    fn do_network(&self, effect: &Effect) {
        let Some(mesh) = &self.controls.mesh else { return };
        match effect {
            Effect::Cut { from, to } => mesh.cut(from, to),
            Effect::Slow { from, to, latency_ms, jitter_ms } => {
                mesh.slow(from, to, latency(*latency_ms, *jitter_ms));
            }
            // Nothing else is offered live: `Controls::admit` has refused it.
            _ => {}
        }
    }

    fn undo_network(&self, effect: &Effect) {
        let Some(mesh) = &self.controls.mesh else { return };
        match effect {
            Effect::Cut { from, to } => mesh.restore(from, to),
            Effect::Slow { from, to, .. } => mesh.unslow(from, to),
            // Nothing else is offered live: `Controls::admit` has refused it.
            _ => {}
        }
    }

    /// Kills or pauses, and sees whether it is so; the evidence either way.
    pub(super) async fn inject_process(&self, effect: &Effect) -> Result<String, String> {
        let supervisor = self.controls.supervisor.as_ref().ok_or(NO_PROCESSES)?;
        match effect {
            Effect::Kill { node } => {
                // Noted first: if the run is dropped meanwhile, the node is started again.
                self.active().processes.push(effect.clone());
                let status = supervisor.kill(node).await.map_err(in_words)?;
                self.emit_node(node, NodeState::Down, format!("killed ({status})"));
                Ok(format!("process {node} is gone ({status})"))
            }
            Effect::Pause { node } => {
                self.active().processes.push(effect.clone());
                supervisor.pause(node).await.map_err(in_words)?;
                let evidence = self.is_paused(supervisor, node).await?;
                self.emit_node(node, NodeState::Paused, "stopped");
                Ok(evidence)
            }
            _ => Ok(String::new()),
        }
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

    /// Starts again, or lets go on, and waits until the node answers.
    pub(super) async fn heal_process(&self, effect: &Effect) -> Result<String, String> {
        let supervisor = self.controls.supervisor.as_ref().ok_or(NO_PROCESSES)?;
        let (node, done) = match effect {
            Effect::Kill { node } => (node, supervisor.restart(node).await.map(|_| "restarted")),
            Effect::Pause { node } => (node, supervisor.resume(node).await.map(|()| "goes on")),
            _ => return Ok(String::new()),
        };
        self.active().processes.retain(|active| active != effect);
        let done = done.map_err(in_words)?;
        let patience = self.controls.ready_timeout;
        match timeout(patience, (self.controls.ready)(node.clone())).await {
            Ok(Ok(())) => {
                self.emit_node(node, NodeState::Up, done);
                Ok(format!("process {node} {done} and answers"))
            }
            Ok(Err(reason)) => Err(format!("process {node} {done}, but is not ready: {reason}")),
            Err(_) => {
                Err(format!("process {node} {done}, but does not answer after {} s", patience.as_secs()))
            }
        }
    }

    /// Whether what is active now keeps this node from answering the other end.
    pub(super) fn is_hindered(&self, from: &Endpoint, to: &NodeName) -> bool {
        let there = Endpoint::Node(to.clone());
        let active = self.active();
        let on_link = |effect: &Effect| match effect {
            Effect::Cut { from: source, to: target } | Effect::Slow { from: source, to: target, .. } => {
                (source, target) == (from, &there) || (source, target) == (&there, from)
            }
            _ => false,
        };
        let on_node = |effect: &Effect| match effect {
            Effect::Kill { node } | Effect::Pause { node } => node == to,
            _ => false,
        };
        active.network.effects().any(on_link) || active.processes.iter().any(on_node)
    }

    /// Heals what is left without waiting: for a run that is dropped.
    pub(super) fn heal_now(self: &Arc<Self>) {
        let left = std::mem::take(&mut *self.active());
        for effect in left.network.effects() {
            self.undo_network(effect);
        }
        for effect in left.processes {
            let Some(supervisor) = self.controls.supervisor.clone() else { continue };
            match effect {
                Effect::Pause { node } => drop(supervisor.resume_soon(&node)),
                Effect::Kill { node } => {
                    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                        runtime.spawn(async move { supervisor.restart(&node).await });
                    }
                }
                _ => {}
            }
        }
    }
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
