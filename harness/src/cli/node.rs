//! `rashomon node`: one node of the bundled database in this process. Started by `run`, `demo` and
//! `serve`; not for people.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use reference_db::server::{ServerConfig, serve};
use reference_db::{Defect, Delivery, Mode, NodeConfig, NodeName, NodeSettings, Topology};

use crate::exit::{Exit, Stop};

/// One node of the bundled database
#[derive(Debug, Args)]
pub(crate) struct Node {
    #[arg(long)]
    name: String,
    /// Every node's name with where it takes messages, this one's included: A=127.0.0.1:7201
    #[arg(long, value_delimiter = ',')]
    members: Vec<String>,
    #[arg(long)]
    mode: Mode,
    #[arg(long)]
    topology: Topology,
    #[arg(long)]
    delivery: Delivery,
    #[arg(long, default_value = "0s", value_parser = nemesis::duration::parse)]
    tombstones: histories::Nanos,
    #[arg(long)]
    defect: Vec<Defect>,
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    client_address: SocketAddr,
    #[arg(long)]
    peer_address: SocketAddr,
}

impl Node {
    pub(crate) fn run(self) -> Result<Exit, Stop> {
        nemesis::process::exit_with_parent();
        let config = self.config()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(anyhow::Error::from)?.block_on(async {
            let mut node = serve(config).await.map_err(Stop::unavailable)?;
            node.wait().await.map_err(Stop::unavailable)
        })?;
        Ok(Exit::Met)
    }

    fn config(&self) -> Result<ServerConfig, Stop> {
        let name = |text: &str| NodeName::new(text).map_err(Stop::usage);
        let (mut members, mut peers) = (Vec::new(), BTreeMap::new());
        for member in &self.members {
            let (member, address) = member.split_once('=').unwrap_or((member, ""));
            members.push(name(member)?);
            peers.insert(name(member)?, address.to_string());
        }
        let settings = NodeSettings {
            mode: self.mode,
            topology: self.topology,
            delivery: self.delivery,
            tombstones: reference_db::Nanos(self.tombstones.0),
            defects: self.defect.iter().copied().collect(),
            ..NodeSettings::new(name(&self.name)?, members)
        };
        Ok(ServerConfig {
            node: NodeConfig::new(settings).map_err(Stop::usage)?,
            peers,
            data_dir: self.data.clone(),
            client_address: self.client_address,
            peer_address: self.peer_address,
        })
    }
}
