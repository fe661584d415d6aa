//! The one thread that forks every child, because the parent-death signal is tied to the thread.

use std::io;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::mpsc;

use tokio::process::Child;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

struct Job {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

/// Starts the command from the spawner's thread. Dropping the child kills it.
pub(super) async fn spawn(command: Command) -> io::Result<Child> {
    static JOBS: OnceLock<mpsc::Sender<Job>> = OnceLock::new();
    let (reply, child) = oneshot::channel();
    let job = Job { command, runtime: Handle::current(), reply };
    // The thread never ends, so both channels stay open.
    JOBS.get_or_init(start).send(job).map_err(|_| io::Error::other("the spawner's thread has ended"))?;
    child.await.map_err(|_| io::Error::other("the spawner's thread has ended"))?
}

fn start() -> mpsc::Sender<Job> {
    let (sender, jobs) = mpsc::channel::<Job>();
    std::thread::spawn(move || {
        for Job { command, runtime, reply } in jobs {
            // Tokio's reaper needs the runtime of the one who asks.
            let _entered = runtime.enter();
            let child = tokio::process::Command::from(command).kill_on_drop(true).spawn();
            drop(reply.send(child));
        }
    });
    sender
}
