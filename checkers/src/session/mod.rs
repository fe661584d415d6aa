//! Session guarantees: what one session may rely on, whatever others do.
//!
//! ```text
//!   read-your-writes      c1  write x 5,  read x → older than 5
//!   monotonic-reads       c1  read x → 5,  read x → older than 5
//!   monotonic-writes      c1  write x 5,  write y 6        c2  read y → 6,  read x → older than 5
//!   writes-follow-reads   c1  read x → 5,  write y 6       c2  read y → 6,  read x → older than 5
//! ```
//!
//! "Older" has to be *known*. For writes-follow-reads that is by causal order: sessions, reads-from, and
//! what a compare-and-set named as replaced. For the other three what other sessions had read does not
//! count, for that is what writes-follow-reads promises (`known.rs`): each is implied by PRAM. A session that writes 5 and then reads a concurrent 6 that won has lost nothing that
//! these guarantees promise: some order of the writes explains it, so nobody is accused. A key that
//! reads as absent is explained by any delete that is not known to be older; siblings by any one of
//! them; a missing element by a removal. So a breach here is always also one of causal order, and only
//! the reads found there are looked at.
//!
//! The two guarantees about writes are promises of each server about the order in which it applies
//! them. So where nodes are named, both reads of the session that notices must be of one node; where
//! they are not, the store counts as one node. Reads within one call prove nothing about each other.
//! Reads of the phases settle and final reads are judged like all others, each at its node.
//!
//! Terry et al. ask of read-your-writes that a read comes to a server that *has* the session's write.
//! No answer shows what a server has. So here too a read breaks the promise only if what it showed is
//! known to be older than the own write, and a concurrent value that replaced it, which there may be a
//! breach, is none here; and a value that the session had read before it wrote is known to be older.
//!
//! Does not see: breaches that no read shows; counters; values that were written twice.
//!
//! Source: Terry, Demers, Petersen, Spreitzer, Theimer & Welch, Session Guarantees for Weakly Consistent
//! Replicated Data, PDIS 1994, §3.

mod breach;
mod known;
mod monotonic_reads;
mod monotonic_writes;
mod read_your_writes;
pub(crate) mod turns;
mod view;
mod writes_follow_reads;

pub use monotonic_reads::MonotonicReads;
pub use monotonic_writes::MonotonicWrites;
pub use read_your_writes::ReadYourWrites;
pub use writes_follow_reads::WritesFollowReads;

#[cfg(test)]
mod tests;
