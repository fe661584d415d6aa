//! Verification: was a cut seen to bite? An active probe with a positive control.
//!
//! ```text
//! before    GET /healthz through the proxy     answered          else silence would prove nothing
//! cut       GET on an open connection, and on  silent for 250 ms, and the link carried 0 bytes
//!           a new one
//! healed    GET on a new connection            answered again
//! ```
//!
//! A cut of X→Y stalls requests that X sends to Y and answers that X gives to Y, so both proxies of
//! the pair are probed, those that exist. Any answer counts, also `404`: what matters is that bytes
//! came back.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use histories::NodeName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::clock::now;
use crate::{Carried, Effect, Endpoint, Mesh};

/// How long a healthy node may take to answer a probe.
const ANSWER: Duration = Duration::from_secs(1);
/// How long a healed link may take to be seen to answer; nodes may have much to catch up with.
const RECOVERY: Duration = Duration::from_secs(5);
/// How long a cut is watched; at most half of the time for which it is in force.
const WINDOW: Duration = Duration::from_millis(250);

type Pair = (Endpoint, NodeName);

/// The network effects of one fault, with the probes that answered before it.
pub(crate) struct NetworkCheck<'a> {
    mesh: &'a Mesh,
    effects: &'a [Effect],
    answered: Vec<(Pair, SocketAddr)>,
    /// Open and unused; the cut must silence them too.
    open: Vec<TcpStream>,
}

impl<'a> NetworkCheck<'a> {
    /// The positive control, before the fault.
    pub(crate) async fn control(mesh: &'a Mesh, effects: &'a [Effect]) -> Self {
        let mut probes = JoinSet::new();
        for (pair, address) in proxies(mesh, effects) {
            probes.spawn(async move {
                let answered = answer(address, ANSWER).await.is_some();
                let open = TcpStream::connect(address).await.ok();
                (pair, address, open.filter(|_| answered))
            });
        }
        let (mut answered, mut open) = (Vec::new(), Vec::new());
        while let Some(probe) = probes.join_next().await {
            if let Ok((pair, address, Some(stream))) = probe {
                answered.push((pair, address));
                open.push(stream);
            }
        }
        answered.sort();
        Self { mesh, effects, answered, open }
    }

    /// Whether the fault, which is in force for `span`, bites, with the evidence either way.
    pub(crate) async fn bites(&mut self, span: Duration) -> Result<String, String> {
        if self.answered.is_empty() {
            return Err("no probe was answered before the fault, so silence would prove nothing".to_owned());
        }
        let cut: Vec<(&Endpoint, &Endpoint)> = self.effects.iter().filter_map(cut_link).collect();
        if cut.is_empty() {
            self.is_late(span).await
        } else {
            self.is_silent(&cut, WINDOW.min(span / 2)).await
        }
    }

    async fn is_silent(
        &mut self,
        cut: &[(&Endpoint, &Endpoint)],
        window: Duration,
    ) -> Result<String, String> {
        let before: Vec<Carried> = cut.iter().map(|(from, to)| self.mesh.carried(from, to)).collect();
        let mut probes = JoinSet::new();
        for (_, address) in &self.answered {
            let address = *address;
            probes.spawn(async move { answer(address, window).await.is_some() });
        }
        for mut stream in self.open.drain(..) {
            probes.spawn(async move { matches!(timeout(window, ask(&mut stream)).await, Ok(Ok(_))) });
        }
        let sent = probes.len();
        // A probe may be refused early; the links are watched for the whole window.
        let (answers, ()) = tokio::join!(probes.join_all(), crate::clock::pass(window));
        let answered = answers.into_iter().filter(|answered| *answered).count();
        for ((from, to), before) in cut.iter().zip(before) {
            let carried = self.mesh.carried(from, to).bytes - before.bytes;
            if carried > 0 {
                return Err(format!("link {from} → {to} carried {carried} bytes while it was cut"));
            }
        }
        if answered > 0 {
            return Err(format!("{answered} of {sent} probes were answered through the cut"));
        }
        let links = if cut.len() == 1 { "1 link".to_owned() } else { format!("{} links", cut.len()) };
        Ok(format!(
            "{links} carried 0 bytes for {} ms; {sent} of {sent} probes unanswered",
            window.as_millis()
        ))
    }

