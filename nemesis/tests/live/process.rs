//! Processes: killed, started again, paused, and never left behind.

use std::process::{Command, Stdio};

use histories::NodeState;
use nemesis::{ProcessState, Supervisor};

use crate::helper::{Called, command, listen, name, soon};

#[tokio::test]
async fn a_killed_node_is_gone_and_starts_again() {
    let (folder, (listener, call_back)) = (tempfile::tempdir().unwrap(), listen().await);
    let (supervisor, mut exits) = Supervisor::new();
    let first = supervisor.start(name("A"), command("node A", folder.path(), call_back)).await.unwrap();
    let called = Called::accept(&listener).await;
    let status = supervisor.kill(&name("A")).await.unwrap();
    assert_eq!(status.to_string(), "signal: 9 (SIGKILL)");
    called.end().await;
    let error = supervisor.pause(&name("A")).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot pause node A: it is gone (signal: 9 (SIGKILL))");
    let second = supervisor.restart(&name("A")).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(Called::accept(&listener).await.node, "A");
    assert_eq!(supervisor.state(&name("A")), Some(ProcessState::Running));
    assert!(exits.try_recv().is_err(), "a kill that was asked for is no news");
}

#[tokio::test]
async fn a_paused_node_is_stopped_and_goes_on() {
    let (folder, (listener, call_back)) = (tempfile::tempdir().unwrap(), listen().await);
    let (supervisor, _exits) = Supervisor::new();
    supervisor.start(name("A"), command("node A", folder.path(), call_back)).await.unwrap();
    let called = Called::accept(&listener).await;
    supervisor.pause(&name("A")).await.unwrap();
    assert_eq!(supervisor.state(&name("A")), Some(ProcessState::Paused));
    assert_ne!(supervisor.is_stopped(&name("A")), Some(false));
    supervisor.resume(&name("A")).await.unwrap();
    assert_ne!(supervisor.is_stopped(&name("A")), Some(true));
    supervisor.pause(&name("A")).await.unwrap();
    supervisor.kill_all().await;
    called.end().await;
}

#[tokio::test]
async fn an_exit_that_nobody_asked_for_is_news() {
    let (folder, (_listener, call_back)) = (tempfile::tempdir().unwrap(), listen().await);
    let (supervisor, mut exits) = Supervisor::new();
    supervisor.start(name("A"), command("fail disk is full", folder.path(), call_back)).await.unwrap();
    let event = soon(exits.recv()).await.unwrap();
    assert_eq!((event.node, event.state), (name("A"), NodeState::Down));
    assert!(
        event.detail.starts_with("ended by itself (exit status: 3); its last lines: "),
        "{}",
        event.detail
    );
    assert!(event.detail.ends_with("disk is full"), "{}", event.detail);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error() {
    let (folder, (_listener, call_back)) = (tempfile::tempdir().unwrap(), listen().await);
    let (supervisor, _exits) = Supervisor::new();
    let mut missing = command("node A", folder.path(), call_back);
    missing.program = folder.path().join("missing");
    let error = supervisor.start(name("A"), missing).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot start node A");
    assert!(supervisor.state(&name("A")).is_none());
}

#[tokio::test]
async fn dropping_the_supervisor_kills() {
    let (folder, (listener, call_back)) = (tempfile::tempdir().unwrap(), listen().await);
    let (supervisor, _exits) = Supervisor::new();
    supervisor.start(name("A"), command("node A", folder.path(), call_back)).await.unwrap();
    let called = Called::accept(&listener).await;
    drop(supervisor);
    called.end().await;
}

/// Invariant: no node outlives the harness, however the harness ends, and even if the node is stopped.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn killing_the_harness_leaves_no_node() {
    let (folder, (listener, call_back)) = (tempfile::tempdir().unwrap(), listen().await);
    let spec = command(&format!("harness {}", folder.path().display()), folder.path(), call_back);
    let mut harness = Command::new(&spec.program)
        .args(&spec.args)
        .envs(&spec.env)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut called = Vec::new();
    for _ in 0..3 {
        called.push(Called::accept(&listener).await);
    }
    let at = called.iter().position(|called| called.node == "harness").unwrap();
    called[at].order().await;
    // `kill` is SIGKILL: nothing of the harness runs any more.
    harness.kill().unwrap();
    harness.wait().unwrap();
    for called in called {
        called.end().await;
    }
}
