//! Misdirected requests: what a node does with one that another has to answer.
//!
//! ```text
//! client ── put x 1 ─► follower     forward    passes it on, and brings the answer back
//!                                   redirect   307, and where the leader is: the client asks there
//!                                   reject     421, and who leads: the client has to know where
//! ```
//!
//! Whoever does not pass it on has done nothing, and says so. Source: Kleppmann, *Designing Data-Intensive Applications*
//! (2017), ch. 6, "Request Routing".

use crate::choice::choices;

choices! {
    /// What becomes of a request that another node has to answer.
    pub enum Misdirected ("way with misdirected requests") {
        Forward = "forward", "pass it on and bring the answer back";
        Redirect = "redirect", "say where to ask";
        Reject = "reject", "say who would answer";
    }
}
