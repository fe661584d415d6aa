//! The driver on a small cluster: three nodes, every link through the proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use expect_test::{Expect, expect};
use histories::{Call, FaultStage, MicroOp, Nanos, NodeName};
use nemesis::{
    Argument, Endpoint, FaultSpec, Happening, LiveControls, Mesh, Moment, Schedule, Sentry, Sight, Summary,
    Supervisor, drive,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use crate::helper::{Called, answer, command, listen, name, soon};

const NODES: [&str; 3] = ["A", "B", "C"];

fn clock() -> impl Fn() -> Nanos + Send + Sync + 'static {
    #[expect(clippy::disallowed_methods, reason = "the driver lives in real time")]
    let start = std::time::Instant::now();
    move || Nanos::from(start.elapsed())
}

/// Opens every link of the cluster towards these addresses.
async fn mesh(upstream: &[SocketAddr]) -> Mesh {
    let mesh = Mesh::new();
    for (to, upstream) in NODES.into_iter().zip(upstream) {
        mesh.link(Endpoint::Clients, name(to), *upstream).await.unwrap();
        for from in NODES.into_iter().filter(|from| *from != to) {
            mesh.link(name(from), name(to), *upstream).await.unwrap();
        }
    }
    mesh
}

/// Three nodes that are tasks of the test.
async fn tasks() -> LiveControls {
    let mut upstream = Vec::new();
    for _ in NODES {
        let (listener, address) = listen().await;
        upstream.push(address);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream));
            }
        });
    }
    controls(mesh(&upstream).await, None)
}

/// Three nodes that are processes; the folder has their logs.
async fn processes() -> (LiveControls, tempfile::TempDir) {
    let (folder, (listener, call_back)) = (tempfile::tempdir().unwrap(), listen().await);
    let (supervisor, _exits) = Supervisor::new();
    let mut called = Vec::new();
    for node in NODES {
        supervisor
            .start(name(node), command(&format!("node {node}"), folder.path(), call_back))
            .await
            .unwrap();
        called.push(Called::accept(&listener).await);
    }
    let mesh = mesh(&called.iter().map(|called| called.address).collect::<Vec<_>>()).await;
    let again = mesh.clone();
    tokio::spawn(async move {
        loop {
            let restarted = Called::accept_one(&listener).await;
            again.set_upstream(&NodeName::from(restarted.node.as_str()), restarted.address);
            called.push(restarted);
        }
    });
    (controls(mesh, Some(supervisor)), folder)
}

fn controls(mesh: Mesh, supervisor: Option<Supervisor>) -> LiveControls {
    let proxies = mesh.clone();
    let ready = Arc::new(move |node: NodeName| {
        let address = proxies.address(&Endpoint::Clients, &node).unwrap();
        let ready: std::pin::Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(async move {
            while !answers(address).await {
                tokio::task::yield_now().await;
            }
            Ok(())
        });
        ready
    });
    let (data, clocks) = (std::collections::BTreeMap::new(), None);
    LiveControls {
        mesh: Some(mesh),
        supervisor,
        data,
        clocks,
        answers: <_>::default(),
        ready,
        ready_timeout: Duration::from_secs(10),
    }
}

async fn answers(address: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
        stream.read_u8().await
    };
    asked.await.is_ok()
}

