//! The command line: what a person types, and where it goes.

use std::io::{IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::{ArgAction, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::exit::{Exit, Stop};
use crate::progress::{Progress, ProgressHow};
use crate::report::style::{ColorWhen, Style};
use crate::store::Store;

mod check;
mod completions;
mod convert;
mod demo;
mod divergence;
mod explain;
mod hunt;
mod node;
mod replay;
mod run;
mod runs;
mod serve;
mod shrink;
mod verify_witness;

/// Find out whether a replicated database keeps its promises.
#[derive(Debug, Parser)]
#[command(name = "rashomon", version, help_template = HELP, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

// clap cannot group commands; a test keeps this list equal to the commands that there are.
const HELP: &str = "{about}

{usage-heading} {usage}

Start here:
  demo            Start a 3-node database, split its network, watch it lose a write (about 30 s)

Test a store:
  run             Run a plan: workload, faults, check, report
  hunt            Simulate many seeds of a plan on all cores, up to the first that breaks an expectation

Work with a result:
  check           Check a recorded history, or a stored run again
  verify-witness  Derive a contradiction again from its history, without the checkers
  convert         Write a history in the format of another tool
  replay          Make a stored run again: exactly when simulated, or so many times on real processes
  shrink          Reduce a run that broke a guarantee to the fewest calls and faults that still break it
  divergence      Run plans in the simulated world and on real processes, and say where the two differ
  explain         What an anomaly or a guarantee is, with a tiny history that shows it
  runs            List, open, pin, pack and delete stored runs; list hunts

Machinery:
  serve           Start the bundled reference database
  completions     Print a shell completion script

Options:
{options}{after-help}";

const EXIT_CODES: &str = "
Exit codes: a code under 64 is a verdict about the store, 64 and over means there is no verdict.
    0  every expectation was met, and each was put to the test
    1  an expectation was broken: anomalies were found, or one marked `break` did not show
    2  indeterminate: nothing was proved either way
   64  wrong command line      65  plan or history cannot be read
   69  store not reachable
   70  bug in rashomon         74  a result could not be written
  130  stopped with Ctrl-C, 143 by SIGTERM (what was recorded is kept, and was checked if possible)";

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Run(Box<run::Run>),
    Hunt(Box<hunt::Hunt>),
    Check(check::Check),
    VerifyWitness(verify_witness::VerifyWitness),
    Convert(convert::Convert),
    Replay(replay::Replay),
    Shrink(shrink::Shrink),
    Divergence(divergence::Divergence),
    Explain(explain::Explain),
    Runs(runs::Runs),
    Serve(serve::Serve),
    Completions(completions::Completions),
    #[command(hide = true)]
    Node(node::Node),
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
struct Global {
    /// Print less (-q: verdict only, -qq: nothing, exit code only)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    quiet: u8,
    /// Log more to stderr (-v: decisions, -vv: every request)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Colours; NO_COLOR and CLICOLOR_FORCE are respected
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        value_enum,
        default_value = "auto",
        hide_possible_values = true
    )]
    color: ColorWhen,
    /// Live progress on stderr: full when it is a terminal, else one line every 5 s
    #[arg(
        long,
        global = true,
        value_name = "HOW",
        value_enum,
        default_value = "auto",
        env = "RASHOMON_PROGRESS",
        hide_env_values = true
    )]
    progress: ProgressHow,
    /// What goes to stdout: text for people, or one JSON document, or JSON events as they happen
    #[arg(long, global = true, value_name = "FORMAT", value_enum, default_value = "text")]
    format: Format,
    /// Where runs are stored
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = ".rashomon",
        env = "RASHOMON_STORE",
        hide_env_values = true
    )]
    store: String,
}

/// What goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// The verdict for people.
    Text,
    /// `verdict.json`.
    Json,
    /// Every event of the history as it happens, then the verdict, one JSON document a line.
    Ndjson,
}

/// What a command knows of how it was called.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) store: Store,
    pub(crate) progress: Progress,
    pub(crate) style: Style,
    pub(crate) format: Format,
    pub(crate) quiet: u8,
}

/// Does what the command line says; gives the exit code.
pub(crate) fn main() -> u8 {
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    log(&cli.global);
    // What panics is a bug of ours; the panic itself has said where.
    let done = catch_unwind(AssertUnwindSafe(|| dispatch(cli, &matches)));
    match done {
        Ok(Ok(exit)) => exit.code(),
        Ok(Err(stop)) => {
            complain(&stop);
            stop.exit.code()
        }
        Err(_) => Exit::Internal.code(),
    }
}

fn dispatch(cli: Cli, matches: &clap::ArgMatches) -> Result<Exit, Stop> {
    let session = session(&cli.global);
    let matches = matches.subcommand().map_or(matches, |(_, matches)| matches);
    match cli.command {
        Command::Demo(demo) => demo.run(&session),
        Command::Run(run) => run.run(&session, matches),
        Command::Hunt(hunt) => hunt.run(&session, matches),
        Command::Check(check) => check.run(&session),
        Command::VerifyWitness(verify) => verify.run(&session),
        Command::Convert(convert) => convert.run(&session),
        Command::Replay(replay) => replay.run(&session),
        Command::Shrink(shrink) => shrink.run(&session),
        Command::Divergence(divergence) => divergence.run(&session),
        Command::Explain(explain) => explain.run(&session),
        Command::Runs(runs) => runs.run(&session),
        Command::Serve(serve) => serve.run(),
        Command::Completions(completions) => completions.run(Cli::command()),
        Command::Node(node) => node.run(),
    }
}

fn session(global: &Global) -> Session {
    let style = Style::stdout(global.color);
    let how = if global.quiet > 0 { ProgressHow::None } else { global.progress };
    Session {
        store: Store::new(&global.store),
        progress: Progress::new(how, global.color.enabled(true)),
        style,
        format: global.format,
        quiet: global.quiet,
    }
}

/// Prints a line to standard output. A reader who has seen enough, such as `head`, is no failure.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// clap ends with 2 where it is used wrongly; here 2 is a verdict.
fn usage(error: &clap::Error) -> u8 {
    // A broken pipe leaves nobody to tell.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.code() } else { 0 }
}

fn complain(stop: &Stop) {
    let _ = writeln!(std::io::stderr(), "error: {:#}", stop.error);
    if stop.exit == Exit::Internal {
        let _ = writeln!(std::io::stderr(), "This should not happen: it is a bug in rashomon.");
    }
}

fn log(global: &Global) {
    let usual = match global.verbose {
        0 => "off",
        1 => "info",
        _ => "debug,hyper=info,hyper_util=info",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("RASHOMON_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(global.color.enabled(std::io::stderr().is_terminal()));
    // Only a second logger could be refused.
    let _ = logger.try_init();
}

/// Runs `work` on a runtime that lives as long as it.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Stop>>) -> Result<T, Stop> {
    let runtime = tokio::runtime::Runtime::new().map_err(anyhow::Error::from)?;
    let result = runtime.block_on(work);
    // Connections that still hang have nothing left to say.
    runtime.shutdown_background();
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_every_command() {
        let command = Cli::command();
        let listed: Vec<&str> =
            HELP.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()).collect();
        let known: Vec<&str> = command
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
            .map(|c| c.get_name())
            .collect();
        assert_eq!(listed, known);
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
