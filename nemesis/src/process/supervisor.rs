//! The supervisor: one keeper task a child, which alone signals and reaps it.
//!
//! ```text
//!            start            pause             kill
//!   (none) ────────► running ◄──────► paused ──────────► exited
//!                       │    resume                        │ restart: the same command
//!                       └──────────── kill, or by itself ──┘
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use histories::{NodeEvent, NodeName};
use tokio::sync::{mpsc, watch};

use super::child::PARENT_VARIABLE;
use super::keeper::{Keeper, Order};
use super::spawner;
use crate::Error;

/// How to start a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandSpec {
    /// The executable.
    pub program: PathBuf,
    /// Its arguments, without its name.
    pub args: Vec<String>,
    /// Set on top of the harness's own environment.
    pub env: BTreeMap<String, String>,
    /// Where standard output and standard error go; appended to.
    pub log: PathBuf,
}

/// What became of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs.
    Running,
    /// It was stopped by [`Supervisor::pause`].
    Paused,
    /// It is gone and reaped.
    Exited(ExitStatus),
}

impl fmt::Display for ProcessState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => f.write_str("running"),
            Self::Paused => f.write_str("paused"),
            Self::Exited(status) => write!(f, "gone ({status})"),
        }
    }
}

/// Keeps the children. Clones are handles to the same children; dropping the last kills them.
#[derive(Debug, Clone)]
pub struct Supervisor {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    kept: Mutex<BTreeMap<NodeName, Kept>>,
    exits: mpsc::UnboundedSender<NodeEvent>,
}

#[derive(Debug, Clone)]
struct Kept {
    command: CommandSpec,
    pid: u32,
    state: watch::Receiver<ProcessState>,
    orders: mpsc::UnboundedSender<Order>,
}

