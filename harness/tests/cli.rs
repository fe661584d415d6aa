//! The command as a person types it: what it prints, and the code it ends with.
#![expect(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use expect_test::{Expect, expect};
use tempfile::TempDir;

/// A folder of its own, in which the command runs.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rashomon"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env("COLUMNS", "100")
            .env("LANG", "C.UTF-8")
            .env_remove("RASHOMON_STORE")
            .env_remove("RASHOMON_PROGRESS")
            .env_remove("LC_ALL");
        command
    }

    fn run(&self, arguments: &str) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs and compares the exit code and what goes to standard error.
    fn refuses(&self, arguments: &str, code: i32, expected: Expect) {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "", "a refusal says nothing on standard output");
        expected.assert_eq(&text(&output.stderr));
    }

    fn only_run(&self) -> std::path::PathBuf {
        let mut runs = std::fs::read_dir(self.folder.path().join(".rashomon/runs")).unwrap();
        let run = runs.next().unwrap().unwrap().path();
        assert!(runs.next().is_none(), "there is more than one run");
        run
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn wrong_names_get_the_nearest_and_the_list() {
    let desk = Desk::new();
    desk.refuses("run -w apend", 64, expect![[r#"
        error: --workload: no workload "apend"; did you mean append? there are append, counter, register, session-mix, set (what the clients do)
    "#]]);
    desk.refuses("run -t reference:sibling", 64, expect![[r#"
        error: --target: no mode of the bundled database "sibling"; did you mean siblings? there are crdt, lww, siblings, single-leader (reference:MODE, control, or the URLs of a store that speaks the reference API)
    "#]]);
    desk.refuses("run -f partitoin", 64, expect![[r#"
        error: --faults: no kind of fault "partitoin"; did you mean partition? there are none, swarm, clock, clog, cut, disk-error, disk-full, disk-lies, disk-torn, duplicate, flap, kill, lose, lose-answers, one-way, partition, pause, reorder, slow, wipe (kinds of fault, spread over the load by the seed)
    "#]]);
    desk.refuses("run -e convergance=hold", 64, expect![[r#"
        error: --expect: no guarantee "convergance"; did you mean convergence? there are bank-totals, causal-consistency, causal-memory, causal-order, convergence, deletes-stay-deleted, linearizable, monotonic-atomic-view, monotonic-reads, monotonic-values, monotonic-writes, no-causal-reverse, no-long-fork, no-lost-updates, no-made-up-values, pram, prefix-consistency, read-atomic, read-committed, read-uncommitted, read-your-writes, repeatable-read, sequential, serializable, set-full, snapshot-isolation, strict-serializable, strong-session-monotonic-atomic-view, strong-session-read-atomic, strong-session-serializable, strong-session-snapshot-isolation, strong-snapshot-isolation, total-queue, transactional-causal, unique-ids, writes-follow-reads
    "#]]);
    desk.refuses("run -e convergence", 64, expect![[r#"
        error: --expect convergence: expected GUARANTEE=hold, GUARANTEE=break or GUARANTEE=watch, such as convergence=hold
    "#]]);
    desk.refuses("demo lwww", 64, expect![[r#"
        error: MODE: no mode of the bundled database "lwww"; did you mean lww? there are crdt, lww, siblings, single-leader (mode of the bundled database)
    "#]]);
}

#[test]
fn a_wrong_flag_ends_with_64_because_2_is_a_verdict() {
    let output = Desk::new().run("run --bogus");
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("--bogus"), "{}", text(&output.stderr));
}

#[test]
fn a_wrong_plan_is_refused_with_its_line() {
    let desk = Desk::new();
    desk.refuses("run nosuch.toml", 65, expect![[r#"
        error: nosuch.toml: No such file or directory (os error 2); give the path of a plan, or none for the built-in plan
    "#]]);
    desk.write("a.toml", "version = 1\n[load]\nrat = 5\n").refuses("run a.toml", 65, expect![[r#"
        error: a.toml:3: no setting "load.rat"; did you mean load.rate or load.duration or load.workload? there are load.workload, load.clients, load.sessions, load.tokens, load.rate, load.keys, load.key-distribution, load.duration, load.timeout
    "#]]);
    desk.write("b.toml", "version = 1\n[load]\nrate = -5\n").refuses("run b.toml", 65, expect![[r#"
        error: b.toml:3: load.rate: expected a whole number from 0 to 1000000, found -5 (calls per second over all clients, 0 = as fast as possible)
    "#]]);
    desk.write("c.toml", "version = 2\n").refuses(
        "run c.toml",
        65,
        expect![[r#"
        error: c.toml:1: plan version 2; this program reads version 1
    "#]],
    );
    desk.write("d.toml", "name = \"x\"\n").refuses(
        "run d.toml",
        65,
        expect![[r#"
        error: d.toml:1: the plan does not say its version; add a line  version = 1
    "#]],
    );
    desk.write("e.toml", "version = 1\nname = \n").refuses(
        "run e.toml",
        65,
        expect![[r#"
        error: e.toml:2: string values must be quoted, expected literal string
    "#]],
    );
    desk.write("f.toml", "version = 1\n[[fault]]\nat = \"1s\"\nfor = \"2s\"\npartiton = \"halves\"\n")
        .refuses("run f.toml", 65, expect![[r#"
            error: f.toml:2: fault: no fault is called `partiton` (did you mean `partition`?); there are: clock, clog, cut, disk-error, disk-full, disk-lies, disk-torn, duplicate, flap, kill, lose, lose-answers, one-way, partition, pause, reorder, slow, wipe
        "#]]);
    desk.write("g.toml", "version = 1\n[[fault]]\nat = \"1s\"\nfor = \"2s\"\npause = \"D\"\n").refuses(
        "run g.toml",
        65,
        expect![[r#"
            error: g.toml:2: `pause` names the node `D`; the nodes are: A B C
        "#]],
    );
    desk.write("h.toml", "version = 1\n[report]\nhtml = true\n").refuses("run h.toml", 65, expect![[r#"
        error: h.toml:3: report.html: every run writes verdict.txt and verdict.json into its folder, and there is no other form of report; take this line out
    "#]]);
    desk.refuses("run a.toml -p ci", 65, expect![[r#"
        error: a.toml:3: no setting "load.rat"; did you mean load.rate or load.duration or load.workload? there are load.workload, load.clients, load.sessions, load.tokens, load.rate, load.keys, load.key-distribution, load.duration, load.timeout
    "#]]);
    desk.write("i.toml", "version = 1\n[profile.ci]\nrepeat = 5\n").refuses(
        "run i.toml -p cii",
        64,
        expect![[r#"
        error: --profile: no profile "cii"; did you mean ci? there are ci in i.toml
    "#]],
    );
}

#[test]
fn a_plan_is_shown_with_the_origin_of_each_value() {
    let desk = Desk::new();
    desk.write(
        "rashomon.toml",
        r#"version = 1
name = "cart-nightly"
target = { reference = "lww", nodes = 3 }

[load]
workload = "append"
rate = 500

[[fault]]
at = "10s"
for = "10s"
partition = ["A", "B C"]

[expect]
no-lost-updates = "hold"

[profile.ci]
load.duration = "2m"
repeat = 5
"#,
    );
    let output =
        desk.command("run -p ci --show-plan -c 20").env("RASHOMON_SEED", "7f3a91c2").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    expect![[r#"
        version = 1
        name = "cart-nightly"         # rashomon.toml:2
        world = "live"                # built in
        target = "reference:lww"      # rashomon.toml:3
        seed = "7f3a91c2"             # environment RASHOMON_SEED
        repeat = 5                    # rashomon.toml:19

        [load]
        workload = "append"           # rashomon.toml:6
        clients = 20                  # --clients
        rate = 500                    # rashomon.toml:7
        keys = 400                    # built in
        key-distribution = "uniform"  # built in
        duration = "2m"               # rashomon.toml:18
        timeout = "1s"                # built in

        [check]
        settle = "5s"                 # built in
        time = "1m"                   # built in
        min-exposure = 1              # built in
        on-indeterminate = "fail"     # built in

        [[fault]]                     # rashomon.toml:9
        at = "10s"
        for = "10s"
        partition = ["A", "B C"]

        [expect]
        no-lost-updates = "hold"      # rashomon.toml:15
    "#]]
    .assert_eq(&text(&output.stdout));
    // What is shown can be run.
    desk.write("shown.toml", &text(&output.stdout));
    assert_eq!(desk.run("run shown.toml --show-plan").status.code(), Some(0));
}

const LOST: &str = r#"{"rashomon":"history","version":1,"name":"cart","target":"reference:lww","nodes":["A","B"]}
{"time":1000000,"event":"invoke","session":0,"node":"A","call":{"write":{"key":"k17","value":[88]}}}
{"time":2000000,"event":"confirmed","session":0,"reply":{"version":"A:1"}}
{"time":3000000,"event":"invoke","session":1,"node":"A","call":{"compare-and-set":{"key":"k17","expected":{"values":[[88]],"versions":["A:1"]},"value":[88,412]}}}
{"time":4000000,"event":"confirmed","session":1,"reply":{"version":"A:2"}}
{"time":5000000,"event":"invoke","session":2,"node":"B","call":{"compare-and-set":{"key":"k17","expected":{"values":[[88]],"versions":["A:1"]},"value":[88,434]}}}
{"time":6000000,"event":"confirmed","session":2,"reply":{"version":"B:1"}}
{"time":7000000,"event":"phase","phase":"final-reads"}
{"time":8000000,"event":"invoke","session":3,"node":"A","call":{"read":{"key":"k17"}}}
{"time":9000000,"event":"confirmed","session":3,"reply":{"observed":{"values":[[88,434]],"versions":["B:1"]}}}
{"time":10000000,"event":"invoke","session":4,"node":"B","call":{"read":{"key":"k17"}}}
{"time":11000000,"event":"confirmed","session":4,"reply":{"observed":{"values":[[88,434]],"versions":["B:1"]}}}
"#;

#[test]
fn a_recorded_history_is_judged_and_told() {
    let desk = Desk::new();
    let output = desk.write("lost.jsonl", LOST).run("check lost.jsonl -g no-lost-updates,convergence");
    assert_eq!(output.status.code(), Some(1));
    expect![[r#"
        rashomon JSON Lines, 5 operations, 5 sessions, 0.011 s

        ✗ BROKEN  no-lost-updates: 1 confirmed write disappeared, on 1 key
          cart · reference:lww, 2 nodes · 0.0 s · 5 operations

        ╭─────────────────┬──────────┬─────────────┬──────────────────────────────────────────────────────╮
        │ guarantee       │ expected │ observed    │ put to the test by                                   │
        ├─────────────────┼──────────┼─────────────┼──────────────────────────────────────────────────────┤
        │ convergence     │ hold     │ ✓ held      │ 1 key equal on A and B                               │
        │ no-lost-updates │ hold     │ ✗ broken ×1 │ 1 key updated by two sessions from one version, once │
        ╰─────────────────┴──────────┴─────────────┴──────────────────────────────────────────────────────╯

        A1  LOST UPDATE  key k17                                          more: rashomon explain lost-update

            Client c1 added 412 to k17 on node A and the database said OK. At the end 412 was gone from both
            nodes, A and B, and no final read saw it or anything made from it.

              time        who     what              answer
           1  0.003 s     c1 → A  adds 412 to [88]  OK  ◀ this write disappears
           2  0.005 s     c2 → B  adds 434 to [88]  OK  ◀ B did not know of 412
           3  0.008 s     c3 → A  reads k17         [88 434]  ◀ the proof

            Why this breaks no-lost-updates
              1 ──ww──▶ 2   434 was stored over 412: 2 of 2 final reads have 434 and not 412
              2 ──rw──▶ 1   but 2 started from [88], the list as it was before 1
              So each of the two came before the other: a cycle that no order can explain.

            Certain: all 3 operations were answered, and A and B were read at the end

          exit code 1
    "#]]
    .assert_eq(&text(&output.stdout));
}

#[test]
fn a_name_is_explained_and_its_history_can_be_checked() {
    let desk = Desk::new();
    let output = desk.run("explain Write skew");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("WRITE SKEW   anomaly, also called A5B\n"));
    let history = text(&desk.run("explain P4 --history").stdout);
    let output = desk.write("p4.jsonl", &history).run("check p4.jsonl -g no-lost-updates");
    assert_eq!(output.status.code(), Some(1), "{history}");
    let output = desk.run("explain lost-updat");
    assert_eq!(output.status.code(), Some(64));
    assert!(text(&output.stderr).contains("the closest are lost-update, "), "{}", text(&output.stderr));
    assert!(text(&desk.run("explain").stdout).contains("\n  strict-serializable "));
}

#[test]
fn a_narrow_terminal_gets_records_instead_of_a_table() {
    let desk = Desk::new();
    let output = desk
        .write("lost.jsonl", LOST)
        .command("check lost.jsonl -g no-lost-updates,convergence")
        .env("COLUMNS", "50")
        .env("LANG", "C")
        .output()
        .unwrap();
    expect![[r#"
        rashomon JSON Lines, 5 operations, 5 sessions, 0.011 s

        FAIL BROKEN  no-lost-updates: 1 confirmed write
                     disappeared, on 1 key
          cart - reference:lww, 2 nodes - 0.0 s - 5
          operations

        ok held  convergence
            expected: hold
            1 key equal on A and B
        FAIL broken x1  no-lost-updates
            expected: hold
            1 key updated by two sessions from one
            version, once

        A1  LOST UPDATE  key k17
            more: rashomon explain lost-update

            Client c1 added 412 to k17 on node A and the
            database said OK. At the end 412 was gone from
            both nodes, A and B, and no final read saw it
            or anything made from it.

              time        who     what              answer
           1  0.003 s     c1 -> A  adds 412 to [88]  OK
                          < this write disappears
           2  0.005 s     c2 -> B  adds 434 to [88]  OK
                          < B did not know of 412
           3  0.008 s     c3 -> A  reads k17         [88 434]
                          < the proof

            Why this breaks no-lost-updates
              1 --ww--> 2   434 was stored over 412: 2 of
                            2 final reads have 434 and not
                            412
              2 --rw--> 1   but 2 started from [88], the
                            list as it was before 1
              So each of the two came before the other: a
              cycle that no order can explain.

            Certain: all 3 operations were answered, and A
            and B were read at the end

          exit code 1
    "#]]
    .assert_eq(&text(&output.stdout));
}

#[test]
fn quiet_means_the_verdict_and_very_quiet_means_nothing() {
    let desk = Desk::new();
    desk.write("lost.jsonl", LOST);
    let quiet = desk.run("check lost.jsonl -g no-lost-updates -q");
    assert_eq!(text(&quiet.stdout).lines().count(), 1);
    let silent = desk.run("check lost.jsonl -g no-lost-updates -qq");
    assert_eq!((text(&silent.stdout).as_str(), silent.status.code()), ("", Some(1)));
}

#[test]
fn json_is_one_document() {
    let desk = Desk::new();
    let output = desk.write("lost.jsonl", LOST).run("check lost.jsonl -g no-lost-updates --format json");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["state"], "broken");
    assert_eq!(report["guarantees"][0]["guarantee"], "no-lost-updates");
    assert_eq!(report["findings"][0]["id"], "A1");
}

#[test]
fn a_malformed_history_is_refused_with_its_line() {
    let desk = Desk::new();
    let lines: Vec<&str> = LOST.lines().collect();
    let twice = [lines[0], lines[1], lines[1]].join("\n") + "\n";
    desk.write("bad.jsonl", &twice).refuses(
        "check bad.jsonl",
        65,
        expect![[r#"
            error: bad.jsonl: line 3: session c0 calls while its call at 0.001 s is still in flight; give each concurrent caller a session of its own
        "#]],
    );
    desk.write("empty.jsonl", "").refuses("check empty.jsonl", 65, expect![[r#"
        error: empty.jsonl: line 1: empty; a history begins with a line such as {"rashomon":"history","version":1}
    "#]]);
    desk.write("other.jsonl", "{\"hello\":1}\n").refuses(
        "check other.jsonl",
        65,
        expect![[r#"
            error: other.jsonl: line 1: not the header of a history: missing field `rashomon`; a history begins with a line such as {"rashomon":"history","version":1}
        "#]],
    );
}

#[test]
fn a_history_cut_off_in_its_last_line_is_judged_up_to_there() {
    let desk = Desk::new();
    desk.write("cut.jsonl", &LOST[..LOST.len() - 20]);
    let output = desk.run("check cut.jsonl -g no-made-up-values");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("line 12 is cut off"), "{}", text(&output.stdout));
}

/// Answers 503 to every request on every connection, for as long as the test lives.
fn store_that_refuses() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut requests = BufReader::new(stream.try_clone().unwrap());
                let mut answers = stream;
                while let Some(length) = read_head(&mut requests) {
                    let mut body = vec![0; length];
                    if requests.read_exact(&mut body).is_err() {
                        return;
                    }
                    if answers
                        .write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
                        .is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    format!("http://{address}")
}

/// Reads a request up to its body; gives the body's length, or none at the end.
fn read_head(requests: &mut impl BufRead) -> Option<usize> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if requests.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim().to_lowercase();
        if line.is_empty() {
            return Some(length);
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
}

#[test]
fn a_store_that_answers_503_to_everything_is_not_judged() {
    let desk = Desk::new();
    let url = store_that_refuses();
    for workload in ["append", "register", "set", "counter", "session-mix"] {
        let output = desk.run(&format!("run -t {url},{url} -w {workload} -d 1s --settle 0s --progress none"));
        let verdict = text(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{workload}: {verdict}{}", text(&output.stderr));
        assert!(verdict.contains("INDETERMINATE"), "{verdict}");
        assert!(!verdict.contains("✓ held"), "{workload}: {verdict}");
    }
}

#[test]
fn nobody_there_ends_with_69() {
    let desk = Desk::new();
    desk.refuses(
        "run -t http://127.0.0.1:1 -f none",
        69,
        expect![[r#"
        error: http://127.0.0.1:1: no connection; start the store there, or give the address where it listens
    "#]],
    );
    desk.refuses(
        "run -t http://127.0.0.1:1 -f partition",
        64,
        expect![[r#"
            error: fault partition needs network control, and there is none over http://127.0.0.1:1; run without faults: --faults none
        "#]],
    );
}

#[test]
fn every_workload_holds_on_the_single_copy() {
    let desk = Desk::new();
    let everything = "convergence linearizable no-lost-updates no-made-up-values deletes-stay-deleted causal-order \
                      read-your-writes monotonic-reads monotonic-writes writes-follow-reads";
    let expect: String = everything.split_whitespace().map(|name| format!(" -e {name}=hold")).collect();
    for workload in ["append", "register", "set", "counter", "session-mix"] {
        let arguments =
            format!("run -t control -w {workload} -d 1s -r 2000 --keys 20 --seed 1 --progress none{expect}");
        let output = desk.run(&arguments);
        let verdict = text(&output.stdout);
        assert!(!verdict.contains("broken"), "{workload}: {verdict}");
        assert!(verdict.contains("✓ held"), "{workload}: {verdict}");
    }
}

#[test]
fn last_write_wins_loses_updates_and_the_run_is_kept() {
    let desk = Desk::new();
    let plan = "run -d 4s -r 300 --keys 20 --seed 7f3a91c2 --progress none";
    let output = desk.run(plan);
    let verdict = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{verdict}{}", text(&output.stderr));
    assert!(verdict.contains("✗ BROKEN  no-lost-updates:"), "{verdict}");
    assert!(verdict.contains("LOST UPDATE"), "{verdict}");
    let run = desk.only_run();
    for file in [
        "README.txt",
        "plan.toml",
        "plan.resolved.json",
        "history.jsonl.zst",
        "verdict.json",
        "verdict.txt",
        "run.log",
        "anomalies/A1.json",
        "anomalies/A1/witness.json",
        "anomalies/A1/graph.dot",
        "anomalies/A1/graph.svg",
    ] {
        assert!(run.join(file).exists(), "{file} is missing");
    }
    let again = desk.run("check latest");
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stdout).contains(verdict.lines().next().unwrap()), "{}", text(&again.stdout));
}

#[test]
fn a_single_leader_without_faults_breaks_nothing() {
    let desk = Desk::new();
    for workload in ["append", "register", "session-mix"] {
        let plan = format!(
            "run -t reference:single-leader -f none -w {workload} -d 2s -r 300 --keys 20 --progress none"
        );
        let output = desk.run(&plan);
        let verdict = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{workload}: {verdict}{}", text(&output.stderr));
        assert!(!verdict.contains("broken"), "{workload}: {verdict}");
    }
}

/// Starts a run and waits until it says that it bites.
fn start_and_wait_for(
    desk: &Desk,
    arguments: &str,
    word: &str,
) -> (Child, BufReader<std::process::ChildStderr>) {
    let mut command = desk.command(arguments);
    // A group of its own, as a terminal would give it.
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains(word) {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the run ended before it said {word:?}");
    }
    (child, lines)
}

/// The processes whose parent is `parent`.
fn children_of(parent: u32) -> Vec<u32> {
    let listing = Command::new("ps").args(["-o", "pid=", "--ppid", &parent.to_string()]).output().unwrap();
    text(&listing.stdout).split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

/// True if the process is there and not a mere entry that waits to be reaped.
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

fn signal_group(pid: u32, signal: &str) {
    let group = format!("-{pid}");
    assert!(Command::new("kill").args([signal, "--", &group]).status().unwrap().success());
}

fn signal(pid: u32, signal: &str) {
    assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
}

#[test]
fn after_kill_9_nothing_is_left_running_and_the_record_can_be_judged() {
    let desk = Desk::new();
    let plan = "run -d 30s -r 300 --keys 20 -f pause --progress line";
    let (mut child, lines) = start_and_wait_for(&desk, plan, "bites");
    let nodes = children_of(child.id());
    assert_eq!(nodes.len(), 3);
    signal(child.id(), "-KILL");
    child.wait().unwrap();
    // The nodes hold the other end of standard error: its end is theirs.
    drop(lines);
    while nodes.iter().any(|node| is_alive(*node)) {
        std::thread::yield_now();
    }
    let output = desk.run("check latest -g no-made-up-values");
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(Path::new(&desk.only_run()).join("history.jsonl").exists());
}

#[test]
fn ctrl_c_heals_reads_back_and_judges() {
    let desk = Desk::new();
    let plan = "run -t reference:siblings -d 30s -r 300 --keys 20 --progress line";
    let (child, mut lines) = start_and_wait_for(&desk, plan, "bites");
    // A terminal signals the whole group, not only the one who listens.
    signal_group(child.id(), "-INT");
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(rest.contains("] healed "), "{rest}");
    let answered = rest.split("answered=").nth(1).and_then(|rest| rest.split_whitespace().next());
    let (answered, asked) = answered.and_then(|counts| counts.split_once('/')).unwrap();
    assert_eq!(answered, asked, "{rest}");
    assert_eq!(output.status.code(), Some(130), "{rest}{}", text(&output.stdout));
    let verdict = text(&output.stdout);
    assert!(verdict.contains("✓ held"), "{verdict}");
    assert!(verdict.contains("stopped with Ctrl-C"), "{verdict}");
}

#[test]
fn serve_answers_until_it_is_stopped() {
    let desk = Desk::new();
    // Of its own, and below the ports that the system gives away.
    let port = 12_000 + std::process::id() % 8_000;
    let mut child = desk
        .command(&format!("serve siblings -n 2 --defects forget-tombstones --port {port}"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("try") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended before it was ready");
    }
    let nodes = children_of(child.id());
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    stream.write_all(b"GET /v1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(r#""mode":"siblings""#), "{answer}");
    assert!(answer.contains(r#""defects":["forget-tombstones"]"#), "{answer}");
    signal(child.id(), "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    while nodes.iter().any(|node| is_alive(*node)) {
        std::thread::yield_now();
    }
}

#[test]
fn runs_are_listed_pinned_packed_and_deleted() {
    let desk = Desk::new();
    let said = |arguments: &str| {
        let output = desk.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments}: {}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(said("runs").contains("no runs yet"));
    said("run -t control -f none -d 500ms -r 400 --keys 4 -q --progress none --on-indeterminate pass");
    let id = desk.only_run().file_name().unwrap().to_str().unwrap().to_string();
    assert!(said("runs list").contains(&id));
    assert!(said("runs open latest").contains("exit code"));
    said("runs pin latest");
    assert!(said("runs").contains("for ever"));
    said("runs pack latest");
    assert!(desk.folder.path().join(format!("{id}.tar.zst")).exists());
    said("runs rm latest");
    assert!(said("runs").contains("no runs yet"));
}
