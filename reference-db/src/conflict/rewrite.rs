//! Typed operations on plain values: read the whole value, write the whole value back.
//!
//! ```text
//! [1,2]  append 3  →  [1,2,3]      two nodes that do so at once write two lists, and one of them may be lost:
//!                                  that is what merged types are for
//! ```
//!
//! A set is a list that is kept sorted and without doubles, a counter is a number.

use super::Intent;
use crate::datum::Datum;
use crate::refusal::Refusal;
use crate::request::Action;

/// The whole value that an operation leaves behind.
pub(super) fn rewritten(old: Option<&Datum>, intent: &Intent<'_>) -> Result<Datum, Refusal> {
    let mismatch = || intent.mismatch(old.map_or("nothing", |value| value.kind().name()));
    match intent.action {
        Action::Append { value } => match old {
            None => Ok(Datum::list([value])),
            Some(list) => list.appended(value).ok_or_else(mismatch),
        },
        Action::Increment { by } => {
            let number = old.map_or(Some(0), Datum::as_integer).ok_or_else(mismatch)?;
            let sum = number.checked_add(*by).ok_or_else(|| Refusal::Overflow { key: intent.key.clone() })?;
            Ok(Datum::integer(sum))
        }
        Action::Add { value } => {
            let mut elements = old.map_or(Some(Vec::new()), Datum::elements).ok_or_else(mismatch)?;
            if let Err(place) = elements.binary_search(value) {
                elements.insert(place, value.clone());
            }
            Ok(Datum::list(&elements))
        }
        Action::Remove { value } => {
            let mut elements = old.map_or(Some(Vec::new()), Datum::elements).ok_or_else(mismatch)?;
            elements.retain(|element| element != value);
            Ok(Datum::list(&elements))
        }
        Action::Write { value } => Ok(value.clone()),
        // Neither leaves a value behind; the callers deal with them.
        Action::Read | Action::Delete | Action::Cas { .. } => Err(mismatch()),
    }
}
