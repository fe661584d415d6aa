//! Shrinking: from a run that broke a guarantee to the fewest calls and faults that break it in the same
//! way.
//!
//! ```text
//!   history ──► script ──► the calls of one finding ──► ddmin over keys, sessions, calls, faults, effects
//!                                                         │   fewer nodes, weaker faults, shorter windows
//!   13 201 calls, 2 faults, 3 nodes                       ▼   until nothing gets smaller
//!        2 calls, 1 fault, 2 nodes  ◄── a rhythm of times, short names ◄── ┘
//! ```
//!
//! Everything is tried in the simulated world, where a run of a few calls takes milliseconds, and judged
//! by the one checker that it is about. The result is a plan that pins every call and every fault, and a
//! history that breaks the same guarantee with the same kind of anomaly. It depends on the run alone: not
//! on cores and not on speed, unless time runs out.
//!
//! [`shrink`] does no I/O: tests shrink in memory what the command shrinks from a stored run.
//!
//! Sources: Zeller and Hildebrandt 2002 for [`ddmin`]; the order of axes is our own.

use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;

use checkers::wording::{counted, grouped};
use checkers::{Finding, Judgement};
use histories::{History, Key, Nanos, Phase, SessionId};
use nemesis::PlannedFault;
use serde::Serialize;

use crate::exit::{Exit, Stop};
use crate::judge::{Judged, judge};
use crate::plan::{Expectation, World};
use crate::run::{Prepared, Resolved};
use crate::script::{Line, Script};
use crate::target::TargetSpec;

mod change;
mod ddmin;
#[cfg(test)]
mod defects;
mod necessary;
mod oracle;
pub(crate) mod plan;
#[cfg(test)]
mod tests;

use change::{faults, keep_lines, lines, with_fault, with_faults, with_lines};
use ddmin::ddmin;
use oracle::Oracle;

pub(crate) use necessary::Necessity;

/// What must stay broken, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Goal {
    pub(crate) guarantee: &'static str,
    pub(crate) anomaly: &'static str,
}

/// How to shrink.
pub(crate) struct Way<'a> {
    /// The guarantee that must stay broken; the first that is expected to hold if none is named.
    pub(crate) guarantee: Option<String>,
    /// Worlds side by side.
    pub(crate) jobs: usize,
    /// Says that time is up: what is smallest so far is taken.
    pub(crate) over: &'a (dyn Fn() -> bool + Sync),
    /// Hears of each step that kept the failure.
    pub(crate) tell: &'a mut dyn FnMut(&Step),
}

/// How large a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Size {
    pub(crate) calls: usize,
    pub(crate) faults: usize,
    pub(crate) effects: usize,
    pub(crate) nodes: usize,
    pub(crate) sessions: usize,
    pub(crate) keys: usize,
}

/// One step that kept the failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Step {
    /// What was done, in a few words.
    pub(crate) what: &'static str,
    pub(crate) size: Size,
}

/// What is left.
pub(crate) struct Shrunk {
    /// The plan, with every call and every fault pinned.
    pub(crate) prepared: Prepared,
    pub(crate) history: History,
    pub(crate) goal: Goal,
    /// From the whole run to what is left.
    pub(crate) steps: Vec<Step>,
    /// What each remaining fault is there for.
    pub(crate) necessary: Vec<Necessity>,
    /// How many worlds were played.
    pub(crate) played: u64,
    /// It was over before nothing could be made smaller.
    pub(crate) unfinished: bool,
}

/// Findings of a history that are tried as the beginning.
const FINDINGS: usize = 6;
/// A fault that lasts no longer than this is short.
const SHORT: Nanos = Nanos::from_millis(100);
/// Calls that are less than this apart race each other.
const RACE: Nanos = Nanos::from_millis(50);
/// Rhythms that are tried, the pleasantest first.
const BEATS: [Nanos; 6] = [
    Nanos::from_millis(500),
    Nanos::from_millis(1_000),
    Nanos::from_millis(200),
    Nanos::from_millis(100),
    Nanos::from_millis(50),
    Nanos::from_millis(20),
];

