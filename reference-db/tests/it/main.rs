//! The database from outside: stories, simulated clusters, and real ones.
#![cfg(test)]

mod cluster;
mod scripts;
mod server;
mod simulation;
