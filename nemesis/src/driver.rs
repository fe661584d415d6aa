//! The live driver: obeys a schedule in real time, verifies what it does, and heals, whatever happens.
//!
//! ```text
//! plan      at                                     end
//! events    Injecting ─► Effective | Ineffective    Healing ─► Healed
//! done      probe, cut   probe again, count bytes   restore    probe until answered
//! ```
//!
//! A clog is a cut that comes and goes on each link by itself; it is verified at the middle of its first
//! period, when all its links are clogged.
//!
//! A fault that waits for something is armed from the beginning (its probes have been answered), and
//! begins when a [`Sentry`] sounds the alarm. If that never happens it is told as one that did not bite.
//!
//! Each fault lives in a task of its own, so that a slow heal delays no other fault; only a process
//! is handed from one fault to the next when the first has healed. A cancelled run heals at once what
//! is active; a run whose future is dropped heals links and pauses at once, and starts killed nodes
//! again in the background.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use histories::{FaultEvent, FaultStage, Nanos, NodeEvent, NodeName, NodeState};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

mod hands;
mod life;
mod sentry;

pub use sentry::{Alarms, Sentry};

use crate::{Answers, Controls, Effect, InForce, Mesh, Milestone, PlannedFault, Schedule, Sight, Supervisor};

/// Waits until the node that was started answers; an error says in words why it does not.
pub type Ready =
    Arc<dyn Fn(NodeName) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// Sets a node's clock wrong, or right with nothing; says by how much it is ahead then. The error says in
/// words why it could not.
pub type SetClock = Arc<
    dyn Fn(NodeName, Option<Effect>) -> Pin<Box<dyn Future<Output = Result<String, String>> + Send>>
        + Send
        + Sync,
>;

/// What the driver may do to a live target.
#[derive(Clone)]
pub struct LiveControls {
    /// Links, if the target's connections go through a mesh.
    pub mesh: Option<Mesh>,
    /// Processes, if they are ours.
    pub supervisor: Option<Supervisor>,
    /// What clients hear; the caller keeps a clone for them.
    pub answers: Answers,
    /// Where each node keeps what it stores, if that may be deleted while it is down.
    pub data: BTreeMap<NodeName, PathBuf>,
    /// Clocks, if the nodes let us set them.
    pub clocks: Option<SetClock>,
    /// Awaited after every restart and resume; may also tell the mesh about a new port.
    pub ready: Ready,
    /// How long a restarted node may take to answer.
    pub ready_timeout: Duration,
}

impl LiveControls {
    /// What this comes to for a plan.
    pub fn offered(&self) -> Controls {
        Controls {
            network: self.mesh.is_some(),
            process: self.supervisor.is_some(),
            answers: true,
            data: self.supervisor.is_some() && !self.data.is_empty(),
            clock: self.clocks.is_some(),
            ..Controls::default()
        }
    }
}

/// What the driver reports, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A step in a fault's life.
    Fault(FaultEvent),
    /// What a fault did to a node.
    Node(NodeEvent),
}

/// What became of the faults of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Faults that were seen to bite.
    pub effective: usize,
    /// Faults that were not, or could not be injected.
    pub ineffective: usize,
    /// Faults that never began, because the run was stopped.
    pub skipped: usize,
    /// What was healed before its time, such as `partition A | B C`.
    pub healed_early: Vec<String>,
    /// What was not seen to be gone, with the reason.
    pub unhealed: Vec<String>,
}

/// Drives the schedule to its end, or until `stop` turns true; heals everything either way.
///
/// `now` is the run's clock, on which planned times are. `emit` is called from within this future.
/// `watch` tells waiting faults what clients see; the caller keeps a clone of its sentry for them.
/// Dropping the future heals too, without events. Refuses nothing: ask [`Controls::admit`] first; what
/// cannot be done is reported as ineffective.
pub async fn drive(
    schedule: &Schedule,
    controls: &LiveControls,
    now: impl Fn() -> Nanos + Send + Sync + 'static,
    mut emit: impl FnMut(Happening),
    stop: watch::Receiver<bool>,
    (sentry, mut alarms): (Sentry, Alarms),
) -> Summary {
    let (happenings, mut happened) = mpsc::unbounded_channel();
    let cluster = Arc::new(Cluster {
        controls: controls.clone(),
        now: Box::new(now),
        happenings,
        stop,
        active: Mutex::default(),
        sentry,
        claims: schedule
            .faults
            .iter()
            .flat_map(|fault| fault.nodes())
            .map(|node| (node, Arc::default()))
            .collect(),
    });
    // Declared before the tasks, so that it heals after they were aborted.
    let _healer = HealOnDrop(Arc::clone(&cluster));
    let mut lives: JoinSet<life::End> = JoinSet::new();
    let mut faults: Vec<_> = schedule.faults.iter().collect();
    faults.sort_by_key(|fault| (fault.at, fault.id));
    for fault in faults {
        let (cluster, fault) = (Arc::clone(&cluster), fault.clone());
        match alarms.of(fault.id.index()) {
            Some(alarms) => drop(lives.spawn(life::wait_and_live(cluster, fault, alarms))),
            None => drop(lives.spawn(life::live(cluster, fault))),
        }
    }
    let mut summary = Summary::default();
    loop {
        tokio::select! {
            biased;
            Some(happening) = happened.recv() => emit(happening),
            ended = lives.join_next() => match ended {
                Some(Ok(end)) => summary.add(end),
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
                None => return summary,
            },
        }
    }
}

