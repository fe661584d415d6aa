//! A few bytes that mean much: they are refused, or read in memory that does not grow with what they claim.

use std::io::{self, Read};

use histories::format::{self, Error, FORMATS, Format};
use histories::text;

use crate::{gzip, zstd};

/// A beginning, and then the same bytes over and over: 10 GiB of them.
struct Endless {
    begin: &'static [u8],
    again: Vec<u8>,
    at: usize,
    left: u64,
}

impl Endless {
    fn new(begin: &'static str, again: &str) -> Self {
        let again = again.repeat((1 << 16) / again.len());
        Self { begin: begin.as_bytes(), again: again.into(), at: 0, left: 10 << 30 }
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.begin.is_empty() {
            return self.begin.read(buffer);
        }
        let length =
            (&self.again[self.at..]).read(buffer)?.min(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.at = (self.at + length) % self.again.len();
        self.left -= length as u64;
        Ok(length)
    }
}

/// The most memory that this process ever took, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    kilobytes.unwrap_or(0) << 10
}

const EDN: &str = "{:process 0, :type :invoke, :f :txn, :value [[:append 8 1]]}\n";
const JSON: &str = "{\"type\":\"invoke\",\"process\":0,\"f\":\"txn\",\"value\":[[\"append\",1,2]]}\n";
const JSONL: &str = "{\"rashomon\":\"history\",\"version\":1}\n";

#[test]
fn ten_gigabytes_without_an_end_are_refused() {
    let endless = [
        ("jepsen-edn", EDN, " "),
        ("jsonl", JSONL, "a"),
        ("plume", "w(4,17,0,3)\n", "1"),
        ("dbcop-json", "[[{\"events\":[[\"", "w"),
        ("etcd-operations", "{\"ClientId\":1,\"Input\":{\"Type\":\"", "w"),
        ("cobra", "S", "W"),
    ];
    for (name, begin, again) in endless {
        let format = Format::named(name).unwrap();
        let read = format::read_as(Endless::new(begin, again), Some(format));
        assert!(read.is_err(), "{name}: {again}");
    }
    assert!(peak() < 1 << 30, "{} MiB", peak() >> 20);
}

#[test]
fn a_megabyte_that_unpacks_to_ten_gigabytes_is_refused() {
    let line = "{\"rashomon\":\"history\",\"version\":1}\n";
    let spaces = format!("{line}{}", " ".repeat(1 << 20));
    // Each package of a package is as small as a package of the first.
    let mut unpacked = zstd::Encoder::new(Vec::new(), 1).unwrap();
    io::copy(&mut Endless::new("w(4,17,0,3)\n", "\n").take(3 << 30), &mut unpacked).unwrap();
    let bomb = unpacked.finish().unwrap();
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    for packed in [bomb.clone(), gzip(&bomb), zstd(&bomb)] {
        let error = format::read(packed.as_slice()).unwrap_err();
        assert!(matches!(error, Error::Line { .. } | Error::Io { .. }), "{error}");
    }
    assert!(format::read(gzip(spaces.as_bytes()).as_slice()).is_err());
}

#[test]
fn what_unpacks_to_much_is_refused_in_every_format() {
    // Lines that say nothing, for as long as anybody reads on.
    let mut packed = zstd::Encoder::new(Vec::new(), 1).unwrap();
    io::copy(
        &mut Endless::new("INFO jepsen.util - 0 :invoke :read nil\n", "nothing at all\n").take(3 << 29),
        &mut packed,
    )
    .unwrap();
    let packed = packed.finish().unwrap();
    let error = format::read(packed.as_slice()).unwrap_err();
    let Error::Io { source, .. } = &error else { panic!("{error}") };
    let said = source.to_string();
    assert!(said.contains("bytes unpack to more than 1 GiB: unpack the file yourself"), "{said}");
}

#[test]
fn a_million_brackets_overflow_no_stack() {
    let nests =
        ["[", "(", "{", "#{", "#_ ", "#_", "#a ", "^a ", "#_[", "{:a ", "{\"a\":", "[1 ", "'", "\"\\"];
    for nest in nests {
        let deep = nest.repeat(1_000_000);
        for begin in ["", EDN, "{:process 0, :type :ok, :value ", JSON, "[[{\"events\":", JSONL] {
            let file = format!("{begin}{deep}");
            for format in FORMATS {
                let _ = format::read_as(file.as_bytes(), Some(format));
            }
            let _ = format::read(file.as_bytes());
        }
        assert!(text::parse(&format!("c0 write x {deep} -> ok")).is_err());
        let _ = text::parse(&format!("c0 read x -> {deep}"));
    }
}

#[test]
fn numbers_of_a_million_digits_and_the_same_field_a_million_times() {
    let digits = "9".repeat(1_000_000);
    let fields = "\"time\":1,".repeat(100_000);
    let keywords = ":time 1 ".repeat(100_000);
    let files = [
        format!("w({digits},1,1,1)\n"),
        format!("{{:process {digits}, :type :invoke, :f :read}}\n"),
        format!("{{:process 0, {keywords} :type :invoke, :f :read}}\n"),
        format!("{{\"process\":0,{fields}\"type\":\"invoke\",\"f\":\"read\"}}\n"),
        format!(
            "{JSONL}{{{fields}\"event\":\"invoke\",\"session\":0,\"call\":{{\"read\":{{\"key\":\"x\"}}}}}}\n"
        ),
        format!("{JSONL}{{\"time\":{digits}}}\n"),
        format!("[[{{\"events\":[[\"w\",{digits},1]],\"committed\":true}}]]"),
    ];
    for file in files {
        for format in FORMATS {
            let _ = format::read_as(file.as_bytes(), Some(format));
        }
    }
    assert!(text::parse(&format!("c0 {digits}..{digits} read x -> {digits}")).is_err());
}

#[test]
fn sessions_and_keys_may_have_any_number() {
    let plume = "w(18446744073709551615,1,4294967295,9223372036854775807)\nr(0,1,0,0)\n";
    assert_eq!(format::read(plume.as_bytes()).unwrap().history.operations().len(), 2);
    let edn = "{:process 9223372036854775807, :type :invoke, :f :txn, :value [[:append 8 1]], :time 9223372036854775807}\n";
    let _ = format::read(edn.as_bytes());
}
