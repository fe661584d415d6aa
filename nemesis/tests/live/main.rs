//! Live faults against real sockets and real processes.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what helps it")]

mod driver;
mod helper;
mod process;
mod proxy;
