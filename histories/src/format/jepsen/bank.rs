//! The calls of Jepsen's bank: transfers change two accounts at once, a read shows them all.
//!
//! ```text
//!   :f :transfer, :value {:from 1, :to 2, :amount 5}     txn increment 1 -5; increment 2 5
//!   :f :read, :value {1 15, 2 20}                        txn read 1; read 2 -> 15; 20
//! ```
//!
//! Source: jepsen.tests.bank.

use super::super::datum::Datum;
use super::meaning::Answered;
use super::said::Keys;
use crate::{Call, MicroOp, Observed, Outcome, Reply, Value};

/// The call of a transfer.
pub(super) fn transfer(fields: Vec<(Datum, Datum)>, keys: &mut Keys) -> Result<Call, String> {
    let (mut from, mut to, mut amount) = (None, None, None);
    for (name, datum) in fields {
        match name.into_value()?.as_ref().and_then(Value::as_text).map(|name| name.trim_start_matches(':')) {
            Some("from") => from = keys.of_datum(datum),
            Some("to") => to = keys.of_datum(datum),
            Some("amount") => amount = datum.into_value()?.and_then(|amount| amount.as_integer()),
            _ => {}
        }
    }
    let (Some(from), Some(to), Some(amount)) = (from, to, amount) else {
        return Err("expected {:from ACCOUNT, :to ACCOUNT, :amount N}".into());
    };
    let taken = amount.checked_neg().ok_or("the amount does not fit a signed 64-bit integer when taken")?;
    Ok(Call::Transaction(vec![
        MicroOp::Increment { key: from, by: taken },
        MicroOp::Increment { key: to, by: amount },
    ]))
}

/// What a read of all accounts was, from what it showed.
pub(super) fn read(balances: Vec<(Datum, Datum)>, keys: &mut Keys) -> Result<Answered, String> {
    let (mut reads, mut replies) = (Vec::new(), Vec::new());
    for (account, balance) in balances {
        let key = keys.of_datum(account).ok_or("an account that is no number and no text")?;
        let observed = match balance.into_value()? {
            None => Observed::default(),
            Some(Value::Integer(balance)) => Observed::value(balance),
            Some(other) => return Err(format!("the balance {other}, expected a whole number")),
        };
        reads.push(MicroOp::Read { key });
        replies.push(Reply::read(observed));
    }
    if reads.is_empty() {
        return Err("a read of no account at all".into());
    }
    let outcome = Outcome::Confirmed(replies.into());
    Ok(Answered { asked: Some(Call::Transaction(reads)), ..outcome.into() })
}
