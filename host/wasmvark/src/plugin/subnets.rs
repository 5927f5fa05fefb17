//! The free subnets for a new network: those of containers.conf's pools that nothing on
//! this machine uses.

use std::path::Path;
use std::time::{Duration, Instant};

use engine::gate::{PoolError, SubnetPools, UsedNetworks};
use ipnet::IpNet;
use journal::Lock;
use request::Network;
use types::{IpVersion, NetworkId};

use crate::podman::{ContainersConf, System, first_free, networks, random_free};
use crate::store::{KeptNetworks, Layout};

/// The name of the lock.
const LOCK: &str = "subnets";
/// The time that a run waits for the lock without a deadline of its own.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time that is left of a deadline for an error of the lock.
const REST: Duration = Duration::from_millis(500);
/// The time in which Podman has surely written its file of a new network.
const UNWRITTEN: Duration = Duration::from_secs(60);

/// The prefix lengths of a site's networks (RFC 1918, section 3; RFC 4193, section 3.1).
/// Routes through a gateway to wider networks don't say that all of these are in use.
const SITE_V4: u8 = 16;
const SITE_V6: u8 = 48;

/// The source of subnets for one network.
pub(super) struct Pools {
    layout: Layout,
    network: NetworkId,
    /// The versions of which the user wants subnets that the network doesn't have.
    wanted: Vec<IpVersion>,
    /// Whether the subnets are only looked for.
    is_plan: bool,
    /// The lock of all runs that allocate subnets. It is held from the first allocation
    /// until the network is kept, from when on others find the subnet there.
    lock: Option<Lock>,
}

impl Pools {
    /// Returns the pools for a network that is created.
    pub(super) fn new(layout: &Layout, network: &Network) -> Self {
        Self {
            layout: layout.clone(),
            network: network.id.clone(),
            wanted: wanted(network),
            is_plan: false,
            lock: None,
        }
    }

    /// Returns the pools for a plan, which keeps no network and takes no lock.
    pub(super) fn for_plan(layout: &Layout, network: &Network) -> Self {
        Self {
            is_plan: true,
            ..Self::new(layout, network)
        }
    }

    fn lock(&mut self, deadline: Option<Instant>) -> Result<(), PoolError> {
        if self.lock.is_some() || self.is_plan {
            return Ok(());
        }
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        let left = left.map_or(PATIENCE, |left| left.saturating_sub(REST));
        let holder = format!("create of the network {}", self.network);
        let lock = Lock::take(&self.layout.run, LOCK, &holder, left);
        self.lock = Some(lock.map_err(unavailable)?);
        Ok(())
    }

    /// Returns the subnets of Podman's other networks.
    fn podmans(&self, conf: &ContainersConf) -> Result<Vec<IpNet>, PoolError> {
        let networks = networks::all_subnets(conf).map_err(unavailable)?;
        let others = networks.iter();
        let others = others.filter(|network| network.id != self.network.as_str());
        let subnets = others.flat_map(networks::NetworkSubnets::subnets);
        // Podman makes its default network only when a container uses it.
        Ok(subnets.chain([conf.default_subnet]).collect())
    }
}

impl SubnetPools for Pools {
    fn choose(
        &mut self,
        version: IpVersion,
        host: &UsedNetworks,
        deadline: Option<Instant>,
    ) -> Result<IpNet, PoolError> {
        if !self.wanted.contains(&version) {
            let text = "the user wants no such subnet: that takes --ipv6 for IPv6, or for both if \
                        one is given, and no ipam driver other than host-local";
            return Err(PoolError::Unwanted(text.to_owned()));
        }
        self.lock(deadline)?;
        let conf = ContainersConf::read(&System::new(Path::new("/"))).map_err(unavailable)?;
        let podmans = self.podmans(&conf)?;
        let kept = KeptNetworks::new(&self.layout);
        let recent = kept.subnets(&self.network, Some(UNWRITTEN));
        let narrow = narrow(&host.routed);
        // Kept networks that aren't new may be those of another Podman, or removed. Their
        // subnets come later, and last those that only a wide route has.
        for (routed, kept) in [
            (&host.routed, kept.subnets(&self.network, None)),
            (&host.routed, recent.clone()),
            (&narrow, recent),
        ] {
            let all = [host.sure.as_slice(), routed, &podmans, &kept].concat();
            let free = match version {
                IpVersion::Ipv4 => first_free(&conf.pools, &all),
                IpVersion::Ipv6 => random_free(&all).map_err(unavailable)?,
            };
            if let Some(free) = free {
                return Ok(free);
            }
        }
        Err(PoolError::Unavailable(used_up(version)))
    }
}

/// Returns the versions of which a network lacks a subnet, as Podman has it for its own
/// bridge networks.
fn wanted(network: &Network) -> Vec<IpVersion> {
    if !matches!(
        network.ipam_driver.as_deref(),
        None | Some("" | "host-local")
    ) {
        return Vec::new();
    }
    let has = |version| {
        let mut subnets = network.subnets.iter();
        subnets.any(|subnet| IpVersion::of(&subnet.subnet) == version)
    };
    let v4 = network.ipv6 || network.subnets.is_empty();
    let both = [(IpVersion::Ipv4, v4), (IpVersion::Ipv6, network.ipv6)];
    let lacking = both
        .into_iter()
        .filter(|(version, wanted)| *wanted && !has(*version));
    lacking.map(|(version, _)| version).collect()
}

/// Returns the networks that are hardly wider than one site.
fn narrow(routed: &[IpNet]) -> Vec<IpNet> {
    let is_narrow = |network: &&IpNet| match network {
        IpNet::V4(network) => network.prefix_len() >= SITE_V4,
        IpNet::V6(network) => network.prefix_len() >= SITE_V6,
    };
    routed.iter().filter(is_narrow).copied().collect()
}

fn unavailable(error: impl std::fmt::Display) -> PoolError {
    PoolError::Unavailable(error.to_string())
}

fn used_up(version: IpVersion) -> String {
    let pools = match version {
        IpVersion::Ipv4 => "the pools of containers.conf (default_subnet_pools) have",
        IpVersion::Ipv6 => "fd00::/8 has",
    };
    format!(
        "{pools} no free subnet left beside Podman's networks, those created within a minute, and \
         the host's addresses and routes: give --subnet"
    )
}
