//! Maps to events: processes to sessions, times that go forward, and what has no counterpart.

use rustc_hash::{FxHashMap, FxHashSet};

use super::super::Error;
use super::super::cursor::Flaw;
use super::bare::Bare;
use super::batch::{Batch, Placed};
use super::meaning::{self, Answered, Asked};
use super::record::{Body, Kind, Process, Record};
use super::said::Said;
use crate::{Event, EventKind, Header, History, HistoryBuilder, Malformed, Nanos, Outcome, SessionId};

/// How far apart events are taken to be that have no time.
const STEP: u64 = 1_000_000;

/// Makes a history of maps.
pub(super) struct Pairing {
    builder: HistoryBuilder,
    said: Said,
    sessions: Sessions,
    clock: Clock,
    seen: meaning::Seen,
    /// What is left out, or taken for something, and the first line of it.
    remarks: FxHashMap<Remark, (usize, usize)>,
    /// Sessions whose call in flight has a key beside its value, `[k v]`.
    tuples: FxHashSet<SessionId>,
    mode: Mode,
}

/// Tells the line of a record, which takes counting.
type Line<'a> = &'a dyn Fn() -> usize;

/// Whether calls are recorded besides their answers.
enum Mode {
    Undecided,
    Paired,
    /// Answers only.
    Bare(Bare),
}

/// What a reader of the verdict should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Remark {
    NoEvent,
    NoClient,
    NoProcess,
    NoTime,
    TimeGoesBack,
    GoesOn,
    NoInvoke,
}

impl Default for Pairing {
    fn default() -> Self {
        let mut builder = HistoryBuilder::new(Header::default());
        builder.keys_are_shared();
        Self {
            builder,
            said: Said::default(),
            sessions: Sessions::default(),
            clock: Clock::default(),
            seen: meaning::Seen::default(),
            remarks: FxHashMap::default(),
            tuples: FxHashSet::default(),
            mode: Mode::Undecided,
        }
    }
}

impl Pairing {
    /// True if the history has something in it.
    pub(super) fn has_events(&self) -> bool {
        self.clock.last.is_some()
    }

    /// Adds what the maps of a block say.
    pub(super) fn take_all(&mut self, batch: Batch) -> Result<(), Error> {
        let Batch { block, mut parts } = batch;
        self.said.keys.learn(parts.keys);
        for Placed { mut record, bytes, steps } in parts.records {
            let function = std::mem::take(&mut record.function);
            self.said.begin(function, &mut parts.steps[steps], &parts.lists);
            let line = || block.line_before(bytes.end);
            self.take(record, &line).map_err(|flaw| block.error(bytes.start + flaw.at, flaw.reason))?;
        }
        Ok(())
    }

    fn take(&mut self, record: Record, line: Line<'_>) -> Result<(), Flaw> {
        let Some(kind) = record.kind else {
            self.remark(Remark::NoEvent, line);
            return Ok(());
        };
        let process = match &record.process {
            Process::Client(process) => Some(*process),
            Process::Missing => None,
            Process::Other => {
                self.remark(Remark::NoClient, line);
                return Ok(());
            }
        };
        let at = record.at;
        if let Mode::Undecided = self.mode {
            self.mode = if kind == Kind::Invoke { Mode::Paired } else { Mode::Bare(Bare::default()) };
        }
        let time = self.time(&record, line);
        match (&mut self.mode, process) {
            (Mode::Bare(_), _) if kind == Kind::Invoke => Err(flaw(
                at,
                "an :invoke after answers without one; write one for every answer, or none at all",
            )),
            (Mode::Bare(_), _) => self.answer_only(kind, process, time, record, line),
            (_, None) => Err(flaw(at, "a map without :process; give each concurrent client a number")),
            (_, Some(process)) if kind == Kind::Invoke => self.ask(process, time, record, line),
            (_, Some(process)) => self.answer(kind, process, time, record),
        }
    }

