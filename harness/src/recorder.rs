//! The recorder: one clock and one file. Each event gets its time and its place in the file under
//! one lock, so that the order on disk is the order in which things happened.
//!
//! ```text
//!   clients, nemesis, phases ──event──► lock { time, queue } ──► writer thread ──► history.jsonl
//! ```
//!
//! A call's time is taken before anything is sent, an answer's after it came: the recorded interval
//! contains the real one. The writer hands whole lines to the operating system every few
//! milliseconds: after `kill -9` the file can be read up to its last whole line.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use histories::format::jsonl;
use histories::{Event, EventKind, Header, Nanos};

/// How long an event may wait for the writer.
const FLUSH: Duration = Duration::from_millis(20);

/// Records what happens; cheap to clone and to share.
#[derive(Clone)]
pub(crate) struct Recorder {
    shared: Arc<Shared>,
}

struct Shared {
    epoch: Instant,
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    events: Vec<Event>,
    last: Nanos,
    closed: bool,
}

/// The writer behind a recorder; to be finished once nothing more is recorded.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    thread: JoinHandle<io::Result<()>>,
}

/// Starts to record into a new file at `path`.
/// With `tee` every line goes to standard output too.
pub(crate) fn start(path: &Path, header: &Header, tee: bool) -> io::Result<(Recorder, Writer)> {
    let mut out = Lines { file: BufWriter::with_capacity(1 << 18, File::create_new(path)?), tee };
    out.write(|line| jsonl::write_header(line, header))?;
    out.flush()?;
    let shared = Arc::new(Shared { epoch: now(), queue: Mutex::default(), wake: Condvar::new() });
    let writer = shared.clone();
    let thread = std::thread::Builder::new()
        .name("recorder".into())
        .spawn(move || write_until_closed(&writer, out))?;
    Ok((Recorder { shared: shared.clone() }, Writer { shared, thread }))
}

impl Recorder {
    /// Records that `kind` happens now; says when that is.
    pub(crate) fn record(&self, kind: EventKind) -> Nanos {
        let mut queue = self.shared.queue();
        let time = self.now().max(queue.last);
        queue.last = time;
        queue.events.push(Event { time, kind });
        time
    }

    /// The time since the recording began.
    pub(crate) fn now(&self) -> Nanos {
        Nanos::from(self.shared.epoch.elapsed())
    }
}

impl Writer {
    /// Writes what is left, and waits until it is on the disk.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.shared.queue().closed = true;
        self.shared.wake.notify_one();
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the recorder's thread panicked")))
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        // A panic elsewhere leaves the queue whole: it is only ever pushed to.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where lines go.
struct Lines {
    file: BufWriter<File>,
    tee: bool,
}

impl Lines {
    fn write(&mut self, line: impl Fn(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        line(&mut self.file)?;
        if self.tee && line(&mut io::stdout().lock()).is_err() {
            // Whoever read along has seen enough.
            self.tee = false;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn write_until_closed(shared: &Shared, mut out: Lines) -> io::Result<()> {
    loop {
        let (events, closed) = {
            let queue = shared.queue();
            let waited = shared.wake.wait_timeout_while(queue, FLUSH, |queue| !queue.closed);
            let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
            (std::mem::take(&mut queue.events), queue.closed)
        };
        for event in &events {
            out.write(|line| jsonl::write_event(line, event))?;
        }
        out.flush()?;
        if closed {
            return out.file.get_ref().sync_all();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the recorder is where a live run takes its time from")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use histories::{Phase, SessionId};

    #[test]
    fn events_of_many_threads_are_in_the_order_of_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        let (recorder, writer) = start(&path, &Header::default(), false).unwrap();
        std::thread::scope(|scope| {
            for session in 0..4 {
                let recorder = recorder.clone();
                scope.spawn(move || {
                    for _ in 0..500 {
                        let session = SessionId(session);
                        let call = histories::MicroOp::Read { key: "x".into() }.into();
                        recorder.record(EventKind::Invoke { session, node: None, planned: None, call });
                        let outcome = histories::Outcome::Failed(histories::Reason::TIMEOUT);
                        recorder.record(EventKind::Complete { session, outcome });
                    }
                });
            }
        });
        recorder.record(EventKind::Phase(Phase::Done));
        writer.finish().unwrap();
        let reading = histories::format::read_file(&path).unwrap();
        assert_eq!(reading.history.operations().len(), 2000);
        assert_eq!(reading.warnings, Vec::<String>::new());
    }
}
