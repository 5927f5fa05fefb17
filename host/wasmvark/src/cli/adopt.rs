//! `wasmvark adopt`: Podman's definition of a network becomes the user's word.

use std::path::PathBuf;

use audit::{Required, Subject, Trail};
use request::KeptNetwork;
use request::protocol::Network;
use types::NetworkId;
use types::text::plain;

use super::{CliError, Command, Context, Example, example, output};
use crate::podman::networks::{self, PodmanNetwork};
use crate::store::{DriverName, KeptNetworks, Store};

/// The command `adopt`.
#[derive(Debug, clap::Args)]
pub(super) struct Adopt {
    /// Names or ids of networks
    #[arg(value_name = "NETWORK", required_unless_present = "all")]
    networks: Vec<String>,
    /// Adopt all networks whose drivers are installed here
    #[arg(long, conflicts_with = "networks")]
    all: bool,
    /// The folder of Podman's networks, if it isn't found
    #[arg(long, value_name = "DIR")]
    networks_dir: Option<PathBuf>,
}

impl Command for Adopt {
    const NAME: &str = "adopt";
    const ABOUT: &str = "Accept Podman's definition of a network as the user's own";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Accept Podman's definition of a network as the user's own.

A driver reaches only what the user gave to `podman network create`, which wasmvark keeps. Changes that the driver's \
own `create` made, and later edits of Podman's file, don't count as the user's: a run that needs them is denied. This \
command keeps the network as Podman has it now, and prints it. Check it first: a driver may have written it.",
    );
    const EXAMPLES: &[Example] = &[
        example(
            "wasmvark adopt lan",
            "Accept the changes to Podman's file of a network",
        ),
        example(
            "wasmvark adopt --all",
            "Accept all networks that are older than wasmvark's record of them",
        ),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        let folder = networks::folder(self.networks_dir.as_deref());
        let folder = folder.ok_or(CliError::NoNetworksDir)?;
        let found = networks::all(&folder)?;
        let names = store.names()?;
        let is_ours = |network: &Network| {
            let name = network.driver.parse::<DriverName>();
            name.is_ok_and(|name| names.contains(&name))
        };
        if self.all {
            let ours: Vec<_> = found.iter().filter(|it| is_ours(&it.network)).collect();
            if ours.is_empty() {
                return output::text("Podman has no network whose driver is installed here.\n");
            }
            return ours.into_iter().try_for_each(|it| adopt(store, it));
        }
        let mut meant = Vec::new();
        for name in &self.networks {
            let mut same = found
                .iter()
                .filter(|it| it.network.name == *name || it.network.id == *name);
            let it = same.next().ok_or_else(|| CliError::NoNetwork {
                name: name.clone(),
                folder: folder.clone(),
            })?;
            if !is_ours(&it.network) {
                return Err(CliError::OthersNetwork {
                    name: name.clone(),
                    driver: it.network.driver.clone(),
                });
            }
            meant.push(it);
        }
        meant.into_iter().try_for_each(|it| adopt(store, it))
    }
}

fn adopt(store: &Store, found: &PodmanNetwork) -> Result<(), CliError> {
    let id = NetworkId::try_from(found.network.id.clone())
        .map_err(|error| CliError::Request(error.into()))?;
    let networks = KeptNetworks::new(store.layout());
    // A kept network that can't be read is about to be replaced.
    let before = networks.find(&id).ok().flatten();
    let mut kept = KeptNetwork {
        network: found.network.clone(),
        chosen: None,
    };
    let chosen = before.and_then(|before| before.chosen);
    if let Some(chosen) = chosen
        && kept.network.network_interface.as_deref() == Some(chosen.as_str())
    {
        // The host's choice doesn't become a link that the user named.
        kept.network.network_interface = None;
        kept.chosen = Some(chosen);
    }
    record(store, &kept.network)?;
    let kept = kept.shortened();
    networks.keep(&id, &kept)?;
    output::text(&words(found, &kept))
}

fn record(store: &Store, network: &Network) -> Result<(), CliError> {
    let subject = Subject {
        command: "adopt",
        driver: network.driver.clone(),
        digest: String::new(),
        network: network.name.clone(),
        container: None,
    };
    let mut trail = Trail::open(&store.trail(), Required::Yes, subject)?;
    trail.change("what Podman has becomes the user's word")?;
    trail.end(None)?;
    Ok(())
}

/// Lists the objects that are now the user's word.
fn words(found: &PodmanNetwork, kept: &KeptNetwork) -> String {
    let KeptNetwork { network, chosen } = kept;
    let mut lines = vec![format!(
        "{} ({}): what the user named is now",
        network.name,
        found.path.display()
    )];
    let interface = network.network_interface.iter();
    lines.extend(interface.map(|name| format!("  interface {name}")));
    lines.extend(
        chosen
            .iter()
            .map(|name| format!("  bridge {name}, chosen by the host")),
    );
    for subnet in &network.subnets {
        let gateway = subnet.gateway.map(|gateway| format!(", gateway {gateway}"));
        lines.push(format!(
            "  subnet {}{}",
            subnet.subnet,
            gateway.unwrap_or_default()
        ));
    }
    let routes = network.routes.iter();
    lines.extend(routes.map(|route| {
        let gateway = route.gateway.map(|gateway| format!(" via {gateway}"));
        format!(
            "  route {}{}",
            route.destination,
            gateway.unwrap_or_default()
        )
    }));
    let servers = network.network_dns_servers.iter();
    lines.extend(servers.map(|server| format!("  name server {server}")));
    let options = network.options.iter();
    lines.extend(options.map(|(key, value)| format!("  option {key}={value}")));
    let lines = lines.iter().map(|line| plain(line) + "\n");
    lines.collect()
}
