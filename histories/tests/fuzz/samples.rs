//! Right inputs in every format: golden histories as they are and as they are written for others, and for the
//! formats that are only read a few made by hand.

use histories::format::write::WRITERS;
use histories::{History, text};

use crate::golden::golden;

/// Inputs in the format of this name.
pub(crate) fn of(format: &str) -> Vec<Vec<u8>> {
    let mut samples = written_by_hand(format);
    if let Some(writer) = WRITERS.iter().find(|writer| writer.name == format) {
        let histories = golden().into_iter().step_by(3).filter_map(|golden| text::parse(&golden).ok());
        samples.extend(histories.filter_map(|history| written(&history, writer.name)));
    }
    samples
}

/// A history in a format; none if the format cannot hold it.
pub(crate) fn written(history: &History, format: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let writer = WRITERS.iter().find(|writer| writer.name == format)?;
    writer.write(history, &mut bytes).ok()?;
    Some(bytes)
}

fn written_by_hand(format: &str) -> Vec<Vec<u8>> {
    match format {
        "cobra" => vec![cobra()],
        "dbcop" => vec![bincode()],
        "dbcop-json" => DBCOP.iter().map(|sample| sample.as_bytes().to_vec()).collect(),
        "etcd-operations" => vec![ETCD.as_bytes().to_vec()],
        "jepsen-edn" => EDN.iter().map(|sample| sample.as_bytes().to_vec()).collect(),
        "jepsen-json" => vec![JSON.as_bytes().to_vec()],
        "jepsen-log" => vec![LOG.as_bytes().to_vec()],
        "plume" => vec![b"w(4,17,0,3)\nr(5,0,0,3)\r\nw(4,18,2,-1)\nr(4,17,1,4)\nw(5,9,0,3)\n".to_vec()],
        _ => Vec::new(),
    }
}

/// A letter and numbers of 64 bits, highest byte first.
fn cobra() -> Vec<u8> {
    let events: [(u8, &[u64]); 7] = [
        (b'S', &[7]),
        (b'R', &[0xbebe_ebee, 0xbebe_ebee, 3, 0]),
        (b'W', &[100, 3, 5]),
        (b'R', &[9, 101, u64::MAX, 5]),
        (b'C', &[7]),
        (b'S', &[8]),
        (b'C', &[8]),
    ];
    let mut file = Vec::new();
    for (letter, numbers) in events {
        file.push(letter);
        numbers.iter().for_each(|number| file.extend(number.to_be_bytes()));
    }
    file
}

/// Numbers of 64 bits, least byte first; texts and lists after their lengths.
fn bincode() -> Vec<u8> {
    let mut file: Vec<u8> = [0_u64, 1, 2, 1, 2].iter().flat_map(|number| number.to_le_bytes()).collect();
    for text in ["made by hand", "2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z"] {
        file.extend((text.len() as u64).to_le_bytes());
        file.extend(text.bytes());
    }
    file.extend([2_u64, 1, 2].iter().flat_map(|count| count.to_le_bytes()));
    let event = |file: &mut Vec<u8>, write: u8, variable: u64, value: u64| {
        file.push(write);
        file.extend([variable, value].iter().flat_map(|number| number.to_le_bytes()));
        file.push(1);
    };
    event(&mut file, 1, 4, 17);
    event(&mut file, 0, 5, 0);
    file.push(1);
    file.extend([1_u64, 1].iter().flat_map(|count| count.to_le_bytes()));
    event(&mut file, 0, 4, 17);
    file.push(1);
    file
}

const DBCOP: [&str; 3] = [
    r#"[[{"events":[{"Write":{"variable":4,"version":17}},{"Read":{"variable":5,"version":null}}],"committed":true}],[]]"#,
    r#"[[{"events":[["w",4,17],["r",5,null]],"committed":true}],[{"events":[["r",4,17]],"committed":false}]]"#,
    r#"{"params":{"id":0},"info":"","data":[[{"events":[{"write":true,"variable":4,"value":17,"success":true},{"write":false,"variable":5,"value":0,"success":true}],"success":true}],[]]}"#,
];

