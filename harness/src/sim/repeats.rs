//! One seed makes one history, to the byte: played twice, each time in another thread with other worlds beside it.
//!
//! ```text
//! SIM_SEEDS=1000 cargo test -p harness --release sim::repeats -- --nocapture
//! 1000 histories, 98765432 bytes, all together 0123456789abcdef
//! ```
//!
//! The number at the end is the same in another process and on another machine, or something depends on where it runs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::tests::{bytes, command, mixed, seeds};
use crate::plan::Faults;
use crate::plan::layer::Merged;
use crate::rng::Seed;
use crate::target::TargetSpec;

/// Another kind of cluster and load for each seed, and trouble that the seed draws.
fn swarming(seed: Seed) -> Merged {
    let mut merged = mixed(seed);
    if merged.plan.target != TargetSpec::Control {
        merged.plan.faults = Faults::Swarm(Vec::new());
    }
    merged
}

/// The first line that is not the same, once and again.
fn difference(first: &[u8], second: &[u8]) -> Option<String> {
    if first == second {
        return None;
    }
    let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_string).collect::<Vec<_>>();
    let (first, second) = (lines(first), lines(second));
    let same = first.iter().zip(&second).take_while(|(one, other)| one == other).count();
    let line = |lines: &[String]| lines.get(same).map_or("(it has ended)".to_string(), String::clone);
    Some(format!("line {}\n  once   {}\n  again  {}", same + 1, line(&first), line(&second)))
}

/// The history of each seed, in so many threads; given to `take` in whatever order they come.
fn histories(seeds: &[Seed], jobs: usize, take: &(dyn Fn(usize, Vec<u8>) + Sync)) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(seed) = seeds.get(index) else { return };
                    take(index, bytes(&swarming(*seed), *seed));
                }
            });
        }
    });
}

/// FNV-1a, 64 bits.
fn digest(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn a_seed_makes_a_history() {
    let seeds: Vec<Seed> = seeds().collect();
    let sums = Mutex::new(vec![(0_usize, 0_u64); seeds.len()]);
    // What differs is looked at more closely than a number tells.
    histories(&seeds, 1, &|index, history| sums.lock().unwrap()[index] = (history.len(), digest(&history)));
    let sums = sums.into_inner().unwrap();
    histories(&seeds, 4, &|index, history| {
        if sums[index] == (history.len(), digest(&history)) {
            return;
        }
        let merged = swarming(seeds[index]);
        let once = bytes(&merged, seeds[index]);
        let told = difference(&once, &history).unwrap_or("it differs now and then only".to_string());
        panic!("the run does not repeat: {told}\n{}", command(&merged, seeds[index]));
    });
    let all: Vec<u8> = sums.iter().flat_map(|(_, digest)| digest.to_be_bytes()).collect();
    let bytes: usize = sums.iter().map(|(length, _)| length).sum();
    println!("{} histories, {bytes} bytes, all together {:016x}", seeds.len(), digest(&all));
}

#[test]
fn the_first_line_that_differs_is_told() {
    assert_eq!(difference(b"a\nb\n", b"a\nb\n"), None);
    assert_eq!(difference(b"a\nb\nc\n", b"a\nB\nc\n").unwrap(), "line 2\n  once   b\n  again  B");
    assert_eq!(difference(b"a\n", b"a\nb\n").unwrap(), "line 2\n  once   (it has ended)\n  again  b");
}
