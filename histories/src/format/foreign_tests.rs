//! Samples of every format of others: what they mean, and that each is like one format only.

use std::fmt::Write as _;
use std::io::Write as _;

use expect_test::{Expect, expect};
use proptest::collection::vec;
use proptest::prelude::*;

use super::{FORMATS, Format, read, read_as, read_file, read_table};
use crate::text;

fn check(file: impl AsRef<[u8]>, expected: Expect) {
    let told = match read(file.as_ref()) {
        Err(error) => format!("error: {error}\n"),
        Ok(reading) => {
            let mut told = format!("{}, {}\n", reading.format, reading.history.header().workload);
            told.push_str(&text::print(&reading.history));
            reading.warnings.iter().for_each(|warning| writeln!(told, "warning: {warning}").unwrap());
            told
        }
    };
    expected.assert_eq(&told);
}

const PLUME: &str = "w(4,17,0,3)\nr(5,0,0,3)\r\nw(4,18,2,-1)\nr(4,17,1,4)\nw(5,9,0,3)\n";

#[test]
fn plume() {
    check(
        PLUME,
        expect![[r#"
        plume text, rw-register
        c0 0..0 txn write 4 17; read 5; write 5 9 -> ok; nothing; ok
        c2 0..0 txn write 4 18 -> failed aborted
        c1 0..0 txn read 4 -> 17
    "#]],
    );
    check(
        "w(4,17,0,3)\nw(x,17,0,3)\n",
        expect![[r#"
        error: line 2, column 3: `x`, expected a key, which is a whole number
    "#]],
    );
    check(
        "w(4,17,0,3)\nread\n",
        expect![[r#"
        error: line 2, column 2: `ead`, expected `(`
    "#]],
    );
    check(
        "w(4,17,0,3)\nw(4,18446744073709551616,0,3)\n",
        expect![[r#"
        error: line 2, column 5: `18446744073709551616`, expected a number of at most 64 bits
    "#]],
    );
    check(
        "w(4,17,0,3)\nw(4,1",
        expect![[r#"
            plume text, rw-register
            c0 0..0 txn write 4 17 -> ok
            warning: the file is cut off in line 2; judged up to there
        "#]],
    );
}

#[test]
fn dbcop_in_json() {
    for file in [
        r#"[[{"events":[{"Write":{"variable":4,"version":17}},{"Read":{"variable":5,"version":null}}],"committed":true}],[]]"#,
        r#"[[{"events":[["w",4,17],["r",5,null]],"committed":true}],[]]"#,
        r#"{"params":{"id":0},"info":"","data":[[{"events":[{"write":true,"variable":4,"value":17,"success":true},
            {"write":false,"variable":5,"value":0,"success":true}],"success":true}],[]]}"#,
    ] {
        let reading = read(file.as_bytes()).unwrap();
        assert_eq!(reading.format, "dbcop JSON");
        assert_eq!(text::print(&reading.history), "c0 0..0 txn write 4 17; read 5 -> ok; nothing\n");
    }
    check(
        r#"[[{"events":[["w",4]],"committed":true}]]"#,
        expect![[r#"
        error: line 1, column 21: an event such as {"Write":{"variable":4,"version":17}} or ["w",4,17]
    "#]],
    );
}

/// Numbers of 64 bits, least byte first.
fn bincode() -> Vec<u8> {
    let mut file = Vec::new();
    let number = |file: &mut Vec<u8>, number: u64| file.extend(number.to_le_bytes());
    for count in [0, 1, 2, 1, 2] {
        number(&mut file, count);
    }
    for text in ["made by hand", "2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z"] {
        number(&mut file, text.len() as u64);
        file.extend(text.bytes());
    }
    for count in [1, 1, 3] {
        number(&mut file, count);
    }
    for (write, variable, value, success) in [(1, 4, 17, 1), (0, 5, 0, 1), (1, 6, 8, 0)] {
        file.push(write);
        number(&mut file, variable);
        number(&mut file, value);
        file.push(success);
    }
    file.push(1);
    file
}

#[test]
fn dbcop_in_bincode() {
    check(
        bincode(),
        expect![[r#"
        dbcop bincode, rw-register
        c0 0..0 txn write 4 17; read 5 -> ok; nothing
        c0 0..0 txn write 6 8 -> failed aborted
    "#]],
    );
    check(
        &bincode()[..150],
        expect![[r#"
        error: byte 150: the end of the file, expected a value
    "#]],
    );
    let mut spoilt = bincode();
    *spoilt.last_mut().unwrap() = 7;
    check(
        spoilt,
        expect![[r#"
        error: byte 195: the byte 7, expected whether the transaction succeeded, 0 or 1
    "#]],
    );
}

fn cobra(letters: &[(u8, &[u64])]) -> Vec<u8> {
    let mut file = Vec::new();
    for (letter, numbers) in letters {
        file.push(*letter);
        numbers.iter().for_each(|number| file.extend(number.to_be_bytes()));
    }
    file
}

const COBRA: [(u8, &[u64]); 5] = [
    (b'S', &[7]),
    (b'R', &[0xbebe_ebee, 0xbebe_ebee, 3, 0]),
    (b'W', &[100, 3, 5]),
    (b'R', &[9, 101, u64::MAX, 5]),
    (b'C', &[7]),
];

#[test]
fn cobra_has_a_file_a_session() {
    check(
        cobra(&COBRA),
        expect![[r#"
        cobra log, rw-register
        c0 0..0 txn read 3; write 3 100; read 18446744073709551615 -> nothing; ok; 101
    "#]],
    );
    check(
        cobra(&COBRA[..2]),
        expect![[r#"
        error: line 1: no transaction, expected a transaction that begins with S and ends with C
    "#]],
    );
    check(
        cobra(&[(b'S', &[7]), (b'C', &[8])]),
        expect![[r#"
        error: byte 18: transaction 8 commits, but 7 has begun
    "#]],
    );
    check(
        cobra(&[(b'S', &[7]), (b'C', &[7]), (b'X', &[7])]),
        expect![[r#"
        error: byte 19: the byte 88, expected S, which begins a transaction
    "#]],
    );
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("T0.log"), cobra(&COBRA)).unwrap();
    std::fs::write(folder.path().join("T1.log"), cobra(&[(b'S', &[9]), (b'W', &[101, 4, 1]), (b'C', &[9])]))
        .unwrap();
    let reading = read_file(folder.path()).unwrap();
    assert_eq!(reading.history.operations().len(), 2);
    assert_eq!(read_table(folder.path()).unwrap().unwrap().table.session_count(), 2);
}

#[test]
fn a_folder_with_nothing_to_read_is_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("history.edn"), "{}").unwrap();
    let said = "a folder that is no run and has no logs of Cobra's in it (*.log, one a session); name a file";
    assert_eq!(read_file(folder.path()).unwrap_err().to_string(), said);
}

const ETCD: &str = r#"{"ClientId":1,"Input":{"Type":"txn","Txn":{"Conditions":null,"OperationsOnSuccess":[{"Type":"put-operation","Range":{"Start":"","End":"","Limit":0},"Put":{"Key":"a","Value":{"Value":"3"},"LeaseID":0},"Delete":{"Key":""}}],"OperationsOnFailure":null}},"Call":1000000,"Output":{"Txn":{"Failure":false,"Results":[{"KVs":null,"Count":0,"Deleted":0}]},"Revision":2},"Return":2000000}
{"ClientId":2,"Input":{"Type":"range","Range":{"Start":"a","End":"","Limit":0,"Revision":0}},"Call":1500000,"Output":{"Range":{"KVs":[{"Key":"a","Value":{"Value":"3"},"ModRevision":2}],"Count":1},"Revision":2},"Return":4000000}
{"ClientId":1,"Input":{"Type":"txn","Txn":{"Conditions":[{"Key":"a","ExpectedRevision":2,"ExpectedVersion":0}],"OperationsOnSuccess":[{"Type":"put-operation","Put":{"Key":"a","Value":{"Hash":77}}}],"OperationsOnFailure":[]}},"Call":3000000,"Output":{"Txn":{"Failure":true,"Results":[]},"Revision":2},"Return":5000000}
{"ClientId":1,"Input":{"Type":"txn","Txn":{"OperationsOnSuccess":[{"Type":"delete-operation","Delete":{"Key":"a"}}]}},"Call":6000000,"Output":{"Error":"context deadline exceeded"},"Return":7000000}
{"ClientId":1,"Input":{"Type":"defragment","Defragment":{}},"Call":8000000,"Output":{"Defragment":{},"Revision":2},"Return":9000000}
{"ClientId":1,"Input":{"Type":"range","Range":{"Start":"a","End":"b"}},"Call":8000000,"Output":{"Range":{"KVs":[{"Key":"a","Value":{"Value":"3"},"ModRevision":2}]},"Revision":2},"Return":9000000}
"#;

#[test]
fn operations_of_etcd() {
    check(
        ETCD,
        expect![[r##"
        etcd operations, key-value
        c1 0..1 txn write a "3" -> ok 2
        c2 0..3 read a -> "3"@2
        c1 2..4 cas a "3"@2 "#77" -> failed conflict
        c1 5..6 txn delete a -> unknown context deadline exceeded
        c3 7..8 txn read a -> "3"@2
        warning: 1 operation that read or change no key: left out
    "##]],
    );
    check(
        format!("{ETCD}{{\"ClientId\":true}}"),
        expect![[r#"
        error: line 7, column 16: invalid type: boolean `true`, expected i64
    "#]],
    );
}

/// A file in each format.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let edn = "{:process 0, :type :invoke, :f :txn, :value [[:append 1 2]], :time 0}\n";
    let json = r#"{"type":"invoke","process":0,"f":"txn","value":[["append",1,2]],"time":0}"#;
    let jsonl = "{\"rashomon\":\"history\",\"version\":1}\n{\"time\":1,\"event\":\"invoke\",\"session\":0,\"call\":{\"read\":{\"key\":\"x\"}}}\n";
    vec![
        ("cobra", cobra(&COBRA)),
        ("dbcop", bincode()),
        ("dbcop-json", br#"[[{"events":[["w",4,17]],"committed":true}]]"#.to_vec()),
        ("etcd-operations", ETCD.into()),
        ("jepsen-edn", edn.into()),
        ("jepsen-json", json.into()),
        ("jepsen-log", "INFO  jepsen.util - 0 :invoke :read nil\n".into()),
        ("jsonl", jsonl.into()),
        ("plume", PLUME.into()),
    ]
}

#[test]
fn each_file_is_like_one_format() {
    assert!(FORMATS.is_sorted_by_key(|format| format.name));
    let names: Vec<&str> = samples().iter().map(|(name, _)| *name).collect();
    assert_eq!(names, FORMATS.iter().map(|format| format.name).collect::<Vec<_>>());
    for (name, file) in samples() {
        let like: Vec<&str> =
            FORMATS.iter().filter(|format| (format.is_like)(&file)).map(|format| format.name).collect();
        assert_eq!(like, [name]);
        let format = Format::named(name).unwrap();
        let stated = read_as(file.as_slice(), Some(format)).unwrap();
        assert_eq!(stated.history, read(file.as_slice()).unwrap().history, "{name}");
    }
    assert!(Format::named("knossos").is_err());
}

#[test]
fn compression_is_undone() {
    for (name, file) in samples() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&file).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(file.as_slice(), 1).unwrap();
        let plain = read(file.as_slice()).unwrap();
        for packed in [&gzip, &zstd] {
            assert_eq!(read(packed.as_slice()).unwrap().history, plain.history, "{name}");
        }
        for length in 0..gzip.len() {
            let _ = read(&gzip[..length]);
        }
    }
}

proptest! {
    #[test]
    fn no_spoilt_bytes_make_a_reader_panic(
        which in 0..FORMATS.len(),
        spoilt in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        stated in any::<bool>(),
    ) {
        let (name, mut file) = samples().swap_remove(which);
        for (place, byte) in spoilt {
            let place = place.index(file.len());
            file[place] = byte;
        }
        let format = stated.then(|| Format::named(name).unwrap());
        let _ = read_as(file.as_slice(), format);
        file.truncate(cut.index(file.len()));
        let _ = read_as(file.as_slice(), format);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(which in 0..FORMATS.len(), bytes in vec(any::<u8>(), 0..120)) {
        let _ = read_as(bytes.as_slice(), Some(FORMATS[which]));
    }
}
