//! One half of a proxied connection: bytes from a reader to a writer, past the gate of their link.
//!
//! ```text
//! direct    read a chunk, wait until the link is whole, write it       no queue, one buffer
//! delayed   read ─► [due 210 ms, due 223 ms, …] ─► write when due      as long as the link is slow
//! ```
//!
//! The two halves of a connection know nothing of each other: the end of one is passed on as the end
//! of that half only, as TCP does. A broken half resets, and the other notices by itself.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio::time::Instant;

use super::link::{Gate, Latency, Link};
use crate::clock::now;

const CHUNK_BYTES: usize = 16 * 1024;
/// What a slow half holds at most; at 200 ms this carries 5 MiB/s.
const QUEUE_BYTES: usize = 1024 * 1024;

pub(super) struct Half {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    link: Arc<Link>,
    /// How far the link leads.
    far: Option<Latency>,
    gate: watch::Receiver<Gate>,
}

/// The reader broke, and the writer was made to reset: the other half has nobody left to talk to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken;

/// Why a half stops early.
enum Stop {
    /// The reader's peer reset its connection.
    Reader,
    /// The writer's peer is gone. What it had said may still be on its way in the other half.
    Writer,
}

impl Half {
    pub(super) fn new(
        reader: OwnedReadHalf,
        writer: OwnedWriteHalf,
        (link, far): (Arc<Link>, Option<Latency>),
    ) -> Self {
        let gate = link.subscribe();
        Self { reader, writer, link, far, gate }
    }

    /// Relays until the reader ends, and passes the end on.
    pub(super) async fn run(mut self) -> Result<(), Broken> {
        match self.relay().await {
            Ok(()) => Ok(()),
            Err(Stop::Writer) => {
                self.writer.forget();
                Ok(())
            }
            Err(Stop::Reader) => {
                // The reset travels on this link too. It must not look like an orderly end, so the
                // writer is forgotten, not shut down.
                whole(&mut self.gate).await;
                drop(self.writer.as_ref().set_zero_linger());
                self.writer.forget();
                Err(Broken)
            }
        }
    }

    async fn relay(&mut self) -> Result<(), Stop> {
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            let read = self.read(&mut buffer).await?;
            if self.is_late() {
                if self.delayed(&mut buffer, read).await? == Stream::Ended {
                    return Ok(());
                }
            } else if read == 0 {
                return self.finish().await;
            } else {
                self.write(&buffer[..read]).await?;
            }
        }
    }

    async fn read(&self, buffer: &mut [u8]) -> Result<usize, Stop> {
        loop {
            self.reader.readable().await.map_err(|_| Stop::Reader)?;
            match self.reader.try_read(buffer) {
                Ok(read) => return Ok(read),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Err(Stop::Reader),
            }
        }
    }

    /// Writes all of the bytes, none of them while the link is cut.
    async fn write(&mut self, mut bytes: &[u8]) -> Result<(), Stop> {
        while !bytes.is_empty() {
            match self.try_write(bytes) {
                None => whole(&mut self.gate).await,
                Some(Ok(written)) => bytes = &bytes[written..],
                Some(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.writer.writable().await.map_err(|_| Stop::Writer)?;
                }
                Some(Err(_)) => return Err(Stop::Writer),
            }
        }
        Ok(())
    }

    /// Nothing if the link is cut. The gate is held meanwhile, so that a cut waits for this one write.
    fn try_write(&self, bytes: &[u8]) -> Option<io::Result<usize>> {
        let gate = self.gate.borrow();
        if gate.cut {
            return None;
        }
        let written = self.writer.try_write(bytes);
        if let Ok(count) = written {
            self.link.count_bytes(count);
        }
        Some(written)
    }

    async fn finish(&mut self) -> Result<(), Stop> {
        whole(&mut self.gate).await;
        self.writer.shutdown().await.map_err(|_| Stop::Writer)
    }

    /// Relays by way of a queue, until the stream ends or the link is quick again and all is out.
    async fn delayed(&mut self, buffer: &mut [u8], read: usize) -> Result<Stream, Stop> {
        let mut queue = Queue::default();
        queue.push(&buffer[..read], self.late());
        let mut reading = if read == 0 { Reading::Ended } else { Reading::On };
        loop {
            let due = queue.due();
            tokio::select! {
                biased;
                () = until(due), if due.is_some() => {
                    self.write(&queue.pop()).await?;
                }
                read = self.read(buffer), if reading == Reading::On && queue.bytes < QUEUE_BYTES => match read {
                    Ok(0) => {
                        queue.push(&[], self.late());
                        reading = Reading::Ended;
                    }
                    Ok(read) => queue.push(&buffer[..read], self.late()),
                    Err(_) => {
                        queue.push(&[], self.late());
                        reading = Reading::Broken;
                    }
                }
            }
            if queue.chunks.is_empty() {
                match reading {
                    Reading::Ended => return self.finish().await.map(|()| Stream::Ended),
                    Reading::Broken => return Err(Stop::Reader),
                    Reading::On if !self.is_late() => return Ok(Stream::GoesOn),
                    Reading::On => {}
                }
            }
        }
    }

    /// When something that is sent now arrives.
    fn late(&self) -> Instant {
        let slow = self.gate.borrow().latency;
        now() + self.link.draw_both(self.far, slow)
    }

    fn is_late(&self) -> bool {
        self.far.is_some() || self.gate.borrow().latency.is_some()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Ended,
    GoesOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    On,
    Ended,
    Broken,
}

/// Waits until the link is whole.
pub(super) async fn whole(gate: &mut watch::Receiver<Gate>) {
    // The sender lives in the link, which the caller holds, so this cannot fail.
    drop(gate.wait_for(|gate| !gate.cut).await);
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Chunks with the time at which each is due; the end of the stream is an empty chunk.
#[derive(Default)]
struct Queue {
    chunks: VecDeque<(Instant, Vec<u8>)>,
    bytes: usize,
}

impl Queue {
    fn push(&mut self, chunk: &[u8], drawn: Instant) {
        // Never before what was sent earlier: jitter does not reorder a stream.
        let due = self.chunks.back().map_or(drawn, |(last, _)| drawn.max(*last));
        self.chunks.push_back((due, chunk.to_vec()));
        self.bytes += chunk.len();
    }

    fn due(&self) -> Option<Instant> {
        self.chunks.front().map(|(due, _)| *due)
    }

    fn pop(&mut self) -> Vec<u8> {
        let chunk = self.chunks.pop_front().map(|(_, chunk)| chunk).unwrap_or_default();
        self.bytes -= chunk.len();
        chunk
    }
}
