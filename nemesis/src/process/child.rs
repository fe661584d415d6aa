//! The child's side: end when the parent ends.

use std::io::Read;

use rustix::process::{Pid, getppid};

/// The supervisor's process id, for the child to compare with its parent's.
pub(super) const PARENT_VARIABLE: &str = "RASHOMON_PARENT_PID";

/// Ties this process to the supervisor that started it; to be called first thing in `main`.
///
/// Returns false, and does nothing, if no supervisor started this process. Otherwise standard input
/// belongs to the tie from now on, and the process exits with 0 when its supervisor is gone.
pub fn exit_with_parent() -> bool {
    let Some(parent) = std::env::var(PARENT_VARIABLE).ok().and_then(|pid| pid.parse::<i32>().ok()) else {
        return false;
    };
    die_with_parent();
    // The parent may have died before the signal was asked for.
    if getppid().map(Pid::as_raw_nonzero).map(i32::from) != Some(parent) {
        std::process::exit(0);
    }
    std::thread::spawn(|| {
        let mut ignored = [0; 64];
        while std::io::stdin().lock().read(&mut ignored).is_ok_and(|read| read > 0) {}
        std::process::exit(0);
    });
    true
}

#[cfg(target_os = "linux")]
fn die_with_parent() {
    let asked = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    if let Err(error) = asked {
        tracing::warn!(%error, "no parent-death signal; only the end of standard input ends this process");
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_parent() {}