/// Shrinks the run `prepared` whose record is `history`.
pub(crate) fn shrink(prepared: &Prepared, history: &History, way: Way<'_>) -> Result<Shrunk, Stop> {
    if let TargetSpec::Urls(_) = prepared.target {
        return Err(Stop::usage(format!(
            "{} cannot be simulated, and shrinking tries thousands of runs; it shrinks runs on reference:MODE",
            prepared.target
        )));
    }
    let judged = judge(history, &prepared.rules);
    let (goal, mut findings) = goal(&judged, way.guarantee.as_deref())?;
    // What takes no luck to show again comes first, in the order of the checker.
    findings.sort_by_key(|finding| is_race(history, finding));
    let checker = checkers::checker(goal.guarantee)
        .ok_or_else(|| anyhow::anyhow!("{} vanished from its registry", goal.guarantee))?;
    let script =
        Script::of(history).map_err(|reason| Stop::data(format!("it cannot be shrunk: {reason}")))?;
    let resolved = about(prepared.resolved.clone(), goal);
    let oracle = Oracle {
        goal,
        checker,
        steps: prepared.rules.steps,
        jobs: way.jobs.max(1),
        over: way.over,
        seed: resolved.seed(),
        played: AtomicU64::new(0),
    };
    let whole = with_lines(&resolved, script.calls);
    let whole = whole.ok_or_else(|| anyhow::anyhow!("a script without calls"))?;
    let mut shrinker = Shrinker { oracle, best: whole, steps: Vec::new(), tell: way.tell };
    shrinker.note("the whole run");
    shrinker.begin(history, &findings)?;
    shrinker.reduce()?;
    shrinker.beautify()?;
    shrinker.finish()
}

/// Which guarantee it is about, and its findings of one kind.
fn goal<'j>(judged: &'j Judged, wanted: Option<&str>) -> Result<(Goal, Vec<&'j Finding>), Stop> {
    let broken = judged.rows.iter().filter(|row| row.verdict.judgement == Judgement::Broken);
    let mut broken: Vec<_> = broken.collect();
    broken.sort_by_key(|row| match row.expected {
        Expectation::Hold => 0,
        Expectation::Break => 1,
        Expectation::Watch => 2,
    });
    let names: Vec<&str> = broken.iter().map(|row| row.verdict.guarantee).collect();
    let row = match wanted {
        None => broken.first(),
        Some(wanted) => broken.iter().find(|row| row.verdict.guarantee == wanted),
    };
    let Some(row) = row else {
        let what = match (wanted, names.as_slice()) {
            (_, []) => "the run broke no guarantee, so there is nothing to shrink".to_string(),
            (Some(wanted), names) => format!("the run did not break {wanted}; it broke {}", names.join(", ")),
            (None, _) => "nothing to shrink".to_string(),
        };
        return Err(Stop::usage(what));
    };
    let anomaly = row.verdict.findings.first().map_or("", |finding| finding.anomaly);
    let alike = row.verdict.findings.iter().filter(|finding| finding.anomaly == anomaly);
    Ok((Goal { guarantee: row.verdict.guarantee, anomaly }, alike.collect()))
}

/// True if two of its changes were asked at nearly one time: that shows again only with luck, and needs
/// no fault.
fn is_race(history: &History, finding: &Finding) -> bool {
    let operations = finding.steps.iter().map(|step| history.operation(step.operation));
    let changes = operations.filter(|operation| !operation.call.is_read_only());
    let mut asked: Vec<Nanos> = changes.map(|operation| operation.invoked).collect();
    asked.sort_unstable();
    asked.windows(2).any(|pair| pair[1].since(pair[0]) < RACE)
}

/// The plan as it is shrunk: simulated, and about one guarantee.
fn about(mut resolved: Resolved, goal: Goal) -> Resolved {
    resolved.world = World::Sim.as_str().into();
    for (name, expected) in &mut resolved.expect {
        let new = match (name == goal.guarantee, expected.as_str()) {
            (true, "break") => Expectation::Break,
            (true, _) => Expectation::Hold,
            (false, _) => Expectation::Watch,
        };
        *expected = new.as_str().into();
    }
    if !resolved.name.ends_with(SUFFIX) {
        resolved.name += SUFFIX;
    }
    resolved
}

/// What the name of a shrunk plan ends with.
const SUFFIX: &str = ", shrunk";

struct Shrinker<'a> {
    oracle: Oracle<'a>,
    best: Resolved,
    steps: Vec<Step>,
    tell: &'a mut dyn FnMut(&Step),
}