    async fn is_late(&self, span: Duration) -> Result<String, String> {
        let least = self.effects.iter().filter_map(least_latency).min().unwrap_or_default();
        let patience = span.min(ANSWER + 10 * least);
        let mut probes = JoinSet::new();
        for (_, address) in &self.answered {
            let address = *address;
            probes.spawn(async move { answer(address, patience).await });
        }
        let times = probes.join_all().await;
        let Some(quickest) = times.iter().flatten().min() else {
            return Ok(format!("{0} of {0} probes unanswered for {1} ms", times.len(), patience.as_millis()));
        };
        let (quickest, least) = (quickest.as_millis(), least.as_millis());
        if quickest < least {
            return Err(format!(
                "a probe was answered in {quickest} ms, less than the {least} ms of one slow link"
            ));
        }
        Ok(format!("{} probes took {quickest} ms or more", times.len()))
    }

    /// Whether every probe that was answered before the fault is answered again, but for pairs that
    /// another fault hinders.
    pub(crate) async fn healed(
        &self,
        is_hindered: impl Fn(&Endpoint, &NodeName) -> bool,
    ) -> Result<String, String> {
        let mut probes = JoinSet::new();
        for ((from, to), address) in self.answered.clone() {
            if !is_hindered(&from, &to) {
                probes.spawn(async move { (from, to, answers_again(address).await) });
            }
        }
        let all = probes.len();
        let mut silent: Vec<String> = (probes.join_all().await.into_iter())
            .filter(|(from, to, answered)| !answered && !is_hindered(from, to))
            .map(|(from, to, _)| format!("{from} → {to}"))
            .collect();
        silent.sort();
        if !silent.is_empty() {
            return Err(format!("no answer for {} s on {}", RECOVERY.as_secs(), silent.join(", ")));
        }
        match self.answered.len() - all {
            0 => Ok(format!("{all} of {all} probes answered again")),
            left => Ok(format!("{all} of {all} probes answered again; another fault keeps {left} silent")),
        }
    }
}

/// Every listener of the mesh whose connections use a link of the fault, each once.
fn proxies(mesh: &Mesh, effects: &[Effect]) -> Vec<(Pair, SocketAddr)> {
    let mut pairs = BTreeSet::new();
    for effect in effects {
        if let Effect::Cut { from, to } | Effect::Slow { from, to, .. } = effect {
            pairs.extend(to.node().map(|node| (from.clone(), node.clone())));
            pairs.extend(from.node().map(|node| (to.clone(), node.clone())));
        }
    }
    pairs
        .into_iter()
        .filter_map(|pair| mesh.address(&pair.0, &pair.1).map(|address| (pair, address)))
        .collect()
}

fn cut_link(effect: &Effect) -> Option<(&Endpoint, &Endpoint)> {
    if let Effect::Cut { from, to } = effect { Some((from, to)) } else { None }
}

fn least_latency(effect: &Effect) -> Option<Duration> {
    let Effect::Slow { latency_ms, jitter_ms, .. } = effect else { return None };
    Some(Duration::from_millis(latency_ms - jitter_ms))
}

async fn answers_again(address: SocketAddr) -> bool {
    let again = async {
        while answer(address, RECOVERY).await.is_none() {
            crate::clock::pass(Duration::from_millis(50)).await;
        }
    };
    timeout(RECOVERY, again).await.is_ok()
}

/// How long a new connection took to be answered, if it was.
pub(crate) async fn answer(address: SocketAddr, patience: Duration) -> Option<Duration> {
    let asked = now();
    let answered = timeout(patience, async { ask(&mut TcpStream::connect(address).await?).await }).await;
    answered.ok()?.ok().map(|()| now() - asked)
}

/// Sends a small request; done when something comes back.
async fn ask(stream: &mut TcpStream) -> io::Result<()> {
    let request = b"GET /healthz HTTP/1.1\r\nhost: probe\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await?;
    if stream.read(&mut [0; 64]).await? == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}
