//! Banks: what was put in when the accounts were opened is what every read of all of them finds.

use std::fmt::Write as _;

use checkers::{Budget, Facts, Judgement, checker};
use histories::text;

use crate::generator::Draw;

const HISTORIES: u64 = 10_000;

struct Bank {
    written: String,
    wrong: u64,
}

/// The accounts a and b are opened with 10 each; then up to five transfers, reads of both, and now and then a
/// change that is no transfer.
fn make(seed: u64) -> Bank {
    let mut draw = Draw::new(seed);
    let mut bank = Bank { written: "c0 0..5 txn write a 10; write b 10 -> ok; ok\n".into(), wrong: 0 };
    let mut is_bank = true;
    for number in 1..2 + draw.below(5) {
        let (from, length) = (number as u64 * 3, draw.below(9) as u64);
        let amount = 1 + draw.below(4);
        let _ = write!(bank.written, "c{number} {from}..{} ", from + length);
        let line = match draw.below(12) {
            0..=4 => format!("txn increment a -{amount}; increment b {amount} -> ok; ok"),
            5 if draw.chance(20) => {
                is_bank = false;
                format!("txn increment a {amount}; read b -> ok; 10")
            }
            _ => {
                let (a, b) =
                    if draw.chance(10) { (0, 0) } else { (10 - amount as u64, 10 + draw.below(5) as u64) };
                // Before the accounts are opened, which may take until 5, there is nothing in them.
                let is_early = from <= 5 && a + b == 0;
                bank.wrong += u64::from(a + b != 20 && !is_early);
                format!("txn read a; read b -> {a}; {b}")
            }
        };
        let _ = writeln!(bank.written, "{line}");
    }
    if !is_bank {
        bank.wrong = 0;
    }
    bank
}

#[test]
fn a_total_is_wrong_if_it_is_not_what_was_put_in() {
    let (mut broken, mut held) = (0, 0);
    for seed in 0..HISTORIES {
        let Bank { written, wrong } = make(seed);
        let history = text::parse(&written).unwrap();
        let verdict = checker("bank-totals").unwrap().check(&Facts::new(&history), Budget::default());
        assert_eq!(verdict.count, wrong, "seed {seed}\n{written}\n{verdict:#?}");
        broken += u64::from(verdict.is_broken());
        held += u64::from(verdict.judgement == Judgement::Held);
    }
    assert!(broken * 50 > HISTORIES && held * 50 > HISTORIES, "{broken} broken, {held} held");
}
