//! The live world: real processes, real sockets, real disks. Starts the target, drives load and
//! faults against it, heals, settles, and reads everything back; all of it goes into the history.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use checkers::wording::{counted, grouped};
use histories::{EventKind, FaultStage, Nanos, NodeEvent, NodeName, NodeState, Phase};
use nemesis::driver::{Alarms, Happening, LiveControls, Ready, Sentry, SetClock, drive};
use nemesis::{Answers, Effect, PlannedFault, Schedule};
use reference_db::server::Skew;
use tokio::sync::{mpsc, watch};

use super::load::{Sessions, Stage};
use super::{Prepared, Resolved, StopSignal, final_reads, load, settle};
use crate::cli::{Format, Session};
use crate::exit::Stop;
use crate::progress::{NodeGlyph, Progress, Scene, Stats};
use crate::recorder;
use crate::store::Run;
use crate::target::{Hands, Power, processes};
use crate::workload::Workload;

/// How often the frame is drawn.
const FRAME: Duration = Duration::from_millis(100);
/// How often a line is printed where no frame is drawn.
const HEARTBEAT: Nanos = Nanos::from_millis(5_000);

/// Runs the plan against its target and records the history into the run's folder.
pub(super) async fn record(
    session: &Session,
    prepared: &Prepared,
    run: &Run,
    stop: &StopSignal,
) -> Result<(), Stop> {
    let Prepared { target, workload, resolved, header, .. } = prepared;
    let needed = files_needed(resolved);
    if let Some(limit) = nemesis::process::raise_file_limit().filter(|limit| *limit < needed) {
        return Err(Stop::usage(format!(
            "{} clients need {needed} open files, and this system allows {limit}; take fewer clients, or more with  ulimit -n {needed}",
            resolved.clients
        )));
    }
    let folder = run.path("nodes");
    std::fs::create_dir_all(&folder).map_err(Stop::cannot_write)?;
    let (cluster, power) = tokio::select! {
        started = target.start(folder.clone()) => started?,
        () = stop.stopped() => return Err(Stop { exit: stop.exit(), error: anyhow::anyhow!("stopped before the load began") }),
    };
    let tee = session.format == Format::Ndjson && session.quiet < 2;
    let (recorder, writer) =
        recorder::start(&run.path("history.jsonl"), header, tee).map_err(Stop::cannot_write)?;
    let (sentry, alarms) = Sentry::new(&resolved.faults);
    let stage = Stage {
        sentry,
        answers: Answers::default(),
        stats: Arc::new(Stats::new(cluster.nodes().len())),
        nodes: cluster.nodes().into(),
        cluster,
        recorder,
        sessions: Sessions::default(),
        tokens: resolved.tokens,
        timeout: resolved.timeout,
    };
    let show = Show::new(session.progress.clone(), stage.clone(), resolved, run);
    let watching = tokio::spawn(show.clone().watch());
    act(&stage, &show, resolved, *workload, (power, alarms), stop).await;
    watching.abort();
    // Its last frame, if it was just drawing one.
    let _ = watching.await;
    session.progress.clear();
    let recorded = writer.finish().with_context(|| {
        format!("cannot write the history; what was recorded can be judged with  rashomon check {}", run.id)
    });
    forget_data(&folder);
    recorded.map_err(Stop::cannot_write)
}

/// Sockets of the clients and of the proxies between them and the nodes, those of the nodes' links, and
/// some for everything else.
fn files_needed(resolved: &Resolved) -> u64 {
    let nodes = resolved.nodes.len() as u64;
    let of_a_client = if resolved.roams() || resolved.script.is_some() { 3 * nodes } else { 3 };
    u64::from(resolved.clients) * of_a_client + nodes * nodes * 8 + 200
}

/// How long after the load a call may still arrive: a client waits for its time-out, and a slow link
/// holds what it carries.
fn straggling(resolved: &Resolved) -> Nanos {
    let faults = &resolved.faults.faults;
    if faults.is_empty() {
        return Nanos(0);
    }
    let late = faults.iter().flat_map(|fault| &fault.effects).map(|effect| match effect {
        Effect::Slow { latency_ms, jitter_ms, .. } => latency_ms.saturating_add(*jitter_ms),
        // What is clogged is held, as in a cut: it arrives when it ends.
        _ => 0,
    });
    resolved.timeout + Nanos::from_millis(2 * late.max().unwrap_or(0))
}

