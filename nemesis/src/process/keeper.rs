//! The keeper of one child: a task that alone signals it and waits for it.
//!
//! ```text
//! orders: pause, resume, kill ──►  keeper  ──► state: running, paused, exited
//! the child ends by itself    ──►          ──► news, with the last lines of its log
//! ```
//!
//! It signals only before its wait returned: a process id that was given to somebody else meanwhile is
//! never hit.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use histories::{NodeEvent, NodeName, NodeState};
use rustix::process::{Pid, Signal};
use tokio::process::Child;
use tokio::sync::{mpsc, watch};

use super::ProcessState;

#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Kill,
    Pause,
    Resume,
}

pub(super) struct Keeper {
    pub(super) node: NodeName,
    pub(super) log: PathBuf,
    pub(super) pid: u32,
    pub(super) state: watch::Sender<ProcessState>,
    /// Whether its end was asked for.
    pub(super) killed: bool,
}

impl Keeper {
    pub(super) async fn keep(
        mut self,
        mut child: Child,
        mut orders: mpsc::UnboundedReceiver<Order>,
        exits: mpsc::UnboundedSender<NodeEvent>,
    ) {
        // Waiting for the child would close its standard input, which tells it to exit.
        let _lifeline = child.stdin.take();
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                order = orders.recv(), if !self.killed => self.obey(order, &mut child),
            }
        };
        match status {
            Ok(status) => {
                if !self.killed {
                    drop(exits.send(self.unasked(status)));
                }
                self.state.send_replace(ProcessState::Exited(status));
            }
            Err(error) => tracing::error!(node = %self.node, %error, "the process cannot be waited for"),
        }
    }

    /// No order at all means that the last handle to the supervisor is gone.
    fn obey(&mut self, order: Option<Order>, child: &mut Child) {
        let done = match order {
            Some(Order::Pause) => self.signal(Signal::STOP, ProcessState::Paused),
            Some(Order::Resume) => self.signal(Signal::CONT, ProcessState::Running),
            Some(Order::Kill) | None => {
                self.killed = true;
                child.start_kill()
            }
        };
        if let Err(error) = done {
            tracing::warn!(node = %self.node, %error, "the process cannot be signalled");
        }
    }

    fn signal(&self, signal: Signal, state: ProcessState) -> io::Result<()> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        rustix::process::kill_process(pid.ok_or(io::ErrorKind::InvalidInput)?, signal)?;
        self.state.send_replace(state);
        Ok(())
    }

    fn unasked(&self, status: ExitStatus) -> NodeEvent {
        let lines = last_lines(&self.log).unwrap_or_default();
        let end = if lines.is_empty() {
            "it logged nothing".to_owned()
        } else {
            format!("its last lines: {lines}")
        };
        let detail = format!("ended by itself ({status}); {end}");
        NodeEvent { node: self.node.clone(), state: NodeState::Down, detail }
    }
}

/// The last lines of a log, at most five of them and 2 KiB.
fn last_lines(log: &Path) -> io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(2048)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let tail = String::from_utf8_lossy(&tail);
    let lines: Vec<&str> = tail.lines().filter(|line| !line.trim().is_empty()).collect();
    Ok(lines[lines.len().saturating_sub(5)..].join(" ⏎ "))
}
