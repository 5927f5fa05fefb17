//! The free subnets for a new network: those of containers.conf's pools that nothing on
//! this machine uses.

use std::path::Path;
use std::time::Duration;

use engine::gate::{PoolError, SubnetPools, UsedNetworks};
use ipnet::IpNet;
use journal::Lock;
use policy::{Call, Grant};
use request::Network;
use types::{IpVersion, NetworkId};

use crate::podman::{
    ContainersConf, Pool, System, first_free, first_free_local, networks, random_free,
};
use crate::store::{KeptNetworks, Layout};

/// The name of the lock.
const LOCK: &str = "subnets";
/// The time that a run waits for the lock.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time in which Podman has surely written its file of a new network.
const UNWRITTEN: Duration = Duration::from_secs(60);

/// The prefix lengths of a site's networks (RFC 1918, section 3; RFC 4193, section 3.1).
/// Routes through a gateway to wider networks don't say that all of these are in use.
const SITE_V4: u8 = 16;
const SITE_V6: u8 = 48;

/// The source of subnets for one network. A confined run can't read what it takes, so
/// that is read before.
pub(super) struct Pools {
    /// The versions of which the user wants subnets that the network doesn't have.
    wanted: Vec<IpVersion>,
    found: Result<Found, PoolError>,
    /// The choice of an IPv6 subnet beside those that are used.
    choose_v6: fn(&[IpNet]) -> Result<Option<IpNet>, getrandom::Error>,
}

/// What is known of subnets on this machine, beside the host's own.
struct Found {
    /// The lock of all runs that allocate subnets, but not of a plan. It is held until the
    /// network is kept, from when on others find the subnet there.
    _lock: Option<Lock>,
    pools: Vec<Pool>,
    podmans: Vec<IpNet>,
    /// The subnets of all kept networks.
    kept: Vec<IpNet>,
    /// Those of networks that Podman may not have yet.
    recent: Vec<IpNet>,
}

impl Pools {
    /// Returns the pools for a network that is created, if it lacks a subnet that the
    /// driver may allocate. It waits for other runs that allocate one.
    pub(super) fn new(layout: &Layout, network: &Network, grant: &Grant) -> Self {
        Self::with_lock(layout, network, grant, || {
            let holder = format!("create of the network {}", network.id);
            let lock = Lock::take(&layout.pools(), LOCK, &holder, PATIENCE);
            lock.map(Some).map_err(unavailable)
        })
    }

    /// Returns the pools for a plan, which keeps no network and takes no lock.
    pub(super) fn for_plan(layout: &Layout, network: &Network, grant: &Grant) -> Self {
        Self::with_lock(layout, network, grant, || Ok(None))
    }

    /// Returns the pools on an imagined machine, which has no other networks and no
    /// containers.conf. They give the same subnets each time.
    pub(super) fn imagined(network: &Network) -> Self {
        Self {
            wanted: wanted(network),
            found: Ok(Found {
                _lock: None,
                pools: Pool::defaults(),
                podmans: Vec::new(),
                kept: Vec::new(),
                recent: Vec::new(),
            }),
            choose_v6: |used| Ok(first_free_local(used)),
        }
    }

    fn with_lock(
        layout: &Layout,
        network: &Network,
        grant: &Grant,
        lock: impl FnOnce() -> Result<Option<Lock>, PoolError>,
    ) -> Self {
        let wanted = wanted(network);
        let is_asked =
            !wanted.is_empty() && grant.calls().contains_key(&Call::AddressesAllocateSubnet);
        let found = match is_asked {
            true => lock().and_then(|lock| Found::look(layout, &network.id, lock)),
            // No call gets that far.
            false => Err(unwanted()),
        };
        Self {
            wanted,
            found,
            choose_v6: random_free,
        }
    }
}

impl Found {
    fn look(layout: &Layout, network: &NetworkId, lock: Option<Lock>) -> Result<Self, PoolError> {
        let conf = ContainersConf::read(&System::new(Path::new("/"))).map_err(unavailable)?;
        let kept = KeptNetworks::new(layout);
        Ok(Self {
            _lock: lock,
            podmans: podmans(&conf, network)?,
            kept: kept.subnets(network, None),
            recent: kept.subnets(network, Some(UNWRITTEN)),
            pools: conf.pools,
        })
    }
}

/// Returns the subnets of Podman's other networks.
fn podmans(conf: &ContainersConf, network: &NetworkId) -> Result<Vec<IpNet>, PoolError> {
    let networks = networks::all_subnets(conf).map_err(unavailable)?;
    let others = networks.iter().filter(|other| other.id != network.as_str());
    let subnets = others.flat_map(networks::NetworkSubnets::subnets);
    // Podman makes its default network only when a container uses it.
    Ok(subnets.chain([conf.default_subnet]).collect())
}

impl SubnetPools for Pools {
    fn choose(&mut self, version: IpVersion, host: &UsedNetworks) -> Result<IpNet, PoolError> {
        if !self.wanted.contains(&version) {
            return Err(unwanted());
        }
        let found = self.found.as_ref().map_err(Clone::clone)?;
        let narrow = narrow(&host.routed);
        // Kept networks that aren't new may be those of another Podman, or removed. Their
        // subnets come later, and last those that only a wide route has.
        for (routed, kept) in [
            (&host.routed, &found.kept),
            (&host.routed, &found.recent),
            (&narrow, &found.recent),
        ] {
            let all = [host.sure.as_slice(), routed, &found.podmans, kept].concat();
            let free = match version {
                IpVersion::Ipv4 => first_free(&found.pools, &all),
                IpVersion::Ipv6 => (self.choose_v6)(&all).map_err(unavailable)?,
            };
            if let Some(free) = free {
                return Ok(free);
            }
        }
        Err(PoolError::Unavailable(used_up(version)))
    }
}

fn unwanted() -> PoolError {
    let text = "the user wants no such subnet: that takes --ipv6 for IPv6, or for both if one is \
                given, and no ipam driver other than host-local";
    PoolError::Unwanted(text.to_owned())
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
