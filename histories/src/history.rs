//! A history: operations paired from events, valid by construction.
//!
//! ```text
//!   0.1 s  c0 invoke  write x 1 ─┐                 op 0   c0  [0.1, 0.3]  write x 1   confirmed
//!   0.2 s  c1 invoke  read x  ───┼─┐        ──►    op 1   c1  [0.2,    ]  read x      unknown
//!   0.3 s  c0 confirmed        ──┘ └─ (the recording ends)
//! ```

use rustc_hash::{FxHashMap, FxHashSet};

use crate::list::Sharing;
use crate::names::Names;
use crate::{
    Call, Event, EventKind, FaultEvent, Header, Malformed, MicroOp, Nanos, NodeEvent, NodeName, Observed,
    Operation, OperationId, Outcome, Phase, Problem, Reason, Reply, SessionId, Value,
};

/// What every client saw, what was done to the cluster, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    header: Header,
    operations: Vec<Operation>,
    faults: Vec<(Nanos, FaultEvent)>,
    nodes: Vec<(Nanos, NodeEvent)>,
    phases: Vec<(Nanos, Phase)>,
    end: Nanos,
}

impl History {
    /// Pairs `events` to a history.
    pub fn new(header: Header, events: impl IntoIterator<Item = Event>) -> Result<Self, Malformed> {
        let mut builder = HistoryBuilder::new(header);
        for event in events {
            builder.push(event)?;
        }
        Ok(builder.finish())
    }

    /// What the history is about.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// All operations in the order of invocation: `operations()[id.index()].id == id`, unless this is a part
    /// of a table ([`crate::compact::TxnTable::part`]) and keeps the numbers of the whole.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation with this number, which the history has.
    pub fn operation(&self, id: OperationId) -> &Operation {
        self.find(id).unwrap_or_else(|| panic!("{id} is not in the history"))
    }

    /// The operation with this number, if the history has it.
    pub fn find(&self, id: OperationId) -> Option<&Operation> {
        match self.operations.get(id.index()) {
            Some(operation) if operation.id == id => Some(operation),
            _ => {
                let place = self.operations.binary_search_by_key(&id, |operation| operation.id).ok()?;
                self.operations.get(place)
            }
        }
    }

    /// Gives each operation another number, in ascending order.
    pub(crate) fn renumber(&mut self, ids: impl Iterator<Item = OperationId>) {
        self.operations.iter_mut().zip(ids).for_each(|(operation, id)| operation.id = id);
        assert!(self.operations.is_sorted_by_key(|operation| operation.id), "numbers go up");
    }

    /// Everything that happened to faults, in the order of time.
    pub fn faults(&self) -> &[(Nanos, FaultEvent)] {
        &self.faults
    }

    /// Every change of a node's state, in the order of time.
    pub fn node_events(&self) -> &[(Nanos, NodeEvent)] {
        &self.nodes
    }

    /// When each phase began, in the order of time.
    pub fn phases(&self) -> &[(Nanos, Phase)] {
        &self.phases
    }

    /// When `phase` began.
    pub fn phase_began(&self, phase: Phase) -> Option<Nanos> {
        self.phases.iter().find(|(_, began)| *began == phase).map(|(time, _)| *time)
    }

    /// The reads that show the final state: those made in the phase of final reads.
    pub fn final_reads(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| {
            operation.phase == Phase::FinalReads && operation.call.is_read_only() && operation.is_confirmed()
        })
    }

    /// The nodes: those of the header, else those that operations name, in order.
    pub fn nodes(&self) -> Vec<NodeName> {
        if !self.header.nodes.is_empty() {
            return self.header.nodes.clone();
        }
        let mut nodes: Vec<NodeName> = Vec::new();
        for node in self.operations.iter().filter_map(|operation| operation.node.as_ref()) {
            if !nodes.contains(node) {
                nodes.push(node.clone());
            }
        }
        nodes.sort();
        nodes
    }

    /// The time of the last event.
    pub fn end(&self) -> Nanos {
        self.end
    }
}

/// Takes events one by one; refuses the first that cannot follow.
#[derive(Debug)]
pub struct HistoryBuilder {
    history: History,
    sessions: FxHashMap<SessionId, SessionState>,
    names: Names,
    sharing: Sharing,
    /// Operations that were learnt of after others that came later.
    late: Vec<Operation>,
    /// True if whoever pushes events has one text for each key.
    keys_are_shared: bool,
    /// True if the lists of the next answer share their memory already.
    lists_are_shared: bool,
    /// The nodes that the header names; empty if it names none, and then any node may come.
    declared: FxHashSet<NodeName>,
    phase: Phase,
    count: usize,
}

