//! The simulated world, recorded: the same folder, the same history and the same lines as live, and
//! done before a live target would have started.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use checkers::wording::grouped;
use histories::format::jsonl;
use histories::{Event, EventKind, FaultStage, Header, Nanos, Phase};

use super::{Prepared, StopSignal};
use crate::cli::{Format, Session};
use crate::exit::Stop;
use crate::progress::Progress;
use crate::sim::{Ended, simulate};
use crate::stopwatch::Stopwatch;
use crate::store::Run;

/// Simulates the plan and records the history into the run's folder.
pub(super) fn record(
    session: &Session,
    prepared: &Prepared,
    run: &Run,
    stop: &StopSignal,
) -> Result<(), Stop> {
    let Prepared { resolved, header, .. } = prepared;
    let tee = session.format == Format::Ndjson && session.quiet < 2;
    let mut lines = Lines::create(run, header, tee).map_err(Stop::cannot_write)?;
    session.progress.line(
        Nanos(0),
        "start",
        &format!(
            "world=sim workload={} target={} nodes={} seed={} run={}",
            resolved.workload,
            resolved.target,
            resolved.nodes.len(),
            resolved.seed,
            run.id
        ),
    );
    let watch = Stopwatch::start();
    let mut record = |event: Event| {
        tell(&session.progress, &event);
        lines.write(&event);
    };
    let ended = simulate(prepared.scenario(), &mut record, &|| stop.reason().is_some());
    let recorded = lines.finish();
    sum_up(&session.progress, &ended, watch);
    recorded.map_err(Stop::cannot_write)
}

fn sum_up(progress: &Progress, ended: &Ended, watch: Stopwatch) {
    let (took, busy) = (watch.elapsed(), watch.busy());
    let Ended { calls, time, equal, keys, answered, asked } = *ended;
    progress.line(time, "settle", &format!("equal={}", if equal { "yes" } else { "no" }));
    progress.line(time, "read", &format!("final keys={keys} answered={answered}/{asked}"));
    let (simulated, took) = (time.as_secs_f64(), took.as_secs_f64());
    let busy = busy.map_or(String::new(), |busy| format!(" busy={:.3}s", busy.as_secs_f64()));
    progress.line(time, "world", &format!("calls={calls} simulated={simulated:.1}s took={took:.3}s{busy}"));
    if progress.is_full() {
        progress.say(&format!("simulated {simulated:.1} s with {} calls in {took:.2} s", grouped(calls)));
    }
}

/// What happens to the cluster, for whoever watches: the same words as in the live world.
fn tell(progress: &Progress, event: &Event) {
    match &event.kind {
        EventKind::Invoke { .. } | EventKind::Complete { .. } => {}
        EventKind::Phase(phase) => {
            if *phase == Phase::Load {
                progress.line(event.time, "load", "begins");
            }
        }
        EventKind::Fault(fault) => {
            let what = format!("{}={}", fault.name, fault.summary.replace(' ', ""));
            match fault.stage {
                FaultStage::Injecting => {
                    progress.line(event.time, "fault", format!("{what} {}", fault.detail).trim_end());
                }
                FaultStage::Effective => {
                    progress.line(event.time, "bites", &format!("{what} {}", fault.detail));
                }
                FaultStage::Ineffective => {
                    progress.line(event.time, "fault", &format!("{what} did not bite: {}", fault.detail));
                }
                FaultStage::Healing => progress.line(event.time, "heal", &what),
                FaultStage::Healed => {
                    progress.line(event.time, "healed", &format!("{what} {}", fault.detail));
                }
            }
        }
        EventKind::Node(node) => {
            let what = format!("{}={:?} {}", node.node, node.state, node.detail).to_lowercase();
            progress.line(event.time, "node", &what);
        }
    }
}

/// The history's file, one line an event.
struct Lines {
    file: BufWriter<File>,
    tee: bool,
    /// The first thing that went wrong; nothing is written after it.
    failure: Option<io::Error>,
}

impl Lines {
    fn create(run: &Run, header: &Header, tee: bool) -> io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 18, File::create_new(run.path("history.jsonl"))?);
        let mut lines = Self { file, tee, failure: None };
        jsonl::write_header(&mut lines.file, header)?;
        if tee {
            lines.tee = jsonl::write_header(&mut io::stdout().lock(), header).is_ok();
        }
        Ok(lines)
    }

    fn write(&mut self, event: &Event) {
        if self.failure.is_some() {
            return;
        }
        self.failure = jsonl::write_event(&mut self.file, event).err();
        // Whoever reads along may have seen enough.
        self.tee = self.tee && jsonl::write_event(&mut io::stdout().lock(), event).is_ok();
    }

    fn finish(mut self) -> io::Result<()> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}