/// Load and faults side by side, then heal, settle and the final reads.
async fn act(
    stage: &Stage,
    show: &Show,
    resolved: &Resolved,
    workload: &dyn Workload,
    (power, alarms): (Option<Power>, Alarms),
    stop: &StopSignal,
) {
    stage.recorder.record(EventKind::Phase(Phase::Load));
    show.begin(resolved, workload);
    let (power, exits) = power.map(Power::split).unzip();
    let listener = exits.map(|exits| tokio::spawn(show.clone().listen(exits)));
    let (halt, halted) = watch::channel(false);
    let trouble = trouble(stage, show, resolved, power, (halted, alarms));
    let load = async {
        let keys = load::drive(stage, resolved, workload, stop).await;
        // The last call may be planned well before the end, and a fault after it.
        tokio::select! {
            () = load::sleep_until(&stage.recorder, resolved.duration) => {}
            () = stop.stopped() => {}
        }
        // What still hurts is healed now.
        halt.send_replace(true);
        keys
    };
    let (keys, power) = tokio::join!(load, trouble);
    show.phase("settling");
    let quiet = stage.recorder.now();
    let equal = settle::settle(stage, resolved.settle, straggling(resolved)).await;
    show.settled(equal, quiet);
    show.phase("reading");
    show.tell(&format!("reading {} keys back from every node, and checking", grouped(keys.len() as u64)));
    let (answered, asked) = final_reads::read(stage, &keys).await;
    show.line(
        "read",
        &format!("final keys={} nodes={} answered={answered}/{asked}", keys.len(), stage.nodes.len()),
    );
    if let Some(listener) = listener {
        listener.abort();
    }
    if let Some(power) = power {
        power.supervisor.kill_all().await;
    }
    stage.recorder.record(EventKind::Phase(Phase::Done));
}

/// Obeys the schedule of faults.
async fn trouble(
    stage: &Stage,
    show: &Show,
    resolved: &Resolved,
    power: Option<Hands>,
    (halted, alarms): (watch::Receiver<bool>, Alarms),
) -> Option<Hands> {
    let controls = LiveControls {
        mesh: power.as_ref().map(|power| power.mesh.clone()),
        supervisor: power.as_ref().map(|power| power.supervisor.clone()),
        data: power.iter().flat_map(|power| power.data.iter().cloned()).collect(),
        clocks: power.as_ref().map(clocks),
        answers: stage.answers.clone(),
        ready: ready(power.as_ref()),
        ready_timeout: Duration::from_secs(20),
    };
    let clock = stage.recorder.clone();
    let (recorder, stats) = (stage.recorder.clone(), stage.stats.clone());
    let nodes = stage.nodes.clone();
    let on = |happening: Happening| {
        show.happened(&happening);
        if let Happening::Fault(fault) = &happening {
            let planned = resolved.faults.faults.get(fault.fault.index());
            match fault.stage {
                FaultStage::Injecting => {
                    if let Some(waited) = planned.filter(|planned| planned.trigger.is_some()) {
                        show.window(&waited.fired(fault.planned, resolved.duration));
                    }
                }
                FaultStage::Effective => stats.split(sides(&nodes, &resolved.faults, fault.fault.index())),
                FaultStage::Healed => stats.split(None),
                _ => {}
            }
        }
        recorder.record(match happening {
            Happening::Fault(fault) => EventKind::Fault(fault),
            Happening::Node(node) => EventKind::Node(node),
        });
    };
    let watch = (stage.sentry.clone(), alarms);
    let summary = drive(&resolved.faults, &controls, move || clock.now(), on, halted, watch).await;
    for unhealed in summary.unhealed {
        show.say(&format!("not seen to heal: {unhealed}"));
    }
    power
}

/// Clocks are set over the port for peers, past the proxies.
fn clocks(power: &Hands) -> SetClock {
    let peers = power.peers.clone();
    Arc::new(move |node: NodeName, wrong: Option<Effect>| {
        let address = peers.iter().find(|(name, _)| *name == node).map(|(_, address)| *address);
        Box::pin(async move {
            let address = address.ok_or_else(|| format!("there is no node {node}"))?;
            let skew = match wrong {
                Some(Effect::Clock { jump_ms, drift_ppm, strobe_ms, .. }) => {
                    Skew { jump_ms, drift_ppm, strobe_ms }
                }
                Some(_) | None => Skew::default(),
            };
            let ahead = processes::set_clock(address, skew).await?;
            let drift = if skew.drift_ppm == 0 {
                String::new()
            } else {
                format!(", and gains {} ppm", skew.drift_ppm)
            };
            Ok(format!("the clock of {node} is {ahead} ms ahead{drift}"))
        })
    })
}

