//! Work that two threads share. What comes out is what one thread would have made: nothing depends on which
//! of the two is faster.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, scope};

/// How many parcels wait to be unpacked at most.
const WAITING: usize = 4;

/// Less work than this is done faster than a thread begins.
const WORTH_A_THREAD: usize = 1 << 16;

/// Does both, at the same time if `size` says that there is much to do and if there is a thread for it.
pub fn both<A: Send, B: Send>(
    size: usize,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    if size < WORTH_A_THREAD {
        return (one(), other());
    }
    let other = Mutex::new(Some(other));
    let run_other = || other.lock().ok().and_then(|mut other| other.take()).map(|other| other());
    scope(|scope| {
        let running = Builder::new().spawn_scoped(scope, run_other);
        let one = one();
        let other = match running {
            Ok(running) => running.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => run_other(),
        };
        (one, other.expect("done once"))
    })
}

/// What `make` makes of each half of `items`, where `size` says how much work both are.
pub fn in_halves<'i, T: Sync, R: Send>(
    size: usize,
    items: &'i [T],
    make: impl Fn(&'i [T]) -> R + Sync,
) -> [R; 2] {
    let (one, other) = items.split_at(items.len() / 2);
    both(size, || make(one), || make(other)).into()
}

/// Numbers that two threads put down, each where the other does not: nobody reads one before both are done.
#[derive(Debug)]
pub struct Slots(Vec<AtomicU32>);

impl Slots {
    /// So many, of this number.
    pub fn new(count: usize, number: u32) -> Self {
        Self((0..count).map(|_| AtomicU32::new(number)).collect())
    }

    /// Puts a number down.
    #[inline]
    pub fn set(&self, place: usize, number: u32) {
        self.0[place].store(number, Relaxed);
    }

    /// All numbers.
    pub fn into_numbers(self) -> Vec<u32> {
        self.0.into_iter().map(AtomicU32::into_inner).collect()
    }
}

/// Packs parcels here while a second thread unpacks them, in the same order. `pack` says with each whether it
/// is the last, and is not asked for another once nobody unpacks any more. One parcel alone needs no thread.
pub(crate) fn pass_on<T: Send, R: Send>(
    mut pack: impl FnMut() -> (T, bool),
    unpack: impl FnOnce(&mut dyn Iterator<Item = T>) -> R + Send,
) -> io::Result<R> {
    let (mut parcel, mut is_last) = pack();
    if is_last {
        return Ok(unpack(&mut std::iter::once(parcel)));
    }
    scope(|scope| {
        let (sender, parcels) = sync_channel(WAITING);
        let unpacking = Builder::new().spawn_scoped(scope, move || unpack(&mut parcels.into_iter()))?;
        while sender.send(parcel).is_ok() && !is_last {
            (parcel, is_last) = pack();
        }
        drop(sender);
        Ok(unpacking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_done_and_told_apart() {
        for size in [0, WORTH_A_THREAD] {
            assert_eq!(both(size, || 1, || "two"), (1, "two"));
        }
    }

    #[test]
    fn halves_are_in_order_however_much_there_is_to_do() {
        for size in [0, WORTH_A_THREAD] {
            assert_eq!(in_halves(size, &[1, 2, 3], <[i32]>::to_vec).concat(), [1, 2, 3]);
        }
    }

    #[test]
    fn both_halves_put_numbers_down() {
        let slots = Slots::new(4, 7);
        in_halves(WORTH_A_THREAD, &[0, 2, 3], |half| half.iter().for_each(|at| slots.set(*at, 1)));
        assert_eq!(slots.into_numbers(), [1, 7, 1, 1]);
    }

    #[test]
    fn parcels_arrive_in_order_until_nobody_waits() {
        for count in [1, 1_000] {
            let mut packed = 0;
            let mut pack = || {
                packed += 1;
                (packed, packed == count)
            };
            let unpacked: Vec<u32> = pass_on(&mut pack, |parcels| parcels.collect()).unwrap();
            assert_eq!(unpacked, (1..=count).collect::<Vec<u32>>());
        }
        let mut packed = 0;
        let mut pack = || {
            packed += 1;
            (packed, false)
        };
        assert_eq!(pass_on(&mut pack, |parcels| parcels.next()).unwrap(), Some(1));
    }
}
