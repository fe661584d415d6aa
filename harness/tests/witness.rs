//! `check --witness` and `verify-witness`, as a person calls them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output};

const SKEW: &str = r#"{:index 0, :time 1, :type :invoke, :process 0, :f :txn, :value [[:r 1 nil] [:append 2 1]]}
{:index 1, :time 2, :type :invoke, :process 1, :f :txn, :value [[:r 2 nil] [:append 1 1]]}
{:index 2, :time 3, :type :ok, :process 0, :f :txn, :value [[:r 1 []] [:append 2 1]]}
{:index 3, :time 4, :type :ok, :process 1, :f :txn, :value [[:r 2 []] [:append 1 1]]}
"#;

fn rashomon(folder: &Path, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rashomon"));
    command.args(arguments.split_whitespace()).current_dir(folder).env("LANG", "C.UTF-8").output().unwrap()
}

#[test]
fn a_witness_is_confirmed_and_a_changed_one_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("skew.edn"), SKEW).unwrap();
    let checked = rashomon(folder.path(), "check skew.edn -g serializable --witness proof");
    assert_eq!(checked.status.code(), Some(1));
    for name in ["witness.json", "graph.dot", "graph.svg"] {
        assert!(path("proof/A1").join(name).exists(), "{name} is missing");
    }
    let verify = |name: &str| {
        let output = rashomon(folder.path(), &format!("verify-witness {name} skew.edn"));
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = verify("proof/A1/witness.json");
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("✓ CONFIRMED  G2-item: serializable does not hold\n"), "{said}");
    assert!(said.contains("op 0 ──rw──▶ op 1   read 1 without 1"), "{said}");
    let witness = std::fs::read_to_string(path("proof/A1/witness.json")).unwrap();
    for (old, new, flaw) in [
        (r#""guarantee": "serializable""#, r#""guarantee": "snapshot-isolation""#, "does not refute"),
        (r#""anomaly": "G2-item""#, r#""anomaly": "G1c""#, "it is called G2-item"),
        (r#""kind": "rw""#, r#""kind": "wr""#, "nothing in the history shows that"),
        (r#""invoked": 1"#, r#""invoked": 0"#, "op 0 is not as the history has it"),
    ] {
        std::fs::write(path("changed.json"), witness.replacen(old, new, 1)).unwrap();
        let (code, said) = verify("changed.json");
        assert!(code == 1 && said.starts_with("✗ REJECTED") && said.contains(flaw), "{code} {said}");
    }
    std::fs::write(path("changed.json"), "{}").unwrap();
    assert_eq!(verify("changed.json").0, 65);
    assert_eq!(verify("no-such-file.json").0, 65);
}