impl Summary {
    fn add(&mut self, end: life::End) {
        match end.effective {
            Some(true) => self.effective += 1,
            Some(false) => self.ineffective += 1,
            None => self.skipped += 1,
        }
        self.healed_early.extend(end.healed_early);
        self.unhealed.extend(end.unhealed);
    }
}

/// What all faults of a run share.
struct Cluster {
    controls: LiveControls,
    now: Box<dyn Fn() -> Nanos + Send + Sync>,
    happenings: mpsc::UnboundedSender<Happening>,
    stop: watch::Receiver<bool>,
    active: Mutex<Active>,
    sentry: Sentry,
    /// A process belongs to one fault at a time, until it has healed.
    claims: BTreeMap<NodeName, Arc<tokio::sync::Mutex<()>>>,
}

#[derive(Default)]
struct Active {
    network: InForce,
    /// What was done to nodes and not undone.
    nodes: Vec<Effect>,
    /// Faults between their beginning and their heal.
    faults: Vec<PlannedFault>,
}

impl Cluster {
    fn emit(&self, happening: Happening) {
        // The receiver goes only when the run is dropped, and then nobody listens.
        let _dropped = self.happenings.send(happening);
    }

    /// Notes that the fault begins; refuses it where one with a trigger and another do not combine.
    fn enter(&self, fault: &PlannedFault) -> Result<(), String> {
        let now = (self.now)();
        let mut active = self.active();
        let others = active.faults.iter().filter(|other| other.end() > now);
        // Of two with known times the schedule has seen to it: they only touch.
        let mut others = others.filter(|other| other.trigger.is_some() || fault.trigger.is_some());
        if let Some((other, target)) = others.find_map(|other| Some((other.id, other.clash(fault)?))) {
            return Err(format!("fault {other} has {target} at this time, so this one was left out"));
        }
        active.faults.push(fault.clone());
        Ok(())
    }

    fn leave(&self, fault: &PlannedFault) {
        self.active().faults.retain(|other| other.id != fault.id);
    }

    fn emit_node(&self, node: &NodeName, state: NodeState, detail: impl Into<String>) {
        self.emit(Happening::Node(NodeEvent { node: node.clone(), state, detail: detail.into() }));
    }

    fn emit_fault(&self, fault: &PlannedFault, stage: FaultStage, planned: Nanos, detail: String) {
        self.emit(Happening::Fault(FaultEvent {
            fault: fault.id,
            name: fault.name.clone(),
            stage,
            planned,
            summary: fault.summary.clone(),
            detail,
            links: fault.links(),
            nodes: fault.nodes(),
        }));
        let milestone = match stage {
            FaultStage::Injecting => Milestone::Begun,
            FaultStage::Effective => Milestone::Effective,
            FaultStage::Healed => Milestone::Healed,
            FaultStage::Ineffective | FaultStage::Healing => return,
        };
        self.sentry.saw((self.now)(), Sight::Fault(fault.id, milestone));
    }

    fn active(&self) -> MutexGuard<'_, Active> {
        // Nothing panics while it holds the lock, but a failed assertion of ours.
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the run is stopped.
    async fn stopped(&self) {
        let mut stop = self.stop.clone();
        if stop.wait_for(|stop| *stop).await.is_err() {
            // Nobody is left who could stop the run.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until the run's clock shows the time, or the run is stopped.
    async fn wait_until(&self, at: Nanos) {
        let passed = async {
            loop {
                match at.since((self.now)()) {
                    Nanos(0) => return,
                    left => crate::clock::pass(left.into()).await,
                }
            }
        };
        tokio::select! {
            biased;
            () = self.stopped() => {}
            () = passed => {}
        }
    }
}

/// Heals what the tasks of a dropped run left behind.
struct HealOnDrop(Arc<Cluster>);

impl Drop for HealOnDrop {
    fn drop(&mut self) {
        self.0.heal_now();
    }
}
