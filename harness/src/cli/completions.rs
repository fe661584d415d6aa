//! `rashomon completions SHELL`: a script for the shell.

use clap::Args;

use crate::exit::{Exit, Stop};

/// Print a shell completion script
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell
    shell: clap_complete::Shell,
}

impl Completions {
    pub(crate) fn run(self, mut command: clap::Command) -> Result<Exit, Stop> {
        clap_complete::generate(self.shell, &mut command, "rashomon", &mut std::io::stdout());
        Ok(Exit::Met)
    }
}
