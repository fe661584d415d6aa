//! How many files and sockets this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit of open files as far as the system lets this process; says how far that is, or
/// nothing where there is no limit.
pub fn raise_file_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    // Where it may not be raised, the present one counts.
    if setrlimit(Resource::Nofile, raised).is_ok() { maximum } else { current }
}
