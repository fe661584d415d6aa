//! Live progress on standard error: lines that stay in the scrollback, and on a terminal a frame
//! of a few lines that says what happens right now.
//!
//! Nothing is called *broken* here: an eventually consistent store may still repair what looks
//! odd. That word belongs to the check.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};

use clap::ValueEnum;
use histories::Nanos;

mod frame;
mod stats;

pub(crate) use frame::{NodeGlyph, Scene, frame, titled_bar};
pub(crate) use stats::{Snapshot, Stats};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How to show progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressHow {
    /// Full on a terminal, else one line every 5 s.
    #[default]
    Auto,
    /// A frame that is drawn again and again.
    Full,
    /// One line an event.
    Line,
    /// Nothing.
    None,
}

impl ProgressHow {
    /// What `auto` comes to here.
    fn decide(self) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match self {
            Self::Auto if terminal && !dumb => Self::Full,
            Self::Auto => Self::Line,
            chosen => chosen,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Full => "full",
            Self::Line => "line",
            Self::None => "none",
        }
    }
}

/// Shows what happens; cheap to clone and to share.
#[derive(Clone)]
pub(crate) struct Progress {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    how: ProgressHow,
    /// The command line said nothing about it.
    open: bool,
    log: Option<File>,
    frame: Option<(MultiProgress, Vec<ProgressBar>)>,
    color: bool,
}

/// The columns of standard error.
fn width() -> usize {
    usize::from(console::Term::stderr().size().1).max(40)
}

impl Inner {
    fn draw(&mut self, lines: &[String]) {
        let (multi, bars) = self.frame.get_or_insert_with(|| {
            (MultiProgress::with_draw_target(ProgressDrawTarget::stderr()), Vec::new())
        });
        while bars.len() < lines.len() {
            let bar = multi.add(ProgressBar::new_spinner());
            bar.set_style(
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bars.push(bar);
        }
        for (index, bar) in bars.iter().enumerate() {
            bar.set_message(lines.get(index).cloned().unwrap_or_default());
        }
    }
}

impl Progress {
    pub(crate) fn new(how: ProgressHow, color: bool) -> Self {
        let open = how == ProgressHow::Auto;
        let how = how.decide();
        Self { inner: Arc::new(Mutex::new(Inner { how, open, log: None, frame: None, color })) }
    }

    /// Takes what a plan says, unless the command line said something.
    pub(crate) fn prefer(&self, how: ProgressHow) {
        let mut inner = self.lock();
        if inner.open {
            inner.how = how.decide();
        }
    }

    /// Keeps every line in `log` too, whatever is shown.
    pub(crate) fn log_to(&self, log: File) {
        self.lock().log = Some(log);
    }

    /// True if a person watches: frames are drawn.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().how == ProgressHow::Full
    }

    /// One event: `[ 10.0s] fault   partition=A|B,C for=10s`.
    pub(crate) fn line(&self, time: Nanos, what: &str, details: &str) {
        let line = format!("[{:>5.1}s] {what:<7} {details}", time.as_secs_f64());
        let mut inner = self.lock();
        if let Some(log) = &mut inner.log {
            // The log is for people; a full disk shows where the history is written.
            let _ = writeln!(log, "{line}");
        }
        if inner.how == ProgressHow::Line {
            tell(&line);
        }
    }

    /// A sentence that stays in the scrollback, with or without frames, unless nothing is shown.
    pub(crate) fn say(&self, sentence: &str) {
        let inner = self.lock();
        match (&inner.frame, inner.how) {
            (_, ProgressHow::None) => {}
            (Some((frame, _)), _) => frame.suspend(|| tell(sentence)),
            (None, _) => tell(sentence),
        }
    }

    /// Draws the frame anew.
    pub(crate) fn draw(&self, scene: &Scene, snapshot: &Snapshot) {
        let mut inner = self.lock();
        if inner.how != ProgressHow::Full {
            return;
        }
        let lines = frame(scene, snapshot, width() - 1, inner.color);
        inner.draw(&lines);
    }

    /// Draws these lines, made for so many columns, where frames are drawn.
    pub(crate) fn draw_lines(&self, lines: impl FnOnce(usize) -> Vec<String>) {
        let mut inner = self.lock();
        if inner.how == ProgressHow::Full {
            inner.draw(&lines(width() - 1));
        }
    }

    /// Takes the frame away.
    pub(crate) fn clear(&self) {
        if let Some((multi, bars)) = self.lock().frame.take() {
            bars.iter().for_each(ProgressBar::finish_and_clear);
            // A terminal that is gone has no frame left to clear.
            let _ = multi.clear();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line to standard error, for whoever still reads along.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
