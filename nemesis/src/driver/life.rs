//! The life of one fault: wait, control, inject, verify, wait, heal, verify.

use std::sync::Arc;
use std::time::Duration;

use histories::FaultStage;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinSet;

use super::Cluster;
use crate::effect::Target;
use crate::verify::NetworkCheck;
use crate::{Action, Effect, PlannedFault};

/// What became of one fault.
pub(super) struct End {
    /// Nothing if it never began.
    pub(super) effective: Option<bool>,
    pub(super) healed_early: Option<String>,
    pub(super) unhealed: Option<String>,
}

pub(super) async fn live(cluster: Arc<Cluster>, fault: PlannedFault) -> End {
    cluster.wait_until(fault.at).await;
    let _claimed = claim(&cluster, &fault).await;
    if cluster.is_stopped() {
        return End { effective: None, healed_early: None, unhealed: None };
    }
    let (network, processes) = split(&fault.effects);
    let mut check = match &cluster.controls.mesh {
        Some(mesh) if !network.is_empty() => Some(NetworkCheck::control(mesh, &network).await),
        Some(_) | None => None,
    };
    cluster.emit_fault(&fault, FaultStage::Injecting, fault.at, String::new());
    cluster.inject_network(&network);
    let evidence = verified(&cluster, &fault, check.as_mut(), &processes).await;
    let effective = evidence.is_ok();
    let stage = if effective { FaultStage::Effective } else { FaultStage::Ineffective };
    cluster.emit_fault(&fault, stage, fault.at, evidence.unwrap_or_else(|reason| reason));

    let in_force = come_and_go(&cluster, &fault, &network).await;
    let early = cluster.is_stopped() && (cluster.now)() < fault.end();
    cluster.emit_fault(&fault, FaultStage::Healing, fault.end(), String::new());
    if in_force {
        cluster.heal_network(&network);
    }
    let healed = healed(&cluster, check.as_ref(), &processes).await;
    let name = fault.title();
    let unhealed = healed.as_ref().err().map(|reason| format!("{name}: {reason}"));
    let detail = healed.unwrap_or_else(|reason| format!("not seen to be gone: {reason}"));
    cluster.emit_fault(&fault, FaultStage::Healed, fault.end(), detail);
    End { effective: Some(effective), healed_early: early.then_some(name), unhealed }
}

/// The fault's processes, once the faults before it have healed.
async fn claim(cluster: &Cluster, fault: &PlannedFault) -> Vec<OwnedMutexGuard<()>> {
    let mut claimed = Vec::new();
    // All faults claim in the order of names, so that no two wait for each other.
    let mut nodes = fault.nodes();
    nodes.sort();
    for node in nodes {
        if let Some(claim) = cluster.claims.get(&node) {
            claimed.push(Arc::clone(claim).lock_owned().await);
        }
    }
    claimed
}

fn split(effects: &[Effect]) -> (Vec<Effect>, Vec<Effect>) {
    effects.iter().cloned().partition(|effect| matches!(effect.target(), Target::Link(..)))
}

async fn verified(
    cluster: &Cluster,
    fault: &PlannedFault,
    check: Option<&mut NetworkCheck<'_>>,
    processes: &[Effect],
) -> Result<String, String> {
    let mut evidence = Vec::new();
    if let Some(check) = check {
        let span = fault.flap_period.map_or(fault.duration.into(), |period| Duration::from(period) / 2);
        // A run that is stopped is healed, not watched.
        evidence.push(tokio::select! {
            bites = check.bites(span) => bites,
            () = cluster.stopped() => Err("the run was stopped before this was verified".to_owned()),
        }?);
    } else if processes.is_empty() {
        return Err("the target offers no network control".to_owned());
    }
    let mut reasons = Vec::new();
    for effect in processes {
        // One process that could not be met does not save the others.
        match cluster.inject_process(effect).await {
            Ok(text) => evidence.push(text),
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.is_empty() { Ok(evidence.join("; ")) } else { Err(reasons.join("; ")) }
}

/// Passes the time until the heal; a flapping fault goes and comes meanwhile. Says whether it is in
/// force at the end.
async fn come_and_go(cluster: &Cluster, fault: &PlannedFault, network: &[Effect]) -> bool {
    let mut in_force = true;
    for (at, action) in fault.steps().into_iter().skip(1) {
        cluster.wait_until(at).await;
        if cluster.is_stopped() || at >= fault.end() {
            break;
        }
        match action {
            Action::Heal => cluster.heal_network(network),
            Action::Inject => cluster.inject_network(network),
        }
        in_force = action == Action::Inject;
    }
    cluster.wait_until(fault.end()).await;
    in_force
}

async fn healed(
    cluster: &Arc<Cluster>,
    check: Option<&NetworkCheck<'_>>,
    processes: &[Effect],
) -> Result<String, String> {
    // All at once: a node may not be ready before the others are.
    let mut heals = JoinSet::new();
    for effect in processes {
        let (cluster, effect) = (Arc::clone(cluster), effect.clone());
        heals.spawn(async move { cluster.heal_process(&effect).await });
    }
    let mut results = heals.join_all().await;
    if let Some(check) = check {
        results.push(check.healed(|from, to| cluster.is_hindered(from, to)).await);
    }
    // In the order of the nodes, not of their readiness.
    results.sort();
    let (good, bad): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let words = |results: Vec<Result<String, String>>| {
        results
            .into_iter()
            .map(|result| result.unwrap_or_else(|reason| reason))
            .collect::<Vec<_>>()
            .join("; ")
    };
    if bad.is_empty() { Ok(words(good)) } else { Err(words(bad)) }
}
