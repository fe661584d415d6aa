//! The end of a history: nodes that do not agree, what comes back, what is gone.
//!
//! ```text
//!   -- final-reads
//!   c0@A read x → 1         c1@B read x → 2                     disagree
//!   write x 5, delete x → OK, read x → 5                        came-back
//!   cas x 1 2 → OK, and all read x → 3, that came from 1        vanished
//! ```

use histories::{Key, MicroOp, Observed, Operation, OperationId, Phase, Value};

use crate::document::Claim;
use crate::flaw::demand;
use crate::outline::{Single, named};
use crate::record::{Part, Record, Shape};
use crate::{Derived, Flaw};

pub(crate) fn derive(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    match single.form {
        "disagree" => disagree(record, guarantee, single),
        "came-back" => came_back(record, guarantee, single),
        _ => vanished(record, guarantee, single),
    }
}

fn is_final(operation: &Operation) -> bool {
    operation.phase == Phase::FinalReads && operation.call.is_read_only() && operation.is_confirmed()
}

/// What was seen, where order means nothing sorted, and without what is as good as nothing.
fn normal(shape: Shape, observed: &Observed) -> Vec<Value> {
    let is_nothing = |value: &Value| match shape {
        Shape::Counter => *value == Value::Integer(0),
        Shape::Register | Shape::Mixed => false,
        Shape::List | Shape::Set | Shape::Queue | Shape::Stack => {
            value.as_list().is_some_and(<[Value]>::is_empty)
        }
    };
    let mut values: Vec<Value> = observed.values.iter().filter(|value| !is_nothing(value)).cloned().collect();
    for value in &mut values {
        if let (Shape::Set, Value::List(elements)) = (shape, &*value) {
            let mut sorted = elements.to_vec();
            sorted.sort_unstable();
            *value = Value::List(sorted.into());
        }
    }
    values.sort_unstable();
    values
}

fn disagree(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = named(single, guarantee, (guarantee == "convergence").then_some("divergence"))?;
    let (key, [one, other]) = (&single.key, single.told()?);
    demand(one < other, "the later read is named first")?;
    let (first, second) = (record.find(one)?, record.find(other)?);
    demand(is_final(first) && is_final(second), "those are not two final reads")?;
    demand(first.node.is_some() && first.node != second.node, "both were of one node")?;
    let seen = |operation: &Operation| {
        let parts = operation.steps().filter(|(micro_op, _)| micro_op.key() == key);
        let observed = parts.filter_map(|(_, reply)| reply?.observed.as_ref()).last();
        observed.map(|observed| normal(record.shape(key), observed))
    };
    let (these, those) = (seen(first), seen(second));
    demand(these.is_some() && those.is_some() && these != those, "the two do not differ")?;
    let (began, ended) = (first.invoked.min(second.invoked), first.completed.max(second.completed));
    let is_between = |part: &Part<'_>| {
        let change = part.operation;
        let is_late =
            change.phase == Phase::FinalReads || change.is_confirmed() && change.completed >= Some(began);
        is_late && Some(change.invoked) <= ended
    };
    let changes = record.possible(key, |micro_op| !micro_op.is_read());
    demand(!changes.iter().any(is_between), "the key was still being changed")?;
    let claim = Claim::Disagree { key: key.clone(), one, other };
    Ok(Derived { claim, operations: vec![one, other], name })
}

fn shows(operation: &Operation, key: &Key, value: &Value) -> bool {
    let has = |seen: &Value| seen == value || seen.as_list().is_some_and(|list| list.contains(value));
    let seen = operation.steps().filter(|(micro_op, _)| micro_op.key() == key);
    let mut seen = seen.filter_map(|(_, reply)| reply?.observed.as_ref());
    seen.any(|observed| observed.values.iter().any(has))
}

fn looks_at(operation: &Operation, key: &Key) -> bool {
    operation.steps().any(|(micro_op, reply)| micro_op.is_read() && micro_op.key() == key && reply.is_some())
}

fn takes_out(operation: &Operation, key: &Key, value: &Value) -> bool {
    operation.call.micro_ops().iter().filter(|micro_op| micro_op.key() == key).any(
        |micro_op| match micro_op {
            MicroOp::Delete { .. } => true,
            MicroOp::Remove { element, .. } => element == value,
            _ => false,
        },
    )
}

/// The one was answered before the other was asked, in the same session or on the same node.
fn is_known(earlier: &Operation, later: &Operation) -> bool {
    earlier.precedes(later) && (earlier.session == later.session || same_node(earlier, later))
}

fn same_node(one: &Operation, other: &Operation) -> bool {
    one.node.is_some() && one.node == other.node
}

