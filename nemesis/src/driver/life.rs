//! The life of one fault: wait, control, inject, verify, wait, heal, verify.

use std::sync::Arc;
use std::time::Duration;

use histories::{FaultStage, Nanos};
use tokio::sync::{OwnedMutexGuard, mpsc, watch};
use tokio::task::JoinSet;

use super::Cluster;
use crate::trigger::Cause;
use crate::verify::NetworkCheck;
use crate::{Action, Alarm, Control, Effect, Endpoint, PlannedFault};

/// What became of a fault.
#[derive(Default)]
pub(super) struct End {
    /// Nothing if it never began.
    pub(super) effective: Option<bool>,
    pub(super) healed_early: Vec<String>,
    pub(super) unhealed: Vec<String>,
}

/// Lives at the planned time.
pub(super) async fn live(cluster: Arc<Cluster>, fault: PlannedFault) -> End {
    cluster.wait_until(fault.at).await;
    let (mut end, links) = (End::default(), watched(&fault.effects));
    if cluster.is_stopped() || !has_way(&cluster, &fault, &mut end) {
        return end;
    }
    let _claimed = claim(&cluster, &fault).await;
    if !cluster.is_stopped() {
        let check = control(&cluster, &links).await;
        live_once(&cluster, &fault, check, String::new(), &mut end).await;
    }
    end
}

/// Lives whenever an alarm comes; what comes while the fault is in force changes nothing.
pub(super) async fn wait_and_live(
    cluster: Arc<Cluster>,
    fault: PlannedFault,
    mut alarms: mpsc::UnboundedReceiver<Alarm>,
) -> End {
    let (mut end, links) = (End::default(), watched(&fault.effects));
    let trigger = fault.trigger.as_ref();
    let again = trigger.is_some_and(|trigger| trigger.every.is_some());
    // Nothing stands between a call and what it sets off. What follows another fault has the time to look.
    let at_once = trigger.is_some_and(|trigger| matches!(trigger.cause, Cause::Call { .. }));
    cluster.wait_until(fault.at).await;
    let why = loop {
        let before = if at_once { control(&cluster, &links).await } else { None };
        let Some(Alarm { delay, because, .. }) = alarm(&cluster, &mut alarms).await else {
            break "nothing triggered it before the load ended";
        };
        cluster.wait_until((cluster.now)() + delay).await;
        let fault = fault.fired((cluster.now)(), Nanos(u64::MAX));
        if has_way(&cluster, &fault, &mut end) {
            let _claimed = claim(&cluster, &fault).await;
            if cluster.is_stopped() {
                break "the load ended before it could begin";
            }
            let check = if at_once { before } else { control(&cluster, &links).await };
            live_once(&cluster, &fault, check, because, &mut end).await;
        }
        if !again {
            return end;
        }
        while alarms.try_recv().is_ok() {}
    };
    if end.effective.is_none() {
        end.effective = Some(false);
        cluster.emit_fault(&fault, FaultStage::Ineffective, fault.at, why.to_owned());
    }
    end
}

/// Whether nothing stands in its way that it does not combine with; else it is left out, and that is told.
fn has_way(cluster: &Cluster, fault: &PlannedFault, end: &mut End) -> bool {
    let entered = cluster.enter(fault);
    if let Err(reason) = &entered {
        end.effective = Some(false);
        cluster.emit_fault(fault, FaultStage::Ineffective, fault.at, reason.clone());
    }
    entered.is_ok()
}

/// The next alarm, unless the run is stopped.
async fn alarm(cluster: &Cluster, alarms: &mut mpsc::UnboundedReceiver<Alarm>) -> Option<Alarm> {
    tokio::select! {
        biased;
        () = cluster.stopped() => None,
        alarm = alarms.recv() => alarm,
    }
}

/// The positive control, where there are links to be watched.
async fn control<'a>(cluster: &'a Cluster, network: &'a [Effect]) -> Option<NetworkCheck<'a>> {
    match &cluster.controls.mesh {
        Some(mesh) if !network.is_empty() => Some(NetworkCheck::control(mesh, network).await),
        Some(_) | None => None,
    }
}

