//! The `rashomon` command: drives clients against a store, breaks the network and the processes
//! under it, records every answer, judges the record, and tells what happened.

use std::process::ExitCode;

mod cli;
mod client;
mod exit;
mod explain;
mod graph;
mod hunt;
mod judge;
mod names;
mod plan;
mod progress;
mod recorder;
mod replay;
mod report;
mod rng;
mod run;
mod script;
mod shrink;
mod sim;
mod stopwatch;
mod store;
mod swarm;
mod target;
mod witness;
mod workload;

fn main() -> ExitCode {
    ExitCode::from(cli::main())
}
