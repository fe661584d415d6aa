//! The choices that are left: pairs of writers of a key of which either may come first.
//!
//! A choice is a variable of a solver. It brings its edges along, and edges that go round in a circle
//! are a clause: not all of these choices. The circles are found while the solver goes along, on an order
//! of all nodes that is mended where a new edge goes against it.
//!
//! Source: Zhang and others, Viper, EuroSys 2023, and Bayless and others, SAT modulo monotonic theories,
//! AAAI 2015 (circles as clauses); Pearce & Kelly, JEA 2007 (the order).

use std::cell::Cell;
use std::rc::Rc;

use batsat::{Callbacks, Lit, Solver, SolverInterface, SolverOpts, Theory, TheoryArg, lbool};

use super::Stop;
use super::clocks::Clocks;
use super::model::{Model, Reason};
use crate::Budget;
use crate::isolation::lists::Lists;
use crate::isolation::sources::NONE;

/// Two writers of one key, neither of which is known to come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) one: u32,
    pub(super) other: u32,
}

/// An edge that a choice brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Brought {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) reason: Reason,
}

/// All choices that are left. Stops if there are more than the budget has steps.
pub(super) fn pairs(model: &Model<'_>, clocks: &Clocks, budget: &mut Budget) -> Result<Vec<Pair>, Stop> {
    let view = model.view;
    let mut found = Vec::new();
    for version in model.versions.iter().filter(|version| (version.writer as usize) < view.len()) {
        let writer = version.writer;
        let (entry, end) = (model.entry(writer), model.writes(writer));
        let is_free = |txn: u32, session: usize| {
            let entry_place = if model.level.excludes_writers() {
                model.place_of_reads(txn)
            } else {
                model.place_of_writes(txn)
            };
            model.place_of_writes(txn) < clocks.after(entry)[session]
                && entry_place >= clocks.before(end)[session]
        };
        let writers = model.writers.get(version.key as usize);
        for run in writers.chunk_by(|one, other| view.session(*one) == view.session(*other)) {
            let session = view.session(run[0]) as usize;
            let low = run.partition_point(|txn| {
                model.place_of_writes(*txn) < clocks.before(end)[session]
                    && model.place_of_reads(*txn) < clocks.before(end)[session]
            });
            for txn in run[low..].iter().copied() {
                if model.place_of_writes(txn) >= clocks.after(entry)[session] {
                    break;
                }
                if txn != writer && is_free(txn, session) {
                    if !budget.step() {
                        return Err(Stop::Budget);
                    }
                    found.push(Pair { one: writer.min(txn), other: writer.max(txn) });
                }
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// What it brings along if `first` comes before `later`.
pub(super) fn brought(model: &Model<'_>, first: u32, later: u32) -> Vec<Brought> {
    let written = model.view.written.get(first as usize);
    let theirs = model.view.written.get(later as usize);
    let shared = written.iter().copied().filter(|key| theirs.binary_search(key).is_ok());
    let mut edges = Vec::new();
    for key in shared {
        if edges.is_empty() {
            let (from, to) = (model.writes(first), model.entry(later));
            edges.push(Brought { from, to, reason: Reason::Supposed { key } });
        }
        let Some(version) = model.version(key, first) else { continue };
        let from = model.versions[version as usize].over;
        if from != NONE && from != model.writes(later) {
            edges.push(Brought { from, to: model.writes(later), reason: Reason::Overwritten { version } });
        }
    }
    edges
}

/// What was found on the way to *no*: the pairs of writers and the edges of all circles that were met.
#[derive(Debug, Default)]
pub(super) struct Met {
    pub(super) pairs: Vec<Pair>,
    pub(super) edges: Vec<(u32, u32)>,
}

/// Is there a choice for each pair without a circle? If not, the circles.
/// `order` is one of all nodes along the known edges.
pub(super) fn solve(
    model: &Model<'_>,
    pairs: &[Pair],
    order: &[u32],
    budget: &mut Budget,
) -> Result<Option<Met>, Stop> {
    let over = Rc::new(Cell::new(false));
    let mut solver = Solver::new(SolverOpts::default(), Limit(Rc::clone(&over)));
    let mut circles = Circles::new(model, order, budget.steps, over);
    for pair in pairs {
        let variable = solver.new_var(lbool::UNDEF, true);
        // A new variable is first tried as false: that is the order of the guess.
        let (one, other) = (pair.one, pair.other);
        let is_forward =
            circles.rank[model.writes(one) as usize] < circles.rank[model.writes(other) as usize];
        let (first, later) = if is_forward { (one, other) } else { (other, one) };
        debug_assert_eq!(variable.idx() as usize * 2, circles.choices.len());
        circles.choices.push(brought(model, later, first));
        circles.choices.push(brought(model, first, later));
    }
    let answer = solver.solve_limited_th(&mut circles, &[]);
    budget.steps = circles.steps;
    if answer == lbool::TRUE {
        return Ok(None);
    }
    if answer == lbool::FALSE {
        return Ok(Some(circles.met(pairs)));
    }
    Err(Stop::Budget)
}

struct Limit(Rc<Cell<bool>>);

impl Callbacks for Limit {
    fn stop(&self) -> bool {
        self.0.get()
    }
}

/// No choice.
const KNOWN: Lit = Lit::UNDEF;

struct Circles {
    /// What each literal brings along, by its number.
    choices: Vec<Vec<Brought>>,
    known_after: Lists,
    known_before: Lists,
    /// Edges of choices that are made: the other end, and the literal.
    chosen_after: Vec<Vec<(u32, Lit)>>,
    chosen_before: Vec<Vec<(u32, Lit)>>,
    rank: Vec<u32>,
    made: Vec<(u32, u32)>,
    /// For each level of the solver, how many edges and literals there were.
    levels: Vec<(usize, usize)>,
    looked: usize,
    steps: u64,
    over: Rc<Cell<bool>>,
    /// How each node was reached in the search for a circle: from where, by which literal.
    reached: Vec<(u32, Lit)>,
    marked: Vec<u32>,
    mark: u32,
    met: Vec<(u32, u32)>,
    met_literals: Vec<Lit>,
}

impl Circles {
    fn new(model: &Model<'_>, order: &[u32], steps: u64, over: Rc<Cell<bool>>) -> Self {
        let nodes = model.nodes as usize;
        let mut rank = vec![0; nodes];
        order.iter().enumerate().for_each(|(place, node)| rank[*node as usize] = place as u32);
        let known_after =
            Lists::new(nodes, |take| model.edges.iter().for_each(|edge| take(edge.from, edge.to)));
        let known_before =
            Lists::new(nodes, |take| model.edges.iter().for_each(|edge| take(edge.to, edge.from)));
        Self {
            choices: Vec::new(),
            known_after,
            known_before,
            chosen_after: vec![Vec::new(); nodes],
            chosen_before: vec![Vec::new(); nodes],
            rank,
            made: Vec::new(),
            levels: Vec::new(),
            looked: 0,
            steps,
            over,
            reached: vec![(0, KNOWN); nodes],
            marked: vec![0; nodes],
            mark: 0,
            met: Vec::new(),
            met_literals: Vec::new(),
        }
    }

    /// Adds an edge, or gives the literals of the circle that it would close.
    fn add(&mut self, from: u32, to: u32, literal: Lit) -> Result<(), Vec<Lit>> {
        if self.rank[from as usize] > self.rank[to as usize] || from == to {
            self.make_room(from, to, literal)?;
        }
        self.chosen_after[from as usize].push((to, literal));
        self.chosen_before[to as usize].push((from, literal));
        self.made.push((from, to));
        Ok(())
    }

    // All that follows `to` moves behind all that leads to `from`, within the ranks that they have.
    fn make_room(&mut self, from: u32, to: u32, literal: Lit) -> Result<(), Vec<Lit>> {
        let highest = self.rank[from as usize];
        let mut following = self.search(to, |rank| rank <= highest, true);
        if self.marked[from as usize] == self.mark {
            return Err(self.circle(from, to, literal));
        }
        let lowest = self.rank[to as usize];
        let mut leading = self.search(from, |rank| rank >= lowest, false);
        let mut ranks: Vec<u32> =
            leading.iter().chain(&following).map(|node| self.rank[*node as usize]).collect();
        ranks.sort_unstable();
        leading.sort_unstable_by_key(|node| self.rank[*node as usize]);
        following.sort_unstable_by_key(|node| self.rank[*node as usize]);
        for (node, rank) in leading.iter().chain(&following).zip(ranks) {
            self.rank[*node as usize] = rank;
        }
        Ok(())
    }

    fn search(&mut self, start: u32, within: impl Fn(u32) -> bool, forward: bool) -> Vec<u32> {
        self.mark += 1;
        self.marked[start as usize] = self.mark;
        let mut found = vec![start];
        let mut next = 0;
        while next < found.len() {
            let node = found[next];
            next += 1;
            let (known, chosen) = if forward {
                (&self.known_after, &self.chosen_after)
            } else {
                (&self.known_before, &self.chosen_before)
            };
            let known = known.get(node as usize).iter().map(|other| (*other, KNOWN));
            for (other, literal) in known.chain(chosen[node as usize].iter().copied()) {
                self.steps = self.steps.saturating_sub(1);
                let is_new = self.marked[other as usize] != self.mark;
                if is_new && within(self.rank[other as usize]) {
                    self.marked[other as usize] = self.mark;
                    self.reached[other as usize] = (node, literal);
                    found.push(other);
                }
            }
        }
        self.over.set(self.steps == 0);
        found
    }

    fn circle(&mut self, from: u32, to: u32, literal: Lit) -> Vec<Lit> {
        let mut literals = vec![literal];
        let mut at = from;
        while at != to {
            let (before, literal) = self.reached[at as usize];
            match literal {
                KNOWN => self.met.push((before, at)),
                literal => literals.push(literal),
            }
            at = before;
        }
        literals.sort_unstable();
        literals.dedup();
        self.met_literals.extend_from_slice(&literals);
        literals
    }

    fn met(mut self, pairs: &[Pair]) -> Met {
        self.met.sort_unstable();
        self.met.dedup();
        let mut met: Vec<u32> = self.met_literals.iter().map(|literal| literal.idx() / 2).collect();
        met.sort_unstable();
        met.dedup();
        Met { pairs: met.into_iter().map(|index| pairs[index as usize]).collect(), edges: self.met }
    }
}

impl Theory for Circles {
    fn partial_check(&mut self, acts: &mut TheoryArg<'_>) {
        while let Some(literal) = acts.model().get(self.looked).copied() {
            self.looked += 1;
            let number = literal.idx() as usize;
            for index in 0..self.choices[number].len() {
                let Brought { from, to, .. } = self.choices[number][index];
                if let Err(literals) = self.add(from, to, literal) {
                    let clause: Vec<Lit> = literals.iter().map(|literal| !*literal).collect();
                    acts.raise_conflict(&clause, false);
                    return;
                }
            }
        }
    }

    fn final_check(&mut self, acts: &mut TheoryArg<'_>) {
        self.partial_check(acts);
    }

    fn create_level(&mut self) {
        self.levels.push((self.made.len(), self.looked));
    }

    fn pop_levels(&mut self, n: usize) {
        let Some((made, looked)) = self.levels.drain(self.levels.len() - n..).next() else { return };
        while self.made.len() > made {
            let Some((from, to)) = self.made.pop() else { break };
            self.chosen_after[from as usize].pop();
            self.chosen_before[to as usize].pop();
        }
        self.looked = looked;
    }

    fn n_levels(&self) -> usize {
        self.levels.len()
    }

    fn explain_propagation(&mut self, _: Lit) -> &[Lit] {
        &[]
    }
}
