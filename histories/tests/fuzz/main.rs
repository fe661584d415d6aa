//! No input makes a reader panic, overflow the stack or take memory without bound.
//!
//! ```text
//!   golden histories, samples ──► mutate.rs ──► every reader, compressed and not, format told or found out
//!                                           └─► what was read is written and read again: the same
//! ```
//!
//! Not libFuzzer: that needs a nightly toolchain and a C++ compiler. Inputs are made from right ones without
//! looking at which code they reach, and each is a function of its number (`rounds.rs`).

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bounds;
mod golden;
mod mutate;
mod rounds;
mod samples;

use std::io::Write;

use histories::format::{self, FORMATS, Format};
use histories::{Call, History, Nanos, Operation, Outcome, text};
use mutate::{Draw, Samples};
use rounds::fuzz;

/// Reads; what was read must be a history, and survive being written.
fn read(bytes: &[u8], format: Option<&'static Format>) {
    if let Ok(reading) = format::read_as(bytes, format) {
        rewrite(&reading.history);
    }
}

/// Whatever can be read can be written and read again.
fn rewrite(history: &History) {
    if let Some(bytes) = samples::written(history, "jsonl") {
        let again = format::read(bytes.as_slice()).unwrap();
        assert_eq!(by_session(&again.history), by_session(history));
    }
}

/// What each session did and saw. Between sessions there is no order at one same instant.
fn by_session(history: &History) -> Vec<(&Call, &Outcome, Nanos, Option<Nanos>)> {
    let mut operations: Vec<&Operation> = history.operations().iter().collect();
    operations.sort_by_key(|operation| (operation.session, operation.id));
    operations
        .into_iter()
        .map(|operation| (&operation.call, &operation.outcome, operation.invoked, operation.completed))
        .collect()
}

fn fuzz_format(name: &str, rounds: u64) {
    let (samples, format) = (Samples::new(samples::of(name)), Format::named(name).unwrap());
    fuzz(name, rounds, |number| samples.input(number), |bytes| read(bytes, Some(format)));
}

#[test]
fn cobra() {
    fuzz_format("cobra", 20_000);
}

#[test]
fn dbcop() {
    fuzz_format("dbcop", 20_000);
}

#[test]
fn dbcop_in_json() {
    fuzz_format("dbcop-json", 20_000);
}

#[test]
fn etcd_operations() {
    fuzz_format("etcd-operations", 10_000);
}

#[test]
fn jepsen_edn() {
    fuzz_format("jepsen-edn", 20_000);
}

#[test]
fn jepsen_json() {
    fuzz_format("jepsen-json", 20_000);
}

#[test]
fn jepsen_log() {
    fuzz_format("jepsen-log", 20_000);
}

#[test]
fn json_lines() {
    fuzz_format("jsonl", 20_000);
}

#[test]
fn plume() {
    fuzz_format("plume", 20_000);
}

#[test]
fn histories_as_people_write_them() {
    let samples = Samples::new(golden::golden().into_iter().map(String::into_bytes).collect());
    let parse = |bytes: &[u8]| {
        let Ok(history) = text::parse(&String::from_utf8_lossy(bytes)) else { return };
        rewrite(&history);
        let _ = text::parse(&text::print(&history));
    };
    fuzz("text", 10_000, |number| samples.input(number), parse);
}

#[test]
fn the_format_is_found_out() {
    let all = FORMATS.iter().flat_map(|format| samples::of(format.name)).collect();
    let samples = Samples::new(all);
    fuzz("any format", 10_000, |number| samples.input(number), |bytes| read(bytes, None));
}

#[test]
fn compressed_files() {
    let all: Vec<Vec<u8>> = FORMATS.iter().flat_map(|format| samples::of(format.name)).collect();
    let packed = all.iter().step_by(9).flat_map(|sample| [gzip(sample), zstd(sample), gzip(&zstd(sample))]);
    let (packed, plain) = (Samples::new(packed.collect()), Samples::new(all));
    // Either what is packed is spoilt, or the package.
    let input = |number: u64| match Draw::new(number).below(4) {
        0 => gzip(&plain.input(number)),
        1 => zstd(&plain.input(number)),
        _ => packed.input(number),
    };
    fuzz("compressed", 4_000, input, |bytes| read(bytes, None));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}