/// Once through the life of a fault: inject, verify, wait, heal, verify.
async fn live_once(
    cluster: &Arc<Cluster>,
    fault: &PlannedFault,
    mut check: Option<NetworkCheck<'_>>,
    because: String,
    end: &mut End,
) {
    let Parts { network, clogs, nodes } = Parts::of(&fault.effects);
    cluster.emit_fault(fault, FaultStage::Injecting, fault.at, because);
    cluster.inject_network(&network);
    let watch = async {
        let evidence = verified(cluster, fault, check.as_mut(), &clogs, &nodes).await;
        let effective = evidence.is_ok();
        let stage = if effective { FaultStage::Effective } else { FaultStage::Ineffective };
        cluster.emit_fault(fault, stage, fault.at, evidence.unwrap_or_else(|reason| reason));
        (effective, come_and_go(cluster, fault, &network).await)
    };
    let ((effective, in_force), ()) = tokio::join!(watch, clog(cluster, fault, &clogs));
    // Of several times one that did not bite counts.
    end.effective = Some(effective && end.effective != Some(false));
    let early = cluster.is_stopped() && (cluster.now)() < fault.end();
    cluster.emit_fault(fault, FaultStage::Healing, fault.end(), String::new());
    if in_force {
        cluster.heal_network(&network);
    }
    let healed = healed(cluster, check.as_ref(), &nodes).await;
    cluster.leave(fault);
    let name = fault.title();
    end.unhealed.extend(healed.as_ref().err().map(|reason| format!("{name}: {reason}")));
    let detail = healed.unwrap_or_else(|reason| format!("not seen to be gone: {reason}"));
    cluster.emit_fault(fault, FaultStage::Healed, fault.end(), detail);
    end.healed_early.extend(early.then_some(name));
}

/// The fault's processes, once the faults before it have healed.
async fn claim(cluster: &Cluster, fault: &PlannedFault) -> Vec<OwnedMutexGuard<()>> {
    let mut claimed = Vec::new();
    // All faults claim in the order of names, so that no two wait for each other.
    let processes = fault.effects.iter().filter(|effect| effect.needs_process());
    let mut nodes: Vec<_> = processes.filter_map(Effect::node).collect();
    nodes.sort();
    for node in nodes {
        if let Some(claim) = cluster.claims.get(&node) {
            claimed.push(Arc::clone(claim).lock_owned().await);
        }
    }
    claimed
}

/// A fault's effects by how they are done.
struct Parts {
    /// On links, from the beginning to the end.
    network: Vec<Effect>,
    /// On links, each at times of its own.
    clogs: Vec<Effect>,
    nodes: Vec<Effect>,
}

impl Parts {
    fn of(effects: &[Effect]) -> Self {
        let (links, nodes): (Vec<_>, Vec<_>) =
            effects.iter().cloned().partition(|effect| effect.link().is_some());
        let (clogs, network) = links.into_iter().partition(|effect| matches!(effect, Effect::Clog { .. }));
        Self { network, clogs, nodes }
    }
}

/// Its effects on links, as a probe sees them.
fn watched(effects: &[Effect]) -> Vec<Effect> {
    let Parts { network, clogs, .. } = Parts::of(effects);
    network.into_iter().chain(clogs.iter().map(as_cut)).collect()
}

/// What a clogged link is while it is.
fn as_cut(clog: &Effect) -> Effect {
    let (from, to) = clog.link().unwrap_or((Endpoint::Clients, Endpoint::Clients));
    Effect::Cut { from, to }
}

/// When a clog begins and ends in its first period, in milliseconds, and how long a period is.
fn times(clog: &Effect) -> (u64, u64, u64) {
    match clog {
        Effect::Clog { after_ms, length_ms, period_ms, .. } => (*after_ms, after_ms + length_ms, *period_ms),
        _ => (0, 0, u64::MAX),
    }
}