const ETCD: &str = r#"{"ClientId":1,"Input":{"Type":"txn","Txn":{"Conditions":null,"OperationsOnSuccess":[{"Type":"put-operation","Range":{"Start":"","End":"","Limit":0},"Put":{"Key":"a","Value":{"Value":"3"},"LeaseID":0},"Delete":{"Key":""}}],"OperationsOnFailure":null}},"Call":1000000,"Output":{"Txn":{"Failure":false,"Results":[{"KVs":null,"Count":0,"Deleted":0}]},"Revision":2},"Return":2000000}
{"ClientId":2,"Input":{"Type":"range","Range":{"Start":"a","End":"","Limit":0,"Revision":0}},"Call":1500000,"Output":{"Range":{"KVs":[{"Key":"a","Value":{"Value":"3"},"ModRevision":2}],"Count":1},"Revision":2},"Return":4000000}
{"ClientId":1,"Input":{"Type":"txn","Txn":{"Conditions":[{"Key":"a","ExpectedRevision":2}],"OperationsOnSuccess":[{"Type":"put-operation","Put":{"Key":"a","Value":{"Hash":77}}}],"OperationsOnFailure":[]}},"Call":3000000,"Output":{"Txn":{"Failure":true,"Results":[]},"Revision":2},"Return":5000000}
{"ClientId":1,"Input":{"Type":"txn","Txn":{"OperationsOnSuccess":[{"Type":"delete-operation","Delete":{"Key":"a"}}]}},"Call":6000000,"Output":{"Error":"context deadline exceeded"},"Return":7000000}
{"ClientId":3,"Input":{"Type":"range","Range":{"Start":"a","End":"b"}},"Call":8000000,"Output":{"Range":{"KVs":[{"Key":"a","Value":{"Value":"3"},"ModRevision":2}]},"Revision":2},"Return":9000000}
"#;

const EDN: [&str; 4] = [
    "{:index 0, :time 1000000, :type :invoke, :process 0, :f :txn, :value [[:append 8 1] [:r \"y z\" nil]]}
{:index 1, :time 2000000, :type :ok, :process 0, :f :txn, :value [[:append 8 1] [:r \"y z\" [3 4]]]}
{:index 2, :time 3000000, :type :info, :process :nemesis, :f :start, :value {:n1 #{:n2}}}
{:index 3, :time 4000000, :type :invoke, :process 1, :f :txn, :value [[:append 8 3]]}
{:index 4, :time 5000000, :type :info, :process 1, :f :txn, :value [[:append 8 3]], :error [:timeout \"5 s\"]}
",
    "; a comment\n[{:type :invoke :process 0 :value [[:w x 1]\n [:r y nil]] #_ skipped :time 0}\n, #jepsen.history.Op{:process 0, :value [[:w x 1] [:r y 2]], :type :ok, :time 1000000}]\n",
    "{:process 0, :type :invoke, :f :cas, :value #jepsen.independent/tuple [3 [1 2]], :time 1}\n{:process 0, :type :fail, :f :cas, :value #jepsen.independent/tuple [3 [1 2]], :time 2}\n{:process 1, :type :invoke, :f :read, :value [3 nil], :time 1}\n{:process 1, :type :ok, :f :read, :value [3 1], :time 9}\n",
    "{:process 0, :type :invoke, :f :transfer, :value {:from 1, :to 2, :amount 5}}\n{:process 0, :type :ok, :f :transfer, :value {:from 1, :to 2, :amount 5}}\n{:process 1, :type :invoke, :f :read, :value nil}\n{:process 1, :type :ok, :f :read, :value {1 5, 2 15}}\n{:process 2, :type :invoke, :f :enqueue, :value 7}\n{:process 2, :type :ok, :f :drain, :value [7 8]}\n",
];

const JSON: &str = r#"{"type":"invoke","process":0,"f":"txn","value":[["append",1,2],["r",1,null]],"time":0}
{"type":"ok","process":0,"f":"txn","value":[["append",1,2],["r",1,[2]]],"time":5}
{"type":"invoke","process":1,"f":"txn","value":[["r",1,null]],"time":6}
{"type":"fail","process":1,"f":"txn","value":[["r",1,null]],"time":7}
"#;

const LOG: &str = "INFO  jepsen.util - 0 :invoke :read nil
INFO [2026-03-30 15:28:17,427] jepsen worker 2 - jepsen.util 2  :invoke :cas [1 4]
INFO [2026-03-30 15:28:17,427] jepsen worker 2 - jepsen.util 2  :ok :cas [1 4]
INFO  jepsen.util - 0 :ok :read 4
INFO  jepsen.util - 3 :fail :read :timed-out
";
