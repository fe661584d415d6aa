//! How many inputs are tried, and what is said of one that fails.
//!
//! ```text
//!   cargo test -p histories --test fuzz                       so many rounds a target: about five seconds
//!   FUZZ_SECONDS=60 cargo test -p histories --test fuzz       each target for a minute, from another number on
//!   FUZZ_FIRST=81234 cargo test -p histories --test fuzz NAME from this number on
//! ```

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::time::{Duration, Instant};

use crate::mutate::reduced;

/// Tries the inputs of `rounds` numbers, or as many as the seconds of FUZZ_SECONDS are enough for. Panics with
/// the number and the smallest form of the first input that makes `target` panic.
#[expect(clippy::disallowed_methods, reason = "a nightly run goes on for as long as it was told to")]
pub(crate) fn fuzz(name: &str, rounds: u64, input: impl Fn(u64) -> Vec<u8>, target: impl Fn(&[u8])) {
    silence();
    let (began, seconds) = (Instant::now(), number_in("FUZZ_SECONDS").map(Duration::from_secs));
    let first = number_in("FUZZ_FIRST").unwrap_or(0);
    let mut number = first;
    while seconds.map_or(number - first < rounds, |seconds| began.elapsed() < seconds) {
        let bytes = input(number);
        if panics(&target, &bytes) {
            let small = reduced(&bytes, |bytes| panics(&target, bytes));
            println!("{}", String::from_utf8_lossy(&small));
            if std::env::var_os("FUZZ_FIRST").is_some() {
                // Told in full where somebody asked for this one.
                target(&small);
            }
            panic!(
                "{name} does not bear this input; make it a test of its own, or see it again with FUZZ_FIRST={number}:\nb\"{}\"",
                small.escape_ascii()
            );
        }
        number += 1;
    }
    println!("{name}: {} inputs", number - first);
}

fn panics(target: impl Fn(&[u8]), input: &[u8]) -> bool {
    TRYING.set(true);
    let panics = catch_unwind(AssertUnwindSafe(|| target(input))).is_err();
    TRYING.set(false);
    panics
}

thread_local! {
    static TRYING: Cell<bool> = const { Cell::new(false) };
}

/// While an input is tried, nothing is printed: to make one small takes hundreds of panics.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !TRYING.get() {
                usual(info);
            }
        }));
    });
}

fn number_in(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
