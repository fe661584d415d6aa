//! Work that two threads share. What comes out is what one thread would have made: nothing depends on which
//! of the two is faster.

use std::io;
use std::sync::Mutex;
use std::sync::mpsc::{SyncSender, sync_channel};
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
pub fn in_halves<T: Sync, R: Send>(size: usize, items: &[T], make: impl Fn(&[T]) -> R + Sync) -> [R; 2] {
    let (one, other) = items.split_at(items.len() / 2);
    both(size, || make(one), || make(other)).into()
}

/// Lets one side pack parcels while the other unpacks them, in the same order. A parcel that cannot be sent
/// is one that nobody waits for any more.
pub(crate) fn pass_on<T: Send, A, B: Send>(
    pack: impl FnOnce(SyncSender<T>) -> A,
    unpack: impl FnOnce(&mut dyn Iterator<Item = T>) -> B + Send,
) -> io::Result<(A, B)> {
    scope(|scope| {
        let (sender, parcels) = sync_channel(WAITING);
        let unpacking = Builder::new().spawn_scoped(scope, move || unpack(&mut parcels.into_iter()))?;
        let packed = pack(sender);
        let unpacked = unpacking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((packed, unpacked))
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
    fn parcels_arrive_in_order_until_nobody_waits() {
        let send = |sender: SyncSender<u32>| (0..1_000).take_while(|n| sender.send(*n).is_ok()).count();
        let (sent, received) = pass_on(send, |parcels| parcels.collect::<Vec<_>>()).unwrap();
        assert_eq!((sent, received), (1_000, (0..1_000).collect()));
        let (sent, received) = pass_on(send, |parcels| parcels.next()).unwrap();
        assert!(sent < 1_000 && received == Some(0), "{sent}");
    }
}