/// Clogs and clears each link at its times, until the fault ends.
async fn clog(cluster: &Cluster, fault: &PlannedFault, clogs: &[Effect]) {
    let mut steps = Vec::new();
    for effect in clogs {
        let (begin, end, period) = times(effect);
        let mut start = fault.at;
        while start < fault.end() {
            let at = |millis| (start + Nanos::from_millis(millis)).min(fault.end());
            if at(begin) < at(end) {
                steps.push((at(begin), Action::Inject, as_cut(effect)));
                steps.push((at(end), Action::Heal, as_cut(effect)));
            }
            start = start + Nanos::from_millis(period);
        }
    }
    steps.sort();
    let mut clogged = Vec::new();
    for (at, action, cut) in steps {
        cluster.wait_until(at).await;
        if cluster.is_stopped() {
            break;
        }
        match action {
            Action::Inject => {
                cluster.inject_network(std::slice::from_ref(&cut));
                clogged.push(cut);
            }
            Action::Heal => {
                cluster.heal_network(std::slice::from_ref(&cut));
                clogged.retain(|other| *other != cut);
            }
        }
    }
    cluster.heal_network(&clogged);
}

async fn verified(
    cluster: &Cluster,
    fault: &PlannedFault,
    check: Option<&mut NetworkCheck<'_>>,
    clogs: &[Effect],
    nodes: &[Effect],
) -> Result<String, String> {
    let mut evidence = Vec::new();
    if let Some(check) = check {
        let mut span = fault.flap_period.map_or(fault.duration.into(), |period| Duration::from(period) / 2);
        if !clogs.is_empty() {
            span = span.min(all_clogged(cluster, fault, clogs).await?);
        }
        // A run that is stopped is healed, not watched.
        evidence.push(tokio::select! {
            bites = check.bites(span) => bites,
            () = cluster.stopped() => Err("the run was stopped before this was verified".to_owned()),
        }?);
    } else if nodes.is_empty() {
        return Err("the target offers no network control".to_owned());
    }
    let mut reasons = Vec::new();
    let lost = cluster.controls.answers.lost();
    for effect in nodes {
        // One node that could not be met does not save the others.
        match cluster.inject_node(effect).await {
            Ok(text) => evidence.push(text),
            Err(reason) => reasons.push(reason),
        }
    }
    if reasons.is_empty() && nodes.iter().any(|effect| effect.needs() == Control::Answers) {
        return an_answer_is_lost(cluster, fault, lost).await;
    }
    if reasons.is_empty() { Ok(evidence.join("; ")) } else { Err(reasons.join("; ")) }
}

/// Waits for the first answer that a client should have heard and did not.
async fn an_answer_is_lost(
    cluster: &Cluster,
    fault: &PlannedFault,
    mut lost: watch::Receiver<u64>,
) -> Result<String, String> {
    tokio::select! {
        biased;
        _ = lost.changed() => {
            let after = (cluster.now)().since(fault.at).0 / 1_000_000;
            Ok(format!("after {after} ms the first answer was lost"))
        }
        () = cluster.wait_until(fault.end()) => {
            Err("no answer was lost from its beginning to its end".to_owned())
        }
    }
}

/// Waits until all links are clogged for the first time; says for how long they will be.
async fn all_clogged(cluster: &Cluster, fault: &PlannedFault, clogs: &[Effect]) -> Result<Duration, String> {
    let last = clogs.iter().map(|clog| times(clog).0).max().unwrap_or_default();
    let first = clogs.iter().map(|clog| times(clog).1).min().unwrap_or_default();
    let (from, until) = (fault.at + Nanos::from_millis(last), fault.at + Nanos::from_millis(first));
    let until = until.min(fault.end());
    if from >= until {
        return Err("it ended before all its links were clogged at one time".to_owned());
    }
    // The last of them needs its turn as well.
    cluster.wait_until(from + Nanos(until.since(from).0 / 4)).await;
    Ok(until.since((cluster.now)()).into())
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
    nodes: &[Effect],
) -> Result<String, String> {
    // All at once: a node may not be ready before the others are.
    let mut heals = JoinSet::new();
    for effect in nodes {
        let (cluster, effect) = (Arc::clone(cluster), effect.clone());
        heals.spawn(async move { cluster.heal_node(&effect).await });
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