    fn ask(&mut self, process: i64, time: Nanos, record: Record, line: Line<'_>) -> Result<(), Flaw> {
        let at = record.at;
        let (session, goes_on) = self.sessions.of(process);
        if goes_on {
            self.remark(Remark::GoesOn, line);
        }
        let asked = meaning::ask(record, &mut self.said, &mut self.seen)?;
        let Asked { call, is_tuple } = asked;
        if is_tuple {
            self.tuples.insert(session);
        }
        self.push(at, time, EventKind::Invoke { session, node: None, planned: None, call })
    }

    fn answer(&mut self, kind: Kind, process: i64, time: Nanos, record: Record) -> Result<(), Flaw> {
        let at = record.at;
        let session = self.sessions.known(process);
        let asked = session.and_then(|session| Some((session, self.builder.in_flight(session)?)));
        let Some((session, call)) = asked else {
            let reason = format!(
                "process {process} is answered but has no call in flight; write its :invoke before this"
            );
            return Err(flaw(at, reason));
        };
        let is_tuple = self.tuples.remove(&session);
        let answered = meaning::outcome(kind, call, is_tuple, record, &mut self.said, &mut self.seen)?;
        let Answered { outcome, asked, beside } = answered;
        if let Some(call) = asked {
            self.builder.was_asked(session, call);
        }
        for (call, outcome) in beside {
            self.builder.beside(session, self.sessions.fresh(), time, call, outcome);
        }
        if outcome.is_unknown() {
            self.sessions.retire(process);
        }
        self.builder.lists_are_shared(self.said.lists_are_shared);
        self.push(at, time, EventKind::Complete { session, outcome })
    }

    fn answer_only(
        &mut self,
        kind: Kind,
        process: Option<i64>,
        time: Nanos,
        record: Record,
        line: Line<'_>,
    ) -> Result<(), Flaw> {
        let (asked, outcome) = meaning::answer_only(kind, record, &mut self.said, &mut self.seen)?;
        self.remark(Remark::NoInvoke, line);
        let session = match process {
            Some(process) => {
                let (session, goes_on) = self.sessions.of(process);
                if goes_on {
                    self.remark(Remark::GoesOn, line);
                }
                if outcome.is_unknown() {
                    self.sessions.retire(process);
                }
                session
            }
            None => {
                self.remark(Remark::NoProcess, line);
                self.sessions.fresh()
            }
        };
        if let Mode::Bare(bare) = &mut self.mode {
            bare.push(session, time, asked.call, outcome);
        }
        Ok(())
    }

    /// The history, and what a reader of the verdict should know.
    pub(super) fn finish(mut self) -> Result<(History, Vec<String>), Flaw> {
        if let Mode::Bare(bare) = std::mem::replace(&mut self.mode, Mode::Undecided) {
            for Event { time, kind } in bare.into_events() {
                self.push(0, time, kind)?;
            }
        }
        let left_out = self.remarks.contains_key(&Remark::NoClient);
        if !self.has_events() && left_out {
            return Err(flaw(0, "no map of a client; the :process of a client is a number"));
        }
        let mut remarks: Vec<_> = self.remarks.into_iter().collect();
        remarks.sort_unstable();
        let warnings = remarks.into_iter().map(|(remark, (count, line))| remark.says(count, line)).collect();
        if self.seen.adds_to_counter() {
            self.builder.additions_are_increments();
        }
        if let Some(call) = self.seen.unanswered_read() {
            self.builder.unanswered_reads_asked(&call);
        }
        self.builder.header_mut().workload = self.seen.workload().into();
        Ok((self.builder.finish(), warnings))
    }

    fn time(&mut self, record: &Record, line: Line<'_>) -> Nanos {
        let (time, went_back) = self.clock.tick(record.time);
        if record.time.is_none() {
            self.remark(Remark::NoTime, line);
        }
        if went_back {
            self.remark(Remark::TimeGoesBack, line);
        }
        time
    }

    fn push(&mut self, at: usize, time: Nanos, kind: EventKind) -> Result<(), Flaw> {
        let malformed = |Malformed { problem, .. }| flaw(at, problem.to_string());
        self.builder.push(Event { time, kind }).map_err(malformed)
    }