#[derive(Debug, Clone, Copy)]
enum SessionState {
    Idle,
    InFlight(OperationId),
    Over,
}

impl HistoryBuilder {
    /// Starts a history.
    pub fn new(header: Header) -> Self {
        let declared = header.nodes.iter().cloned().collect();
        let history = History { header, ..History::default() };
        let phase = Phase::default();
        Self {
            history,
            sessions: FxHashMap::default(),
            names: Names::default(),
            sharing: Sharing::default(),
            late: Vec::new(),
            keys_are_shared: false,
            lists_are_shared: false,
            declared,
            phase,
            count: 0,
        }
    }

    /// Takes the next event.
    pub fn push(&mut self, event: Event) -> Result<(), Malformed> {
        let index = self.count;
        self.take(event).map_err(|problem| Malformed { index, problem })?;
        self.count += 1;
        Ok(())
    }

    /// The names so far, for a reader that makes events of texts.
    pub(crate) fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// The header, for a reader that learns on its way what the history is about.
    pub(crate) fn header_mut(&mut self) -> &mut Header {
        &mut self.history.header
    }

    /// From now on the keys of events are taken as they are: their reader has one text for each.
    pub(crate) fn keys_are_shared(&mut self) {
        self.keys_are_shared = true;
    }

    /// Whether the lists of the answers from now on share their memory already.
    pub(crate) fn lists_are_shared(&mut self, are_shared: bool) {
        self.lists_are_shared = are_shared;
    }

    /// Takes additions of integers for increments: only what reads see tells one from the other.
    pub(crate) fn additions_are_increments(&mut self) {
        let micro_ops = self.history.operations.iter_mut().flat_map(|operation| match &mut operation.call {
            Call::Single(micro_op) => std::slice::from_mut(micro_op),
            Call::Transaction(micro_ops) => micro_ops,
        });
        for micro_op in micro_ops {
            if let MicroOp::Add { key, element: Value::Integer(by) } = micro_op {
                *micro_op = MicroOp::Increment { key: key.clone(), by: *by };
            }
        }
    }

    /// The call that a session has in flight.
    pub(crate) fn in_flight(&self, session: SessionId) -> Option<&Call> {
        match self.sessions.get(&session) {
            Some(SessionState::InFlight(id)) => Some(&self.history.operation(*id).call),
            Some(SessionState::Idle | SessionState::Over) | None => None,
        }
    }

    /// What the call in flight really asked, for a reader that learns it from the answer.
    pub(crate) fn was_asked(&mut self, session: SessionId, call: Call) {
        if let Some(SessionState::InFlight(id)) = self.sessions.get(&session) {
            self.history.operations[id.index()].call = call;
        }
    }

    /// Adds an operation of the unused session `own`, which was in flight from when the call of `session` was
    /// asked until now.
    pub(crate) fn beside(
        &mut self,
        session: SessionId,
        own: SessionId,
        now: Nanos,
        call: Call,
        outcome: Outcome,
    ) {
        if let Some(SessionState::InFlight(id)) = self.sessions.get(&session) {
            let first = self.history.operation(*id).clone();
            self.late.push(Operation { session: own, call, completed: Some(now), outcome, ..first });
        }
    }

    /// Single reads that were not confirmed are taken to have asked this.
    pub(crate) fn unanswered_reads_asked(&mut self, call: &Call) {
        for operation in &mut self.history.operations {
            if matches!(operation.call, Call::Single(MicroOp::Read { .. })) && !operation.is_confirmed() {
                operation.call = call.clone();
            }
        }
    }

    /// Ends the recording: a call still in flight stays unknown.
    pub fn finish(mut self) -> History {
        self.sharing.share(&mut self.history.operations);
        if !self.late.is_empty() {
            self.history.operations.append(&mut self.late);
            self.history.operations.sort_by_key(|operation| operation.invoked);
            self.history.renumber((0..).map(OperationId));
        }
        self.history
    }

    fn take(&mut self, event: Event) -> Result<(), Problem> {
        let Event { time, kind } = event;
        if time < self.history.end {
            return Err(Problem::TimeGoesBack { before: self.history.end, now: time });
        }
        match kind {
            EventKind::Invoke { session, node, planned, call } => {
                self.invoke(time, session, node, planned, call)?;
            }
            EventKind::Complete { session, outcome } => self.complete(time, session, outcome)?,
            EventKind::Fault(fault) => self.history.faults.push((time, fault)),
            EventKind::Node(node) => {
                self.check_node(&node.node)?;
                self.history.nodes.push((time, node));
            }
            EventKind::Phase(phase) => {
                self.phase = phase;
                self.history.phases.push((time, phase));
            }
        }
        self.history.end = time;
        Ok(())
    }