fn schedule(faults: &[(&str, Argument, u64, u64)]) -> Schedule {
    let spec = |(name, argument, at, span): &(&str, Argument, u64, u64)| {
        FaultSpec::new(name, argument.clone(), Nanos::from_millis(*at), Nanos::from_millis(*span)).unwrap()
    };
    let specs: Vec<FaultSpec> = faults.iter().map(spec).collect();
    let nodes = NODES.map(name);
    Schedule::resolve(&specs, &nodes, Nanos::from_millis(60_000), &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
}

fn sides() -> Argument {
    Argument::List(vec!["A".to_owned(), "B C".to_owned()])
}

fn show(happening: &Happening) -> String {
    match happening {
        Happening::Fault(event) => {
            let separator = if event.detail.is_empty() { "" } else { ": " };
            format!("{} {} {:?}{separator}{}", event.fault, event.summary, event.stage, event.detail)
        }
        Happening::Node(event) => format!("{} {:?}: {}", event.node, event.state, event.detail),
    }
}

/// Drives to the end and shows what happened; what the first fault did comes first.
async fn check(controls: &LiveControls, schedule: &Schedule, expected: Expect) -> Summary {
    let (_stop, stopped) = watch::channel(false);
    let mut lines = Vec::new();
    let summary = soon(drive(
        schedule,
        controls,
        clock(),
        |happening| lines.push(show(&happening)),
        stopped,
        <_>::default(),
    ))
    .await;
    // Faults that overlap have no order among themselves that a busy machine would keep.
    if schedule.faults.iter().all(|fault| fault.nodes().is_empty()) {
        lines.sort_by_key(|line| line.starts_with("F1"));
    }
    expected.assert_eq(&lines.join("\n"));
    summary
}

#[tokio::test]
async fn a_split_is_verified_and_healed() {
    let controls = tasks().await;
    let split = schedule(&[("partition", sides(), 20, 600)]);
    let summary = check(
        &controls,
        &split,
        expect![[r#"
        F0 A | B C Injecting
        F0 A | B C Effective: 4 links carried 0 bytes for 250 ms; 8 of 8 probes unanswered
        F0 A | B C Healing
        F0 A | B C Healed: 4 of 4 probes answered again"#]],
    )
    .await;
    assert_eq!(summary, Summary { effective: 1, ..Summary::default() });
}

#[tokio::test]
async fn a_slow_link_is_seen_to_be_late() {
    let controls = tasks().await;
    let parts =
        [("links", "all"), ("latency", "20ms")].map(|(key, text)| (key.to_owned(), Argument::from(text)));
    let slow = schedule(&[("slow", Argument::Table(parts.into()), 0, 400)]);
    let (_stop, stopped) = watch::channel(false);
    let summary = soon(drive(&slow, &controls, clock(), |_| {}, stopped, <_>::default())).await;
    assert_eq!(summary, Summary { effective: 1, ..Summary::default() });
}

#[tokio::test]
async fn a_flapping_split_is_one_fault() {
    let controls = tasks().await;
    let parts = [("partition".to_owned(), sides()), ("period".to_owned(), Argument::from("200ms"))];
    check(
        &controls,
        &schedule(&[("flap", Argument::Table(parts.into()), 0, 500)]),
        expect![[r#"
        F0 A | B C, every 200ms Injecting
        F0 A | B C, every 200ms Effective: 4 links carried 0 bytes for 50 ms; 8 of 8 probes unanswered
        F0 A | B C, every 200ms Healing
        F0 A | B C, every 200ms Healed: 4 of 4 probes answered again"#]],
    )
    .await;
}

#[tokio::test]
async fn splits_may_overlap() {
    let controls = tasks().await;
    let one_way = Argument::List(vec!["B".to_owned(), "C".to_owned()]);
    let faults = schedule(&[("partition", sides(), 0, 1000), ("one-way", one_way, 100, 500)]);
    let summary = check(
        &controls,
        &faults,
        expect![[r#"
            F0 A | B C Injecting
            F0 A | B C Effective: 4 links carried 0 bytes for 250 ms; 8 of 8 probes unanswered
            F0 A | B C Healing
            F0 A | B C Healed: 4 of 4 probes answered again
            F1 B ⇥ C Injecting
            F1 B ⇥ C Effective: 1 link carried 0 bytes for 250 ms; 4 of 4 probes unanswered
            F1 B ⇥ C Healing
            F1 B ⇥ C Healed: 2 of 2 probes answered again"#]],
    )
    .await;
    assert_eq!(summary, Summary { effective: 2, ..Summary::default() });
}

#[tokio::test]
async fn a_cut_that_leaks_is_ineffective() {
    let controls = tasks().await;
    let leak = controls.mesh.clone().unwrap();
    let leaking = tokio::spawn(async move {
        loop {
            leak.restore(&name("A").into(), &name("B").into());
            leak.restore(&name("B").into(), &name("A").into());
            tokio::task::yield_now().await;
        }
    });
    let one_way = Argument::List(vec!["A".to_owned(), "B".to_owned()]);
    let (_stop, stopped) = watch::channel(false);
    let mut details = Vec::new();
    let keep = |happening| {
        if let Happening::Fault(event) = happening
            && event.stage == FaultStage::Ineffective
        {
            details.push(event.detail);
        }
    };
    let summary = soon(drive(
        &schedule(&[("one-way", one_way, 0, 300)]),
        &controls,
        clock(),
        keep,
        stopped,
        <_>::default(),
    ))
    .await;
    leaking.abort();
    assert_eq!(summary, Summary { ineffective: 1, ..Summary::default() });
    assert!(details[0].starts_with("link A → B carried "), "{details:?}");
    assert!(details[0].ends_with(" bytes while it was cut"), "{details:?}");
}

#[tokio::test]
async fn processes_are_killed_paused_and_brought_back() {
    let (controls, _logs) = processes().await;
    let faults = schedule(&[("kill", Argument::from("B"), 0, 300), ("pause", Argument::from("B"), 300, 100)]);
    let summary = check(
        &controls,
        &faults,
        expect![[r#"
            F0 kill B Injecting
            B Down: killed (signal: 9 (SIGKILL))
            F0 kill B Effective: process B is gone (signal: 9 (SIGKILL))
            F0 kill B Healing
            B Up: restarted
            F0 kill B Healed: process B restarted and answers
            F1 pause B Injecting
            B Paused: stopped
            F1 pause B Effective: process B is stopped
            F1 pause B Healing
            B Up: goes on
            F1 pause B Healed: process B goes on and answers"#]],
    )
    .await;
    assert_eq!(summary, Summary { effective: 2, ..Summary::default() });
}

#[tokio::test]
async fn what_is_not_offered_is_ineffective() {
    let controls = tasks().await;
    let kill = schedule(&[("kill", Argument::from("B"), 0, 10)]);
    let summary = check(
        &controls,
        &kill,
        expect![[r#"
        F0 kill B Injecting
        F0 kill B Ineffective: the target offers no process control
        F0 kill B Healing
        F0 kill B Healed: not seen to be gone: the target offers no process control"#]],
    )
    .await;
    assert_eq!((summary.ineffective, summary.unhealed.len()), (1, 1));
    assert!(controls.offered().admit(&kill).is_err());
}

#[tokio::test]
async fn stopping_heals_early() {
    let (controls, _logs) = processes().await;
    let faults = schedule(&[("kill", Argument::from("B"), 0, 50_000), ("partition", sides(), 59_000, 1000)]);
    let (stop, stopped) = watch::channel(false);
    let mut lines = Vec::new();
    let emit = |happening: Happening| {
        if matches!(&happening, Happening::Fault(event) if event.stage == FaultStage::Effective) {
            stop.send_replace(true);
        }
        lines.push(show(&happening));
    };
    let summary = soon(drive(&faults, &controls, clock(), emit, stopped, <_>::default())).await;
    let healed_early = vec!["kill B".to_owned()];
    assert_eq!(summary, Summary { effective: 1, skipped: 1, healed_early, ..Summary::default() });
    expect![[r#"
        F0 kill B Injecting
        B Down: killed (signal: 9 (SIGKILL))
        F0 kill B Effective: process B is gone (signal: 9 (SIGKILL))
        F0 kill B Healing
        B Up: restarted
        F0 kill B Healed: process B restarted and answers"#]]
    .assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn stopping_does_not_wait_for_the_verification() {
    let controls = tasks().await;
    let (stop, stopped) = watch::channel(false);
    let mut lines = Vec::new();
    let emit = |happening: Happening| {
        stop.send_replace(true);
        lines.push(show(&happening));
    };
    let split = schedule(&[("partition", sides(), 0, 50_000)]);
    let summary = soon(drive(&split, &controls, clock(), emit, stopped, <_>::default())).await;
    assert_eq!(summary.healed_early, ["partition A | B C"]);
    expect![[r#"
        F0 A | B C Injecting
        F0 A | B C Ineffective: the run was stopped before this was verified
        F0 A | B C Healing
        F0 A | B C Healed: 4 of 4 probes answered again"#]]
    .assert_eq(&lines.join("\n"));
}

/// A fault of three waits for a call, one for the heal of that one, and one for what never comes.
#[tokio::test]
async fn faults_that_wait_begin_when_they_are_told_to() {
    let (controls, _logs) = processes().await;
    let specs: Vec<FaultSpec> = [
        r#"{"when":{"confirmed":"write","node":"A","nth":2},"then":{"kill":"A"},"for":"200ms"}"#,
        r#"{"when":{"fault":0,"is":"healed"},"then":{"partition":["A","B C"]},"for":"600ms"}"#,
        r#"{"when":{"unknown":"any"},"then":{"pause":"B"},"for":"1s"}"#,
    ]
    .map(|text| serde_json::from_str(text).unwrap())
    .into();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let faults = Schedule::resolve(&specs, &NODES.map(name), Nanos::from_millis(60_000), &mut rng).unwrap();
    let (sentry, alarms) = Sentry::new(&faults);
    let call = Call::from(MicroOp::Write { key: "x".into(), value: 1.into() });
    for node in ["A", "B", "A", "A"].map(name) {
        sentry.saw(Nanos(0), Sight::Call { moment: Moment::Confirmed, call: &call, node: &node });
    }
    let (stop, stopped) = watch::channel(false);
    let mut lines = Vec::new();
    let emit = |happening: Happening| {
        lines.push(show(&happening));
        if lines.last().is_some_and(|line| line.starts_with("F1 A | B C Healed")) {
            stop.send_replace(true);
        }
    };
    let summary = soon(drive(&faults, &controls, clock(), emit, stopped, (sentry, alarms))).await;
    assert_eq!(summary, Summary { effective: 2, ineffective: 1, ..Summary::default() });
    expect![[r#"
        F0 kill A Injecting: when A confirmed write x, the 2nd such call
        A Down: killed (signal: 9 (SIGKILL))
        F0 kill A Effective: process A is gone (signal: 9 (SIGKILL))
        F0 kill A Healing
        A Up: restarted
        F0 kill A Healed: process A restarted and answers
        F1 A | B C Injecting: when F0 healed
        F1 A | B C Effective: 4 links carried 0 bytes for 250 ms; 8 of 8 probes unanswered
        F1 A | B C Healing
        F1 A | B C Healed: 4 of 4 probes answered again
        F2 pause B Ineffective: nothing triggered it before the load ended"#]]
    .assert_eq(&lines.join("\n"));
}

/// Two that wait want one process at one time: the first has it, and the other is left out.
#[tokio::test]
async fn a_fault_that_finds_its_process_taken_is_left_out() {
    let (controls, _logs) = processes().await;
    let spec = |text: &str| serde_json::from_str::<FaultSpec>(text).unwrap();
    let specs = [
        spec(r#"{"at":"0ms","for":"500ms","kill":"A"}"#),
        spec(r#"{"when":{"fault":0,"is":"effective"},"then":{"pause":"A"},"for":"1s"}"#),
    ];
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let faults = Schedule::resolve(&specs, &NODES.map(name), Nanos::from_millis(60_000), &mut rng).unwrap();
    let (_stop, stopped) = watch::channel(false);
    let mut lines = Vec::new();
    let emit = |happening: Happening| lines.push(show(&happening));
    let summary = soon(drive(&faults, &controls, clock(), emit, stopped, Sentry::new(&faults))).await;
    assert_eq!(summary, Summary { effective: 1, ineffective: 1, ..Summary::default() });
    lines.sort_by_key(|line| line.starts_with("F1"));
    expect![[r#"
        F0 kill A Injecting
        A Down: killed (signal: 9 (SIGKILL))
        F0 kill A Effective: process A is gone (signal: 9 (SIGKILL))
        F0 kill A Healing
        A Up: restarted
        F0 kill A Healed: process A restarted and answers
        F1 pause A Ineffective: fault F0 has process A at this time, so this one was left out"#]]
    .assert_eq(&lines.join("\n"));
}

#[tokio::test]
async fn dropping_the_drive_heals() {
    let (controls, _logs) = processes().await;
    let faults = [("partition", sides()), ("kill", Argument::from("B")), ("pause", Argument::from("C"))];
    let faults = schedule(&faults.map(|(name, argument)| (name, argument, 0, 50_000)));
    let (_stop, stopped) = watch::channel(false);
    let (bitten, mut bites) = mpsc::unbounded_channel();
    let emit = move |happening| {
        if matches!(&happening, Happening::Fault(event) if event.stage >= FaultStage::Effective) {
            bitten.send(()).unwrap();
        }
    };
    let three = async {
        for _ in 0..3 {
            bites.recv().await;
        }
    };
    tokio::select! {
        _ = drive(&faults, &controls, clock(), emit, stopped, <_>::default()) => panic!("the drive ended by itself"),
        () = soon(three) => {}
    }
    for node in NODES {
        soon((controls.ready)(name(node))).await.unwrap();
        for from in NODES.into_iter().filter(|from| *from != node) {
            let address = controls.mesh.as_ref().unwrap().address(&name(from).into(), &name(node)).unwrap();
            assert!(soon(answers(address)).await, "{from} → {node}");
        }
    }
}
