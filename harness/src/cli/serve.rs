//! `rashomon serve MODE`: the bundled database in the foreground, one process a node.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use nemesis::process::Supervisor;
use reference_db::Mode;

use super::{block_on, say};
use crate::exit::{Exit, Stop};
use crate::run::StopSignal;
use crate::target::processes::{NodeCommand, wait_until_ready};
use crate::target::{Distances, TargetSpec};

/// Start the bundled reference database
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// lww, siblings, crdt or single-leader
    #[arg(default_value = "lww")]
    mode: String,
    /// How many nodes
    #[arg(short, long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=26))]
    nodes: u32,
    /// Who sends to whom: all-to-all, chain, custom (with --set links=A-B+B>C), ring, star or tree
    #[arg(long, value_name = "NAME", default_value = "all-to-all")]
    topology: String,
    /// In which order changes are applied: arrival, fifo or causal
    #[arg(long, value_name = "NAME", default_value = "causal")]
    delivery: String,
    /// How long a node remembers deletions; 0s is for ever
    #[arg(long, value_name = "TIME", default_value = "0s")]
    tombstones: String,
    /// Planted bugs, with + between them, such as forget-tombstones
    #[arg(long, value_name = "LIST", value_delimiter = '+')]
    defects: Vec<String>,
    /// Any other setting of plans that begins with target, such as ack=majority; as often as needed
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
    /// The first node's port for clients; the others follow, then those for their peers
    #[arg(long, value_name = "PORT", default_value_t = 7101)]
    port: u16,
    /// Where the nodes keep their data
    #[arg(long, value_name = "DIR", default_value = ".rashomon/serve")]
    data: PathBuf,
}

impl Serve {
    pub(crate) fn run(self) -> Result<Exit, Stop> {
        let mut target = TargetSpec::reference(Mode::Lww);
        target.set_mode(&self.mode).map_err(Stop::usage)?;
        target.set_nodes(self.nodes).map_err(Stop::usage)?;
        let flags =
            [("topology", &self.topology), ("delivery", &self.delivery), ("tombstones", &self.tombstones)];
        for (name, value) in flags {
            target.set(name, value).map_err(|reason| Stop::usage(format!("--{name}: {reason}")))?;
        }
        target
            .set("defects", &self.defects.join("+"))
            .map_err(|reason| Stop::usage(format!("--defects: {reason}")))?;
        for said in &self.settings {
            let (name, value) = said.split_once('=').unwrap_or((said, ""));
            target.set(name, value).map_err(|reason| Stop::usage(format!("--set {said}: {reason}")))?;
        }
        target.admit().map_err(Stop::usage)?;
        let last = u32::from(self.port) + 2 * self.nodes - 1;
        if u16::try_from(last).is_err() {
            return Err(Stop::usage(format!(
                "--port {}: {} ports from there on do not exist",
                self.port,
                2 * self.nodes
            )));
        }
        block_on(self.serve(target))
    }

    async fn serve(&self, target: TargetSpec) -> Result<Exit, Stop> {
        let stop = StopSignal::new();
        stop.listen_quietly().map_err(anyhow::Error::from)?;
        let (supervisor, mut exits) = Supervisor::new();
        let TargetSpec::Reference(spec) = &target else {
            return Err(anyhow::anyhow!("serve has no {target}").into());
        };
        if spec.latency != Distances::default() {
            let why = "nothing delays messages here: leave latency to rashomon run, which has the links in its hands";
            return Err(Stop::usage(format!("--set latency={}: {why}", spec.latency)));
        }
        let nodes = target.nodes();
        let clients = |index: usize| self.address(index);
        let peers = |index: usize| self.address(nodes.len() + index);
        std::fs::create_dir_all(&self.data).map_err(Stop::cannot_write)?;
        for (index, name) in nodes.iter().enumerate() {
            let command = NodeCommand {
                spec,
                name,
                members: nodes.iter().enumerate().map(|(index, name)| (name.clone(), peers(index))).collect(),
                clients: nodes
                    .iter()
                    .enumerate()
                    .map(|(index, name)| (name.clone(), clients(index)))
                    .collect(),
                client: clients(index),
                peer: peers(index),
                data: self.data.join(name.as_str()),
                log: self.data.join(format!("{name}.log")),
            };
            supervisor.start(name.clone(), command.spec()?).await.map_err(Stop::unavailable)?;
        }
        say(format_args!("{target}, data and logs in {}", self.data.display()));
        for (index, name) in nodes.iter().enumerate() {
            tokio::select! {
                ready = wait_until_ready(name, clients(index), &supervisor) => ready?,
                Some(exit) = exits.recv() => {
                    return Err(Stop::unavailable(format!("node {}: {}", exit.node, exit.detail)));
                }
            }
            say(format_args!("  {name}  http://{}", clients(index)));
        }
        say(format_args!("try  curl http://{}/v1/status        stop with Ctrl-C", clients(0)));
        tokio::select! {
            () = stop.stopped() => Ok(Exit::Met),
            Some(exit) = exits.recv() => Err(Stop::unavailable(format!("node {}: {}", exit.node, exit.detail))),
        }
    }

    fn address(&self, offset: usize) -> SocketAddr {
        let offset = u16::try_from(offset).unwrap_or(u16::MAX);
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port + offset))
    }
}