impl Supervisor {
    /// A supervisor without children, and the news of exits that nobody asked for: `Down`, with the
    /// exit status and the last lines of the log.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<NodeEvent>) {
        let (exits, news) = mpsc::unbounded_channel();
        (Self { inner: Arc::new(Inner { kept: Mutex::default(), exits }) }, news)
    }

    /// Starts a node; returns its process id. Needs a tokio runtime.
    pub async fn start(&self, node: NodeName, command: CommandSpec) -> Result<u32, Error> {
        if let Some(state) = self.state(&node)
            && !matches!(state, ProcessState::Exited(_))
        {
            return Err(wrong("start", &node, state));
        }
        let failed = |source| Error::Process { action: "start", node: node.clone(), source };
        let child = spawner::spawn(prepare(&command).map_err(failed)?).await.map_err(failed)?;
        // A child that was not yet waited for has an id.
        let pid = child.id().ok_or_else(|| failed(io::Error::other("it ended at once")))?;
        let (state, seen) = watch::channel(ProcessState::Running);
        let (orders, received) = mpsc::unbounded_channel();
        let keeper = Keeper { node: node.clone(), log: command.log.clone(), pid, state, killed: false };
        tokio::spawn(keeper.keep(child, received, self.inner.exits.clone()));
        lock(&self.inner.kept).insert(node, Kept { command, pid, state: seen, orders });
        Ok(pid)
    }

    /// Kills without notice (SIGKILL) and waits until the process is gone and reaped.
    pub async fn kill(&self, node: &NodeName) -> Result<ExitStatus, Error> {
        let mut kept = self.alive("kill", node)?;
        self.order(&kept, Order::Kill);
        let gone = kept.state.wait_for(|state| matches!(state, ProcessState::Exited(_))).await;
        match gone.map(|state| *state) {
            Ok(ProcessState::Exited(status)) => Ok(status),
            Ok(state) => Err(wrong("kill", node, state)),
            Err(_) => Err(Error::NotStarted { node: node.clone() }),
        }
    }

    /// Starts the same command again, after a kill or an exit.
    pub async fn restart(&self, node: &NodeName) -> Result<u32, Error> {
        let command = self.kept(node)?.command;
        self.start(node.clone(), command).await
    }

    /// Stops the process where it stands (SIGSTOP) and waits until it is seen to be stopped, at most
    /// a second.
    pub async fn pause(&self, node: &NodeName) -> Result<(), Error> {
        let mut kept = self.alive("pause", node)?;
        self.order(&kept, Order::Pause);
        // The state may also turn to exited; whoever verifies the pause sees that.
        drop(kept.state.wait_for(|state| *state != ProcessState::Running).await);
        self.settle(node, true).await;
        Ok(())
    }

    /// Lets a paused process go on (SIGCONT) and waits until it is seen to, at most a second.
    pub async fn resume(&self, node: &NodeName) -> Result<(), Error> {
        self.resume_soon(node)?;
        let mut kept = self.kept(node)?;
        drop(kept.state.wait_for(|state| *state != ProcessState::Paused).await);
        self.settle(node, false).await;
        Ok(())
    }

    /// Has a paused process go on, without waiting for it.
    pub fn resume_soon(&self, node: &NodeName) -> Result<(), Error> {
        let kept = self.alive("resume", node)?;
        self.order(&kept, Order::Resume);
        Ok(())
    }

    /// Kills all children that are still there, and waits for each.
    pub async fn kill_all(&self) {
        let nodes: Vec<NodeName> = lock(&self.inner.kept).keys().cloned().collect();
        for node in nodes {
            // The only errors say that it is gone already.
            drop(self.kill(&node).await);
        }
    }

    /// What became of the node's process; nothing if it was never started.
    pub fn state(&self, node: &NodeName) -> Option<ProcessState> {
        lock(&self.inner.kept).get(node).map(|kept| *kept.state.borrow())
    }

    /// The process id, of the process that is there or was last.
    pub fn pid(&self, node: &NodeName) -> Option<u32> {
        lock(&self.inner.kept).get(node).map(|kept| kept.pid)
    }

    /// Whether the system says that the process is stopped; nothing where the system does not say.
    pub fn is_stopped(&self, node: &NodeName) -> Option<bool> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid(node)?)).ok()?;
        // The name, in parentheses, may itself contain any of this.
        let (_, after_name) = stat.rsplit_once(") ")?;
        Some(after_name.starts_with('T'))
    }

    async fn settle(&self, node: &NodeName, stopped: bool) {
        for _ in 0..200 {
            if self.is_stopped(node) != Some(!stopped) {
                return;
            }
            crate::clock::pass(Duration::from_millis(5)).await;
        }
    }

    fn kept(&self, node: &NodeName) -> Result<Kept, Error> {
        lock(&self.inner.kept).get(node).cloned().ok_or_else(|| Error::NotStarted { node: node.clone() })
    }

    fn alive(&self, action: &'static str, node: &NodeName) -> Result<Kept, Error> {
        let kept = self.kept(node)?;
        let state = *kept.state.borrow();
        if let ProcessState::Exited(_) = state {
            return Err(wrong(action, node, state));
        }
        Ok(kept)
    }

    fn order(&self, kept: &Kept, order: Order) {
        // If the keeper has ended, so has the process, and its state says so.
        let _ended = kept.orders.send(order);
    }
}

fn wrong(action: &'static str, node: &NodeName, state: ProcessState) -> Error {
    Error::WrongState { action, node: node.clone(), state: state.to_string() }
}

fn prepare(spec: &CommandSpec) -> io::Result<Command> {
    let log = OpenOptions::new().create(true).append(true).open(&spec.log)?;
    let mut command = Command::new(&spec.program);
    command.args(&spec.args).envs(&spec.env).env(PARENT_VARIABLE, std::process::id().to_string());
    // Nobody writes to standard input: the child reads from it when we are gone.
    // A Ctrl-C at the terminal is for the harness: it heals and reads back, and needs its nodes for that.
    command.process_group(0);
    command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
    Ok(command)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds the lock, so a poisoned one is still whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