fn ready(power: Option<&Hands>) -> Ready {
    let Some(power) = power else {
        return Arc::new(|node| Box::pin(async move { Err(format!("node {node} is not ours")) }));
    };
    let (clients, supervisor) = (power.clients.clone(), power.supervisor.clone());
    Arc::new(move |node: NodeName| {
        let (clients, supervisor) = (clients.clone(), supervisor.clone());
        Box::pin(async move {
            let Some((_, address)) = clients.iter().find(|(name, _)| *name == node) else {
                return Err(format!("there is no node {node}"));
            };
            processes::wait_until_ready(&node, *address, &supervisor)
                .await
                .map_err(|stop| stop.error.to_string())
        })
    })
}

/// Which side of a split each node is on: nodes that reach each other share one. None if the fault
/// cuts nothing between nodes.
fn sides(nodes: &[NodeName], schedule: &Schedule, fault: usize) -> Option<Vec<usize>> {
    let cut = schedule.faults.get(fault)?.links();
    let reach = |a: &NodeName, b: &NodeName| {
        !cut.contains(&(a.clone(), b.clone())) && !cut.contains(&(b.clone(), a.clone()))
    };
    let mut sides: Vec<usize> = (0..nodes.len()).collect();
    for (index, node) in nodes.iter().enumerate() {
        for (other, earlier) in nodes[..index].iter().enumerate() {
            if reach(node, earlier) {
                let (from, to) = (sides[index].max(sides[other]), sides[index].min(sides[other]));
                sides.iter_mut().filter(|side| **side == from).for_each(|side| *side = to);
            }
        }
    }
    sides.iter().any(|side| *side != sides[0]).then_some(sides)
}

/// The nodes' logs on disk have told all they can; what nodes printed stays.
fn forget_data(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
        if let Err(error) = std::fs::remove_dir_all(&path) {
            tracing::warn!(path = %path.display(), %error, "a node's data stays behind");
        }
    }
}

/// From when to when a fault lasts, and what it is.
fn window(fault: &PlannedFault) -> (Nanos, Nanos, String) {
    (fault.at, fault.end(), fault.title())
}

/// Tells people what happens.
#[derive(Clone)]
struct Show {
    progress: Progress,
    stage: Stage,
    scene: Arc<Mutex<Scene>>,
}

impl Show {
    fn new(progress: Progress, stage: Stage, resolved: &Resolved, run: &Run) -> Self {
        // When the others begin nobody knows yet.
        let timed = resolved.faults.faults.iter().filter(|fault| fault.trigger.is_none());
        let nodes: Vec<_> = stage.nodes.iter().map(|node| (node.clone(), NodeGlyph::Up)).collect();
        let scene = Scene {
            title: format!(
                "{} · {} ×{} · seed {}",
                resolved.workload,
                resolved.target,
                nodes.len(),
                resolved.seed
            ),
            duration: resolved.duration,
            phase: String::new(),
            nodes,
            faults: timed.map(window).collect(),
        };
        let show = Self { progress, stage, scene: Arc::new(Mutex::new(scene)) };
        show.line(
            "start",
            &format!(
                "workload={} target={} nodes={} seed={} run={}",
                resolved.workload,
                resolved.target,
                resolved.nodes.len(),
                resolved.seed,
                run.id
            ),
        );
        show
    }

    fn line(&self, what: &str, details: &str) {
        self.progress.line(self.stage.recorder.now(), what, details);
    }

    fn say(&self, sentence: &str) {
        self.progress.say(sentence);
    }

    /// One line of the run's story, above the frame, for whoever watches.
    fn tell(&self, what: &str) {
        if self.progress.is_full() {
            self.say(&format!("{:>7.1} s  {what}", self.stage.recorder.now().as_secs_f64()));
        }
    }

    /// Records nodes that end by themselves, until it is aborted.
    async fn listen(self, mut exits: mpsc::UnboundedReceiver<NodeEvent>) {
        while let Some(exit) = exits.recv().await {
            self.happened(&Happening::Node(exit.clone()));
            self.stage.recorder.record(EventKind::Node(exit));
        }
    }

    fn begin(&self, resolved: &Resolved, workload: &dyn Workload) {
        let clients = counted(resolved.clients.into(), "client", "clients");
        if let Some(script) = &resolved.script {
            let calls = counted(script.calls.len() as u64, "pinned call", "pinned calls");
            return self.tell(&format!("{clients} on {}: {calls}", resolved.target));
        }
        let rate = match resolved.rate {
            0 => "as fast as they are answered".to_string(),
            rate => format!("{} requests a second", grouped(rate.into())),
        };
        self.tell(&format!("{clients} on {}: {}, {rate}", resolved.target, workload.about()));
    }