    fn remark(&mut self, remark: Remark, line: Line<'_>) {
        self.remarks.entry(remark).or_insert_with(|| (0, line())).0 += 1;
    }
}

impl Remark {
    fn says(self, count: usize, line: usize) -> String {
        let (s, they) = if count == 1 { ("", "it is") } else { ("s", "they are") };
        match self {
            Self::NoEvent => format!("{count} line{s} without an event, the first is line {line}: left out"),
            Self::NoClient => format!(
                "{count} event{s} of processes that are no clients, the first in line {line}: left out"
            ),
            Self::NoProcess => format!(
                "{count} event{s} without :process, the first in line {line}: {they} taken as {}",
                if count == 1 { "a session of its own" } else { "sessions of their own" }
            ),
            Self::NoTime => format!(
                "{count} event{s} without :time, the first in line {line}: {they} taken as 1 ms after the one before"
            ),
            Self::TimeGoesBack => format!(
                "{count} event{s} whose :time goes back, the first in line {line}: the order of lines counts"
            ),
            Self::GoesOn => format!(
                "{count} call{s} of a process after its :info, the first in line {line}: {they} taken as of a new session"
            ),
            Self::NoInvoke => format!(
                "{count} event{s} without :invoke, the first in line {line}: when the call was made is not known, so it may have been any time after the session's last one"
            ),
        }
    }
}

/// Time that goes forward: what comes later in the file is later.
#[derive(Debug, Default)]
struct Clock {
    last: Option<u64>,
}

impl Clock {
    /// The time of the next event, and whether what it says goes back.
    fn tick(&mut self, says: Option<i64>) -> (Nanos, bool) {
        let earliest = self.last.map_or(0, |last| last + 1);
        let wanted = match says {
            None => self.last.map_or(0, |last| last + STEP),
            Some(time) => u64::try_from(time).unwrap_or(0),
        };
        let time = wanted.max(earliest);
        self.last = Some(time);
        (Nanos(time), wanted + 1 < earliest)
    }
}

/// Which session a process is. After an unknown answer it is another one.
#[derive(Debug, Default)]
struct Sessions {
    of_process: FxHashMap<i64, Option<SessionId>>,
    used: FxHashSet<SessionId>,
    next: u32,
}

impl Sessions {
    /// The session of a process that calls, and whether it is one that was over.
    fn of(&mut self, process: i64) -> (SessionId, bool) {
        let known = self.of_process.get(&process).copied();
        if let Some(Some(session)) = known {
            return (session, false);
        }
        let wanted = u32::try_from(process).map(SessionId).ok();
        let session = match wanted {
            Some(session) if self.used.insert(session) => {
                self.next = self.next.max(session.0.saturating_add(1));
                session
            }
            _ => self.fresh(),
        };
        self.of_process.insert(process, Some(session));
        (session, known.is_some())
    }

    fn known(&self, process: i64) -> Option<SessionId> {
        self.of_process.get(&process).copied().flatten()
    }

    fn retire(&mut self, process: i64) {
        self.of_process.insert(process, None);
    }

    /// A session that no process has.
    fn fresh(&mut self) -> SessionId {
        while !self.used.insert(SessionId(self.next)) {
            self.next = self.next.wrapping_add(1);
        }
        SessionId(self.next)
    }
}

pub(super) fn flaw(at: usize, reason: impl Into<String>) -> Flaw {
    Flaw { at, reason: reason.into() }
}

/// True if a value says nothing.
pub(super) fn says_nothing(body: &Body) -> bool {
    matches!(body, Body::Other(super::super::datum::Datum::Nil))
}

/// An outcome that is not confirmed.
pub(super) fn otherwise(kind: Kind, error: Option<Box<str>>) -> Option<Outcome> {
    let reason =
        || error.map_or_else(|| "no reason given".into(), |error| crate::Reason::from(String::from(error)));
    match kind {
        Kind::Fail => Some(Outcome::Failed(reason())),
        Kind::Info => Some(Outcome::Unknown(reason())),
        Kind::Invoke | Kind::Ok => None,
    }
}