fn came_back(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = (guarantee == "deletes-stay-deleted").then_some("resurrection");
    let name = named(single, guarantee, name)?;
    let key = &single.key;
    let value = single.value.as_ref().ok_or(Flaw::Operations)?;
    let [removal, read, between @ ..] = single.operations.as_slice() else { return Err(Flaw::Operations) };
    let (remover, reader) = (record.find(*removal)?, record.find(*read)?);
    demand(shows(reader, key, value), "the read does not show the value")?;
    demand(
        remover.is_confirmed() && takes_out(remover, key, value) && remover.precedes(reader),
        "the value was not deleted before the read",
    )?;
    let makers: Vec<&Operation> = record.makers(key, value).iter().map(|part| part.operation).collect();
    let makers: Vec<&Operation> = makers.into_iter().filter(|maker| !reader.precedes(maker)).collect();
    let mut known = None;
    for maker in &makers {
        let (by, of) = covered(record, key, value, (maker, reader), makers.len() == 1)
            .ok_or(Flaw::NotSo("a call that may have brought the value was not deleted"))?;
        known = known.or((of == *removal).then_some((maker.id, by)));
    }
    let (writer, known) = known.ok_or(Flaw::NotSo("the delete did not know of the value"))?;
    match *between {
        [] => demand(is_final(reader), "that is no final read")?,
        [had, gone] => {
            let (first, second) = (record.find(had)?, record.find(gone)?);
            let is_here = [first, second, remover].into_iter().all(|operation| same_node(operation, reader));
            let in_order = first.precedes(second) && remover.precedes(second) && second.precedes(reader);
            let is_gone = shows(first, key, value) && looks_at(second, key) && !shows(second, key, value);
            demand(is_here && in_order && is_gone && makers.len() == 1, "the reads before do not show it")?;
        }
        _ => return Err(Flaw::Operations),
    }
    let (removal, read, between) = (*removal, *read, between.to_vec());
    let operations = [&[writer, removal, known, read], between.as_slice()].concat();
    let (key, value) = (key.clone(), value.clone());
    Ok(Derived {
        claim: Claim::CameBack { key, value, writer, removal, known, between, read },
        operations,
        name,
    })
}

/// Who shows that a removal before the read knew of what this maker brought, and the removal.
fn covered(
    record: &Record<'_>,
    key: &Key,
    value: &Value,
    (maker, reader): (&Operation, &Operation),
    is_alone: bool,
) -> Option<(OperationId, OperationId)> {
    record.on(key).iter().map(|part| part.operation).find_map(|remover| {
        if !(remover.is_confirmed() && takes_out(remover, key, value) && remover.precedes(reader)) {
            return None;
        }
        if is_known(maker, remover) {
            return Some((maker.id, remover.id));
        }
        // Any read may have seen another maker's value, unless there is but one.
        let mut reads = record.on(key).iter().map(|part| part.operation).filter(|read| read.id > maker.id);
        let read = reads.find(|read| is_alone && is_known(read, remover) && shows(read, key, value))?;
        Some((read.id, remover.id))
    })
}

fn vanished(record: &Record<'_>, guarantee: &str, single: &Single) -> Result<Derived, Flaw> {
    let name = named(single, guarantee, (guarantee == "no-lost-updates").then_some("lost-update"))?;
    let (key, [lost]) = (&single.key, single.told()?);
    let update = record.find(lost)?;
    let finals: Vec<&Operation> =
        record.on(key).iter().map(|part| part.operation).filter(|operation| is_final(operation)).collect();
    demand(
        !finals.is_empty() && finals.iter().all(|read| update.precedes(read)),
        "it was not confirmed before the end",
    )?;
    let is_read = |node| finals.iter().any(|read| read.node.as_ref() == Some(node));
    demand(record.history.nodes().iter().all(is_read), "some node was not read at the end")?;
    let ancestry = Ancestry { record, key };
    let descendants = ancestry.descendants(update);
    let parts = record.parts(update, key);
    let lost_part = parts.iter().find(|part| is_gone(&ancestry, &descendants, part, &finals));
    demand(lost_part.is_some(), "what it brought, or what came of it, is there at the end")?;
    let mut reads: Vec<OperationId> = finals.iter().map(|read| read.id).collect();
    reads.dedup();
    let operations = [&[lost], reads.as_slice()].concat();
    Ok(Derived { claim: Claim::Vanished { key: key.clone(), lost, reads }, operations, name })
}