    /// A fault that waited has its time now.
    fn window(&self, fault: &PlannedFault) {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner).faults.push(window(fault));
    }

    fn phase(&self, phase: &str) {
        self.scene.lock().unwrap_or_else(PoisonError::into_inner).phase = phase.into();
    }

    /// Nothing was asked or broken any more since `quiet`.
    fn settled(&self, equal: bool, quiet: Nanos) {
        let after = self.stage.recorder.now().since(quiet);
        let after = format!("{:.1}", after.as_secs_f64());
        self.line("settle", &format!("equal={} after={after}s", if equal { "yes" } else { "no" }));
        self.tell(if equal {
            "the load is over; all nodes hold the same"
        } else {
            "the load is over; the nodes still differ"
        });
    }

    /// Draws frames, or prints a line from time to time, until it is aborted.
    async fn watch(self) {
        let mut last = Nanos(0);
        loop {
            next_frame().await;
            let now = self.stage.recorder.now();
            let snapshot = self.stage.stats.snapshot(now);
            let scene = self.scene.lock().unwrap_or_else(PoisonError::into_inner).clone();
            self.progress.draw(&scene, &snapshot);
            if now.since(last) >= HEARTBEAT && scene.phase.is_empty() {
                last = now;
                let [p50, p99, _] = snapshot.latency_ms;
                let suspects = match snapshot.suspects {
                    0 => String::new(),
                    suspects => format!(" suspects={suspects}"),
                };
                self.line(
                    "load",
                    &format!(
                        "rate={}/s ok={} failed={} unknown={} p50={p50:.1}ms p99={p99:.1}ms{suspects}",
                        snapshot.rates.last().copied().unwrap_or(0),
                        snapshot.ok,
                        snapshot.failed,
                        snapshot.unknown,
                    ),
                );
            }
        }
    }

    fn happened(&self, happening: &Happening) {
        match happening {
            Happening::Fault(fault) => {
                let summary = fault.summary.strip_prefix(&fault.name).unwrap_or(&fault.summary);
                let what = format!("{}={}", fault.name, summary.replace(' ', ""));
                match fault.stage {
                    FaultStage::Injecting => {
                        self.line("fault", format!("{what} {}", fault.detail).trim_end());
                    }
                    FaultStage::Effective => {
                        self.line("bites", &format!("{what} {}", fault.detail));
                        self.tell(&format!("{} {}: {}", fault.name, fault.summary, fault.detail));
                    }
                    FaultStage::Ineffective => {
                        self.line("fault", &format!("{what} did not bite: {}", fault.detail));
                        self.say(&format!("{} {} did not bite: {}", fault.name, fault.summary, fault.detail));
                    }
                    FaultStage::Healing => self.line("heal", &what),
                    FaultStage::Healed => {
                        self.line("healed", &what);
                        self.tell(&format!("{} {} healed", fault.name, fault.summary));
                    }
                }
                self.glyphs(|_, glyph| match fault.stage {
                    FaultStage::Healed => NodeGlyph::Up,
                    _ => glyph,
                });
                if fault.stage == FaultStage::Effective {
                    let cut = |node: &NodeName| {
                        fault.links.iter().filter(|(from, to)| from == node || to == node).count()
                    };
                    let most = self.stage.nodes.iter().map(cut).max().unwrap_or(0);
                    self.glyphs(
                        |node, glyph| if most > 0 && cut(node) == most { NodeGlyph::CutOff } else { glyph },
                    );
                }
            }
            Happening::Node(event) => {
                self.line(
                    "node",
                    &format!("{}={:?} {}", event.node, event.state, event.detail).to_lowercase(),
                );
                self.glyphs(|node, glyph| match event.state {
                    _ if *node != event.node => glyph,
                    NodeState::Up => NodeGlyph::Up,
                    NodeState::Paused | NodeState::Down => NodeGlyph::Down,
                });
                if event.state == NodeState::Down && !event.detail.is_empty() {
                    tracing::info!(node = %event.node, detail = event.detail, "node is down");
                }
            }
        }
    }

    fn glyphs(&self, change: impl Fn(&NodeName, NodeGlyph) -> NodeGlyph) {
        let mut scene = self.scene.lock().unwrap_or_else(PoisonError::into_inner);
        for (node, glyph) in &mut scene.nodes {
            *glyph = change(node, *glyph);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "frames are drawn for people, in their time")]
async fn next_frame() {
    tokio::time::sleep(FRAME).await;
}
