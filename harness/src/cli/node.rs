//! `rashomon node`: one node of the bundled database in this process. Started by `run`, `demo` and
//! `serve`; not for people.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use reference_db::server::{ServerConfig, serve};
use reference_db::{NodeConfig, NodeName, NodeSettings, Setting, Timing};

use crate::exit::{Exit, Stop};

/// One node of the bundled database
#[derive(Debug, Args)]
pub(crate) struct Node {
    #[arg(long)]
    name: String,
    /// Every node's name with where it takes messages, this one's included: A=127.0.0.1:7201
    #[arg(long, value_delimiter = ',')]
    members: Vec<String>,
    /// Where other nodes serve clients, who are redirected there: A=127.0.0.1:7101
    #[arg(long, value_delimiter = ',')]
    clients: Vec<String>,
    /// What every node is told alike: topology=ring
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<String>,
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
        let mut clients = BTreeMap::new();
        for client in &self.clients {
            let (node, address) = client.split_once('=').unwrap_or((client, ""));
            clients.insert(name(node)?, address.to_string());
        }
        let mut settings = NodeSettings::new(name(&self.name)?, members);
        for said in &self.settings {
            let (setting, value) = said.split_once('=').unwrap_or((said, ""));
            let known = Setting::named(setting)
                .ok_or_else(|| Stop::usage(format!("--set {said}: there is no setting {setting:?}")))?;
            known
                .set(&mut settings.cluster, value)
                .map_err(|error| Stop::usage(format!("--set {said}: {error}")))?;
        }
        settings.timing = Timing::of(&settings.cluster);
        Ok(ServerConfig {
            node: NodeConfig::new(settings).map_err(Stop::usage)?,
            peers,
            clients,
            data_dir: self.data.clone(),
            client_address: self.client_address,
            peer_address: self.peer_address,
        })
    }
}