fn is_gone(
    ancestry: &Ancestry<'_, '_>,
    descendants: &[OperationId],
    part: &Part<'_>,
    finals: &[&Operation],
) -> bool {
    let key = ancestry.key;
    let elements: Vec<&Value> = match part.asked() {
        MicroOp::Append { element, .. } | MicroOp::Add { element, .. } => vec![element],
        MicroOp::CompareAndSet { expected, value, .. } => {
            let had = |element: &&Value| {
                expected.values.iter().filter_map(Value::as_list).any(|list| list.contains(element))
            };
            value.as_list().unwrap_or_default().iter().filter(|element| !had(element)).collect()
        }
        _ => return false,
    };
    if !elements.is_empty() {
        return elements.into_iter().any(|element| {
            !finals.iter().any(|read| shows(read, key, element))
                && !ancestry.may_be_removed(part.operation, element)
        });
    }
    let kept = |read: &&Operation| {
        let mut seen = read.steps().filter(|(micro_op, _)| micro_op.key() == key);
        seen.any(|(_, reply)| {
            reply
                .and_then(|reply| reply.observed.as_ref())
                .is_some_and(|observed| ancestry.is_open(observed, descendants))
        })
    };
    !finals.iter().any(kept) && !ancestry.may_be_replaced(part.operation)
}

/// Which states of a register came from which, by what compare-and-sets found.
struct Ancestry<'r, 'h> {
    record: &'r Record<'h>,
    key: &'r Key,
}

impl<'h> Ancestry<'_, 'h> {
    /// Who made the states that were seen; none if that is not known of one of them.
    fn makers(&self, observed: &Observed) -> Option<Vec<&'h Operation>> {
        let of = |(place, value): (usize, &Value)| {
            let version = observed.versions.get(place);
            let named = |part: &&Part<'_>| {
                version.is_some()
                    && part.reply().and_then(|reply| reply.version.as_ref()) == version
                    && part.brings() == Some(value)
            };
            let by_name = self.record.on(self.key).iter().find(named).copied();
            by_name.or_else(|| self.record.maker(self.key, value)).map(|part| part.operation)
        };
        observed.values.iter().enumerate().map(of).collect()
    }

    /// The operation, and all compare-and-sets that found what came of it.
    fn descendants(&self, operation: &'h Operation) -> Vec<OperationId> {
        let mut descendants = vec![operation.id];
        for part in self.record.on(self.key).iter().filter(|part| part.is_possible()) {
            if let MicroOp::CompareAndSet { expected, .. } = part.asked()
                && self.is_open(expected, &descendants)
            {
                descendants.push(part.id());
            }
        }
        descendants
    }

    /// True if what was seen may have come of these.
    fn is_open(&self, observed: &Observed, of: &[OperationId]) -> bool {
        self.makers(observed).is_none_or(|makers| makers.iter().any(|maker| of.contains(&maker.id)))
    }

    /// True if the later came of the earlier, or must have known of it.
    fn is_before(&self, earlier: &'h Operation, later: &Operation) -> bool {
        is_known(earlier, later) || self.surely(earlier).contains(&later.id)
    }

    fn surely(&self, operation: &'h Operation) -> Vec<OperationId> {
        let mut descendants = vec![operation.id];
        for part in self.record.on(self.key) {
            if let MicroOp::CompareAndSet { expected, .. } = part.asked()
                && self
                    .makers(expected)
                    .is_some_and(|makers| makers.iter().any(|maker| descendants.contains(&maker.id)))
            {
                descendants.push(part.id());
            }
        }
        descendants
    }

    // A blind write or a delete leaves no trace of what it replaced.
    fn may_be_replaced(&self, update: &Operation) -> bool {
        let is_blind =
            |micro_op: &MicroOp| matches!(micro_op, MicroOp::Write { .. } | MicroOp::Delete { .. });
        let blind = self.record.possible(self.key, is_blind);
        blind.iter().any(|part| {
            part.id() > update.id
                || !part.operation.precedes(update) && !self.is_before(part.operation, update)
        })
    }

    fn may_be_removed(&self, update: &Operation, element: &Value) -> bool {
        let has = |value: &Value| value.as_list().is_some_and(|list| list.contains(element));
        let removes = |micro_op: &MicroOp| match micro_op {
            MicroOp::CompareAndSet { expected, value, .. } => expected.values.iter().any(has) && !has(value),
            MicroOp::Write { value, .. } => !has(value),
            MicroOp::Remove { element: other, .. } => other == element,
            MicroOp::Delete { .. } | MicroOp::Dequeue { .. } | MicroOp::Pop { .. } => true,
            _ => false,
        };
        self.record.possible(self.key, removes).iter().any(|part| !self.is_before(part.operation, update))
    }
}
