//! The pool: seeds are played side by side, and heard of one after another.
//!
//! ```text
//!   worker 1   seed 0 ───────────► seed 2 ──►          heard: 0 1 2 3, whoever was done first;
//!   worker 2   seed 1 ──► seed 3 ──────► ⏸             a worker far ahead waits, so that nothing piles up
//! ```

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the listener is asked where nothing happens.
const TICK: Duration = Duration::from_millis(250);
/// So many seeds may be played before an earlier one is done.
const AHEAD: u32 = 512;

/// How it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    On,
    /// What was begun is played to its end, and nothing else.
    Finish,
    /// Nothing more is heard.
    Stop,
}

/// Plays the seeds of these indices in so many threads. `each` hears every result, in the order of the indices, and
/// nothing now and then.
pub(super) fn in_order<T: Send>(
    indices: Range<u32>,
    jobs: usize,
    play: &(dyn Fn(u32) -> T + Sync),
    each: &mut dyn FnMut(Option<T>) -> Go,
) {
    let pool = Pool::new(&indices);
    let (done, results) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (pool, done) = (&pool, done.clone());
            scope.spawn(move || {
                while let Some(index) = pool.next() {
                    // Whoever listens has heard enough.
                    if done.send((index, play(index))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        listen(&pool, &results, indices.start, each);
        pool.end();
    });
}

fn listen<T>(
    pool: &Pool,
    results: &mpsc::Receiver<(u32, T)>,
    mut wanted: u32,
    each: &mut dyn FnMut(Option<T>) -> Go,
) {
    let mut early = BTreeMap::new();
    loop {
        match results.recv_timeout(TICK) {
            Ok((index, result)) => drop(early.insert(index, result)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        loop {
            let result = early.remove(&wanted);
            let heard = result.is_some();
            match each(result) {
                Go::On => {}
                Go::Finish => pool.end(),
                Go::Stop => return,
            }
            if !heard {
                break;
            }
            wanted += 1;
            pool.heard(wanted);
        }
    }
}

/// What the workers share.
struct Pool {
    seeds: Mutex<Seeds>,
    moved: Condvar,
}

struct Seeds {
    next: u32,
    end: u32,
    /// All before this one were heard of.
    heard: u32,
}

impl Pool {
    fn new(indices: &Range<u32>) -> Self {
        let seeds = Seeds { next: indices.start, end: indices.end, heard: indices.start };
        Self { seeds: Mutex::new(seeds), moved: Condvar::new() }
    }

    /// The next seed to be played, once it is not too far ahead.
    fn next(&self) -> Option<u32> {
        let mut seeds = self.lock();
        while seeds.next < seeds.end && seeds.next - seeds.heard >= AHEAD {
            seeds = self.moved.wait(seeds).unwrap_or_else(PoisonError::into_inner);
        }
        let index = seeds.next;
        (index < seeds.end).then(|| {
            seeds.next += 1;
            index
        })
    }

    fn heard(&self, before: u32) {
        self.lock().heard = before;
        self.moved.notify_all();
    }

    fn end(&self) {
        self.lock().end = 0;
        self.moved.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Seeds> {
        self.seeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_heard_in_order_and_no_worker_runs_far_ahead() {
        let (mut heard, first) = (Vec::new(), std::sync::Barrier::new(2));
        let play = |index: u32| {
            // The first is done last: only once another worker has gone as far as it may.
            if index == 0 || index == AHEAD - 1 {
                first.wait();
            }
            index
        };
        in_order(0..3 * AHEAD, 2, &play, &mut |result| {
            heard.extend(result);
            Go::On
        });
        assert_eq!(heard, (0..3 * AHEAD).collect::<Vec<_>>());
    }

    #[test]
    fn whoever_has_heard_enough_ends_it() {
        for enough in [Go::Finish, Go::Stop] {
            let mut heard = Vec::new();
            in_order(5..u32::MAX, 2, &|index| index, &mut |result| {
                heard.extend(result);
                if heard.len() < 3 { Go::On } else { enough }
            });
            assert!(heard.starts_with(&[5, 6, 7]), "{heard:?}");
            assert!(enough == Go::Finish || heard.len() == 3, "{heard:?}");
        }
    }
}