impl Shrinker<'_> {
    fn is_over(&self) -> bool {
        (self.oracle.over)()
    }

    fn note(&mut self, what: &'static str) {
        let step = Step { what, size: size(&self.best) };
        if self.steps.last().is_some_and(|last| last.size == step.size) {
            return;
        }
        (self.tell)(&step);
        self.steps.push(step);
    }

    /// Takes the first of the candidates that fails; says whether one did.
    fn take(&mut self, what: &'static str, candidates: &[Option<Resolved>]) -> Result<bool, Stop> {
        if self.is_over() {
            return Ok(false);
        }
        let Some((_, resolved)) = self.oracle.first(candidates)? else { return Ok(false) };
        self.best = resolved;
        self.note(what);
        Ok(true)
    }

    /// Begins with as little of the run as fails by itself: the calls of one finding, all that touches
    /// its keys, or everything.
    fn begin(&mut self, history: &History, findings: &[&Finding]) -> Result<(), Stop> {
        let load = history.operations().iter().filter(|operation| operation.phase == Phase::Load);
        let asked: Vec<_> = load.map(|operation| (operation.id, operation.session)).collect();
        let all = lines(&self.best).to_vec();
        let of = |keep: &dyn Fn(usize, &Line) -> bool| {
            let calls = all.iter().enumerate().filter(|(index, line)| keep(*index, line));
            with_lines(&self.best, calls.map(|(_, line)| line.clone()).collect())
        };
        let timed = change::timed(&self.best, history);
        let (mut steps, mut sessions, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for finding in findings.iter().take(FINDINGS) {
            let named: BTreeSet<_> = finding.steps.iter().map(|step| step.operation).collect();
            let who: BTreeSet<SessionId> =
                asked.iter().filter(|(id, _)| named.contains(id)).map(|(_, session)| *session).collect();
            let touched: BTreeSet<&Key> = finding.keys.iter().collect();
            let touches = |line: &Line| line.acts().iter().any(|act| touched.contains(act.key()));
            let proves = |index: usize, _: &Line| named.contains(&asked[index].0);
            steps.push(of(&proves));
            // With fewer calls the how-manieth never comes: the fault begins when it began.
            let fixed = steps.last().cloned().flatten().zip(timed.as_ref());
            steps.extend(fixed.map(|(few, timed)| with_lines(timed, lines(&few).to_vec())));
            sessions.push(of(&|index, line| who.contains(&asked[index].1) && touches(line)));
            keys.push(of(&|_, line| touches(line)));
        }
        let begun = self.take("only the calls that prove it", &steps)?
            || self.take("only what its sessions did to its keys", &sessions)?
            || self.take("only what touches its keys", &keys)?;
        if begun {
            return Ok(());
        }
        // A whole run is tried in more worlds than any other candidate: nothing is known without it.
        match self.oracle.fails_in(&self.best.clone(), oracle::WORLDS_MAX)? {
            Some(failing) => {
                self.best = failing;
                Ok(())
            }
            None if self.is_over() => Err(Stop {
                exit: Exit::Indeterminate,
                error: anyhow::anyhow!(
                    "it was over before anything smaller was seen to break; give more time with --for"
                ),
            }),
            None => Err(Stop {
                exit: Exit::Indeterminate,
                error: anyhow::anyhow!(
                    "the simulated world does not show it: the calls and faults of the run did not break {} there, in {} worlds; it takes the timing of real processes",
                    self.oracle.goal.guarantee,
                    oracle::WORLDS_MAX + 1
                ),
            }),
        }
    }

    /// Goes over all axes until nothing gets smaller.
    fn reduce(&mut self) -> Result<(), Stop> {
        let mut before = None;
        while before != Some(self.best.clone()) && !self.is_over() {
            before = Some(self.best.clone());
            self.fewer_faults()?;
            self.pinned_times()?;
            self.fewer("fewer keys", keys_of, |line, keys| {
                line.acts().iter().all(|act| keys.contains(act.key()))
            })?;
            self.fewer(
                "fewer sessions",
                |all| all.sessions().into_iter().collect(),
                |line, kept| kept.contains(&line.session),
            )?;
            self.fewer_calls()?;
            self.fewer_effects()?;
            self.fewer_nodes()?;
            self.weaker_faults()?;
        }
        Ok(())
    }

    /// Keeps of all items of a kind as few as fail still.
    fn fewer<T: Clone + Ord>(
        &mut self,
        what: &'static str,
        items: impl Fn(&Script) -> Vec<T>,
        keep: impl Fn(&Line, &BTreeSet<T>) -> bool,
    ) -> Result<(), Stop> {
        let base = self.best.clone();
        let Some(script) = &base.script else { return Ok(()) };
        self.fewest(what, items(script), |kept| {
            let kept: BTreeSet<T> = kept.iter().cloned().collect();
            keep_lines(&base, |line| keep(line, &kept))
        })
    }

    fn fewer_calls(&mut self) -> Result<(), Stop> {
        let base = self.best.clone();
        self.fewest("fewer calls", lines(&base).to_vec(), |kept| with_lines(&base, kept.to_vec()))
    }

    fn fewer_faults(&mut self) -> Result<(), Stop> {
        let base = self.best.clone();
        self.fewest("fewer faults", faults(&base), |kept| with_faults(&base, kept.to_vec()))
    }

    /// Two-way cuts become one-way, many links one: effect by effect.
    fn fewer_effects(&mut self) -> Result<(), Stop> {
        let base = self.best.clone();
        let of = |fault: &PlannedFault| {
            (0..fault.effects.len()).map(|effect| (fault.id.0, effect)).collect::<Vec<_>>()
        };
        let all: Vec<(u32, usize)> = base.faults.faults.iter().flat_map(of).collect();
        self.fewest("less of each fault", all, |kept| {
            let mut left = faults(&base);
            for (number, fault) in &mut left {
                let effects = std::mem::take(&mut fault.effects).into_iter().enumerate();
                let effects = effects.filter(|(effect, _)| kept.contains(&(*number, *effect)));
                fault.effects = effects.map(|(_, effect)| effect).collect();
            }
            left.retain(|(_, fault)| !fault.effects.is_empty());
            with_faults(&base, left)
        })
    }

    fn fewest<T: Clone>(
        &mut self,
        what: &'static str,
        items: Vec<T>,
        build: impl Fn(&[T]) -> Option<Resolved>,
    ) -> Result<(), Stop> {
        let mut stopped = None;
        ddmin(items, &mut |candidates: &[Vec<T>]| {
            if stopped.is_some() || self.is_over() {
                return None;
            }
            let seed = self.best.seed.clone();
            let built = |kept: &Vec<T>| Some(Resolved { seed: seed.clone(), ..build(kept)? });
            let plans: Vec<Option<Resolved>> = candidates.iter().map(built).collect();
            match self.oracle.first(&plans) {
                Ok(Some((index, resolved))) => {
                    self.best = resolved;
                    self.note(what);
                    Some(index)
                }
                Ok(None) => None,
                Err(stop) => {
                    stopped = Some(stop);
                    None
                }
            }
        });
        stopped.map_or(Ok(()), Err)
    }

    /// A fault that waits for the how-manieth call is made to wait for the first, or again for none.
    fn pinned_times(&mut self) -> Result<(), Stop> {
        for index in 0..self.best.faults.faults.len() {
            let Some(trigger) = self.best.faults.faults[index].trigger.clone() else { continue };
            let simpler = |nth, every| {
                with_fault(&self.best, index, |fault| {
                    if let Some(trigger) = &mut fault.trigger {
                        (trigger.nth, trigger.every) = (nth, every);
                    }
                })
            };
            let once = trigger.every.map(|_| simpler(trigger.nth, None));
            let first = (trigger.nth > 1).then(|| simpler(1, None));
            let candidates: Vec<_> = first.into_iter().chain(once).collect();
            self.take("a simpler trigger", &candidates)?;
        }
        Ok(())
    }

    fn fewer_nodes(&mut self) -> Result<(), Stop> {
        let mut node = self.best.nodes.len();
        while node > 0 && self.best.nodes.len() > 1 {
            node -= 1;
            let heirs = (0..self.best.nodes.len()).filter(|heir| *heir != node).map(Some);
            let candidates: Vec<Option<Resolved>> = std::iter::once(None)
                .chain(heirs)
                .map(|heir| change::without_node(&self.best, node, heir))
                .collect();
            self.take("fewer nodes", &candidates)?;
        }
        Ok(())
    }

    /// Each effect by a weaker one, faults that stay instead of coming and going, shorter windows.
    fn weaker_faults(&mut self) -> Result<(), Stop> {
        let mut index = 0;
        while index < self.best.faults.faults.len() && !self.is_over() {
            let fault = self.best.faults.faults[index].clone();
            let mut candidates = Vec::new();
            for (effect, strong) in fault.effects.iter().enumerate() {
                let weaken = |weak| with_fault(&self.best, index, |fault| fault.effects[effect] = weak);
                candidates.extend(strong.weaker().into_iter().map(weaken));
            }
            if fault.flap_period.is_some() {
                candidates.push(with_fault(&self.best, index, |fault| fault.flap_period = None));
            }
            if fault.duration > SHORT {
                let half = Nanos(fault.duration.0 / 2);
                candidates.push(with_fault(&self.best, index, |fault| fault.duration = half));
                candidates.push(with_fault(&self.best, index, |fault| {
                    (fault.at, fault.duration) = (fault.at + half, fault.duration.since(half));
                }));
            }
            if !self.take("a weaker fault", &candidates)? {
                index += 1;
            }
        }
        Ok(())
    }

    /// Earlier and rounder times, shorter names; and once more fewer calls, for the new times may do with
    /// less.
    fn beautify(&mut self) -> Result<(), Stop> {
        let close = [Nanos(0), Nanos::from_millis(5), Nanos::from_millis(50)];
        let rhythms = close.iter().flat_map(|gap| BEATS.iter().map(move |beat| (*beat, *gap)));
        let mut candidates: Vec<_> =
            rhythms.map(|(beat, gap)| change::in_rhythm(&self.best, beat, gap)).collect();
        let round = [1_000, 100, 10, 1].map(|millis| change::rounded(&self.best, Nanos::from_millis(millis)));
        candidates.extend(round);
        self.take("rounder times", &candidates)?;
        self.fewer_calls()?;
        self.fewer_effects()?;
        let named = [change::plainly_named(&self.best)];
        self.take("shorter names", &named)?;
        Ok(())
    }

    fn finish(self) -> Result<Shrunk, Stop> {
        let unfinished = self.is_over();
        let Self { oracle, best, steps, .. } = self;
        let oracle = Oracle { over: &|| false, ..oracle };
        let history = oracle.look(&best)?;
        let history = history.ok_or_else(|| anyhow::anyhow!("what was shrunk to does not fail again"))?;
        let necessary = if unfinished { Vec::new() } else { necessary::all(&oracle, &best)? };
        let played = oracle.played.into_inner();
        let goal = oracle.goal;
        Ok(Shrunk { prepared: Prepared::with(best)?, history, goal, steps, necessary, played, unfinished })
    }
}

