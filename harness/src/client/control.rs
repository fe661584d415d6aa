//! The control: a single copy in memory, behind one lock. Every guarantee must hold on it, so that
//! a workload or a checker that accuses it is itself wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use histories::{Call, Key, MicroOp, Observed, Outcome, Reason, Reply, Value, Version};
use smallvec::SmallVec;

/// The one copy that all sessions share.
#[derive(Clone, Default)]
pub(crate) struct SingleCopy {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    keys: BTreeMap<Key, (Value, Version)>,
    changes: u64,
}

/// A session on the single copy.
pub(crate) struct ControlClient {
    copy: SingleCopy,
}

impl ControlClient {
    pub(crate) fn new(copy: SingleCopy) -> Self {
        Self { copy }
    }

    pub(crate) fn call(&self, call: &Call) -> Outcome {
        let mut state = self.copy.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.apply(call)
    }
}

impl State {
    fn apply(&mut self, call: &Call) -> Outcome {
        let before = matches!(call, Call::Transaction(_)).then(|| self.keys.clone());
        let replies: Result<SmallVec<[Reply; 1]>, Reason> =
            call.micro_ops().iter().map(|micro_op| self.step(micro_op)).collect();
        match replies {
            Ok(replies) => Outcome::Confirmed(replies),
            Err(reason) => {
                if let Some(before) = before {
                    self.keys = before;
                }
                Outcome::Failed(reason)
            }
        }
    }

    fn step(&mut self, micro_op: &MicroOp) -> Result<Reply, Reason> {
        let key = micro_op.key();
        let value = match micro_op {
            MicroOp::Read { .. } => return Ok(Reply::read(self.observe(key))),
            MicroOp::Delete { .. } => {
                self.keys.remove(key);
                return Ok(Reply::changed(None));
            }
            MicroOp::Write { value, .. } => value.clone(),
            MicroOp::CompareAndSet { expected, value, .. } => {
                if self.observe(key) != **expected {
                    return Err(Reason::CONFLICT);
                }
                value.clone()
            }
            MicroOp::Dequeue { .. } | MicroOp::Pop { .. } => return self.take(micro_op),
            MicroOp::Append { element, .. }
            | MicroOp::Add { element, .. }
            | MicroOp::Enqueue { element, .. }
            | MicroOp::Push { element, .. } => {
                let mut elements = self.list(key)?;
                elements.push(element.clone());
                Value::from_iter(elements)
            }
            MicroOp::Remove { element, .. } => {
                let mut elements = self.list(key)?;
                elements.retain(|other| other != element);
                Value::from_iter(elements)
            }
            MicroOp::Increment { by, .. } => Value::Integer(self.number(key)?.wrapping_add(*by)),
        };
        self.changes += 1;
        let version = Version::from(format!("v{}", self.changes));
        self.keys.insert(key.clone(), (value, version.clone()));
        Ok(Reply::changed(Some(version)))
    }

    fn take(&mut self, micro_op: &MicroOp) -> Result<Reply, Reason> {
        let key = micro_op.key();
        let mut elements = self.list(key)?;
        let taken = match micro_op {
            MicroOp::Pop { .. } => elements.pop(),
            _ if elements.is_empty() => None,
            _ => Some(elements.remove(0)),
        };
        self.changes += 1;
        let version = Version::from(format!("v{}", self.changes));
        self.keys.insert(key.clone(), (Value::from_iter(elements), version));
        Ok(Reply::read(Observed { values: taken.into_iter().collect(), versions: Vec::new() }))
    }

    fn observe(&self, key: &Key) -> Observed {
        match self.keys.get(key) {
            Some((value, version)) => {
                Observed { values: vec![value.clone()], versions: vec![version.clone()] }
            }
            None => Observed::default(),
        }
    }

    fn list(&self, key: &Key) -> Result<Vec<Value>, Reason> {
        match self.keys.get(key) {
            None => Ok(Vec::new()),
            Some((Value::List(elements), _)) => Ok(elements.to_vec()),
            Some(_) => Err("the key holds no list".into()),
        }
    }

    fn number(&self, key: &Key) -> Result<i64, Reason> {
        match self.keys.get(key) {
            None => Ok(0),
            Some((Value::Integer(number), _)) => Ok(*number),
            Some(_) => Err("the key holds no number".into()),
        }
    }
}
