//! Stopping: the first Ctrl-C (or SIGTERM) ends the load, the second ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use crate::exit::Exit;
use crate::progress::tell;

/// Tells everyone who waits that the run shall come to its end.
#[derive(Clone)]
pub(crate) struct StopSignal {
    reason: watch::Sender<Option<Exit>>,
    signalled: Arc<AtomicBool>,
}

impl StopSignal {
    pub(crate) fn new() -> Self {
        Self { reason: watch::Sender::new(None), signalled: Arc::default() }
    }

    /// Listens to the operating system for as long as the runtime lives, and says what it does. The
    /// second signal ends the program at once; child processes notice and end too.
    pub(crate) fn listen(&self) -> std::io::Result<()> {
        self.on_signal(|stop, exit| stop.announce(exit))
    }

    /// The same for a hunt, which has nothing to heal and can go on later.
    pub(crate) fn listen_for_hunt(&self) -> std::io::Result<()> {
        self.on_signal(|stop, exit| {
            if stop.signalled.swap(true, Ordering::SeqCst) {
                tell("\nrashomon: stopped at once; what was counted is kept: rashomon hunt --resume");
                std::process::exit(exit.code().into());
            }
            stop.reason.send_replace(Some(exit));
        })
    }

    /// The same without a word, for a command that only waits to be stopped.
    pub(crate) fn listen_quietly(&self) -> std::io::Result<()> {
        self.on_signal(|stop, exit| {
            stop.reason.send_replace(Some(exit));
        })
    }

    fn on_signal(&self, act: fn(&Self, Exit)) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let stop = self.clone();
        tokio::spawn(async move {
            loop {
                let exit = tokio::select! {
                    _ = interrupt.recv() => Exit::Interrupted,
                    _ = terminate.recv() => Exit::Terminated,
                };
                act(&stop, exit);
            }
        });
        Ok(())
    }

    fn announce(&self, exit: Exit) {
        if self.signalled.swap(true, Ordering::SeqCst) {
            tell("\nrashomon: stopped at once; what was recorded is kept: rashomon check latest");
            std::process::exit(exit.code().into());
        }
        tell(
            "\nrashomon: stopping; faults are healed and what was recorded is checked (again to quit at once)",
        );
        self.reason.send_replace(Some(exit));
    }

    /// Why the run shall end, if it shall.
    pub(crate) fn reason(&self) -> Option<Exit> {
        *self.reason.borrow()
    }

    /// How the program ends if the run was stopped.
    pub(crate) fn exit(&self) -> Exit {
        self.reason().unwrap_or(Exit::Interrupted)
    }

    /// Waits until the run shall end.
    pub(crate) async fn stopped(&self) {
        let mut reason = self.reason.subscribe();
        // The sender lives in `self`, so that the wait cannot fail.
        let _ = reason.wait_for(Option::is_some).await;
    }
}