fn keys_of(script: &Script) -> Vec<Key> {
    script.keys().into_iter().cloned().collect()
}

pub(crate) fn size(resolved: &Resolved) -> Size {
    let script = resolved.script.as_ref();
    Size {
        calls: lines(resolved).len(),
        faults: resolved.faults.faults.len(),
        effects: resolved.faults.faults.iter().map(|fault| fault.effects.len()).sum(),
        nodes: resolved.nodes.len(),
        sessions: script.map_or(0, |script| script.sessions().len()),
        keys: script.map_or(0, |script| script.keys().len()),
    }
}

/// `212 calls of 3 sessions, 2 faults of 5 effects, 3 nodes`.
impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = |count: usize, one, many| counted(count as u64, one, many);
        write!(
            f,
            "{} of {}, {}{}, {}",
            count(self.calls, "call", "calls"),
            count(self.sessions, "session", "sessions"),
            count(self.faults, "fault", "faults"),
            if self.effects > self.faults { format!(" of {} effects", self.effects) } else { String::new() },
            count(self.nodes, "node", "nodes")
        )
    }
}

impl Shrunk {
    /// `13 201 → 212 → 2 calls, 2 → 1 fault, 3 → 2 nodes`.
    pub(crate) fn course(&self) -> String {
        let course = |of: fn(&Size) -> usize, one: &str, many: &str| {
            let mut sizes: Vec<usize> = self.steps.iter().map(|step| of(&step.size)).collect();
            sizes.dedup();
            let noun = if sizes.last() == Some(&1) { one } else { many };
            let mut sizes: Vec<String> = sizes.into_iter().map(|size| grouped(size as u64)).collect();
            // A long way is told by its beginning and its end.
            if sizes.len() > 5 {
                sizes.splice(3..sizes.len() - 2, ["…".to_string()]);
            }
            format!("{} {noun}", sizes.join(" → "))
        };
        let calls = course(|size| size.calls, "call", "calls");
        let faults = course(|size| size.faults, "fault", "faults");
        format!("{calls}, {faults}, {}", course(|size| size.nodes, "node", "nodes"))
    }
}