    fn invoke(
        &mut self,
        time: Nanos,
        session: SessionId,
        node: Option<NodeName>,
        planned: Option<Nanos>,
        call: Call,
    ) -> Result<(), Problem> {
        let id = u32::try_from(self.history.operations.len()).map_err(|_| Problem::TooMany)?;
        match self.sessions.get(&session) {
            None | Some(SessionState::Idle) => {}
            Some(SessionState::InFlight(id)) => {
                let invoked = self.history.operation(*id).invoked;
                return Err(Problem::TwoInFlight { session, invoked });
            }
            Some(SessionState::Over) => return Err(Problem::SessionIsOver { session }),
        }
        check_call(&call)?;
        let operation = Operation {
            id: OperationId(id),
            session,
            node: self.intern_node(node)?,
            call: self.intern_keys(call),
            planned,
            invoked: time,
            completed: None,
            outcome: Outcome::Unknown(Reason::UNANSWERED),
            phase: self.phase,
        };
        self.sessions.insert(session, SessionState::InFlight(operation.id));
        self.history.operations.push(operation);
        Ok(())
    }

    fn complete(&mut self, time: Nanos, session: SessionId, outcome: Outcome) -> Result<(), Problem> {
        let Some(state) = self.sessions.get_mut(&session) else { return Err(Problem::NoCall { session }) };
        let SessionState::InFlight(id) = *state else { return Err(Problem::NoCall { session }) };
        let operation = &mut self.history.operations[id.index()];
        if let Outcome::Confirmed(replies) = &outcome {
            check_replies(&operation.call, replies)?;
        }
        *state = if outcome.is_unknown() { SessionState::Over } else { SessionState::Idle };
        operation.outcome = outcome;
        operation.completed = Some(time);
        if !self.lists_are_shared {
            self.sharing.answered(&mut self.history.operations, id);
        }
        Ok(())
    }

    fn check_node(&self, node: &NodeName) -> Result<(), Problem> {
        if self.declared.is_empty() || self.declared.contains(node) {
            return Ok(());
        }
        Err(Problem::UnknownNode { node: node.clone() })
    }

    fn intern_keys(&mut self, mut call: Call) -> Call {
        if self.keys_are_shared {
            return call;
        }
        let mut intern = |micro_op: &mut MicroOp| {
            let key = micro_op.key_mut();
            *key = self.names.key(key.as_str());
        };
        match &mut call {
            Call::Single(micro_op) => intern(micro_op),
            Call::Transaction(micro_ops) => micro_ops.iter_mut().for_each(intern),
        }
        call
    }

    fn intern_node(&mut self, node: Option<NodeName>) -> Result<Option<NodeName>, Problem> {
        let Some(node) = node else { return Ok(None) };
        self.check_node(&node)?;
        Ok(Some(self.names.node(node.as_str())))
    }
}

fn check_call(call: &Call) -> Result<(), Problem> {
    if call.micro_ops().is_empty() {
        return Err(Problem::EmptyTransaction);
    }
    call.micro_ops().iter().try_for_each(|micro_op| match micro_op {
        MicroOp::CompareAndSet { expected, .. } => check_observed(expected),
        _ => Ok(()),
    })
}

fn check_replies(call: &Call, replies: &[Reply]) -> Result<(), Problem> {
    let micro_ops = call.micro_ops();
    if micro_ops.len() != replies.len() {
        return Err(Problem::ReplyCount { calls: micro_ops.len(), replies: replies.len() });
    }
    for (index, (micro_op, reply)) in micro_ops.iter().zip(replies).enumerate() {
        match (micro_op.observes(), &reply.observed) {
            (true, None) => {
                return Err(Problem::ReplyKind { index, problem: missing_answer(micro_op) });
            }
            (false, Some(_)) => {
                return Err(Problem::ReplyKind { index, problem: "only a read says what it saw" });
            }
            (true, Some(observed)) if !micro_op.is_read() && observed.values.len() > 1 => {
                let problem = "one element is taken at a time; give several dequeues or pops";
                return Err(Problem::ReplyKind { index, problem });
            }
            (true, Some(observed)) => check_observed(observed)?,
            (false, None) => {}
        }
    }
    Ok(())
}

fn missing_answer(micro_op: &MicroOp) -> &'static str {
    match micro_op.is_read() {
        true => "a confirmed read says what it saw",
        false => "a confirmed dequeue or pop says what it took",
    }
}

fn check_observed(observed: &Observed) -> Result<(), Problem> {
    let (values, versions) = (observed.values.len(), observed.versions.len());
    if versions == 0 || versions == values || values == 0 {
        return Ok(());
    }
    Err(Problem::VersionCount { values, versions })
}
