//! The free subnets for a new network: those of containers.conf's pools that nothing on
//! this machine uses.

use std::path::Path;
use std::time::{Duration, Instant};

use engine::gate::{PoolError, SubnetPools};
use ipnet::IpNet;
use journal::Lock;
use types::{IpVersion, NetworkId};

use crate::podman::{ContainersConf, System, first_free, networks, random_free};
use crate::store::{KeptNetworks, Layout};

/// The name of the lock.
const LOCK: &str = "subnets";
/// The time that a run waits for the lock without a deadline of its own.
const PATIENCE: Duration = Duration::from_secs(60);
/// The time in which Podman has surely written its file of a new network.
const UNWRITTEN: Duration = Duration::from_secs(60);

/// The source of subnets for one network.
pub(super) struct Pools {
    layout: Layout,
    network: NetworkId,
    /// The lock of all runs that allocate subnets. It is held from the first allocation
    /// until the network is kept, from when on others find the subnet there.
    lock: Option<Lock>,
}

impl Pools {
    pub(super) fn new(layout: &Layout, network: &NetworkId) -> Self {
        Self {
            layout: layout.clone(),
            network: network.clone(),
            lock: None,
        }
    }

    fn lock(&mut self, deadline: Option<Instant>) -> Result<(), PoolError> {
        if self.lock.is_none() {
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            let holder = format!("create of the network {}", self.network);
            let lock = Lock::take(&self.layout.run, LOCK, &holder, left.unwrap_or(PATIENCE));
            self.lock = Some(lock.map_err(unreadable)?);
        }
        Ok(())
    }
}

impl SubnetPools for Pools {
    fn choose(
        &mut self,
        version: IpVersion,
        used: &[IpNet],
        deadline: Option<Instant>,
    ) -> Result<IpNet, PoolError> {
        self.lock(deadline)?;
        let conf = ContainersConf::read(&System::new(Path::new("/"))).map_err(unreadable)?;
        let mut used = used.to_vec();
        // Podman makes its default network only when a container uses it.
        used.push(conf.default_subnet);
        let podmans = networks::all_of_user().map_err(unreadable)?.into_iter();
        let others = podmans.filter(|found| found.network.id != self.network.as_str());
        let subnets = others.flat_map(|found| found.network.subnets);
        used.extend(subnets.map(|subnet| subnet.subnet));
        let kept = KeptNetworks::new(&self.layout);
        // Networks that another Podman has may be among the kept ones that aren't new.
        // Their subnets come last.
        for within in [None, Some(UNWRITTEN)] {
            let mut used = used.clone();
            used.extend(kept.subnets(&self.network, within));
            let free = match version {
                IpVersion::Ipv4 => first_free(&conf.pools, &used),
                IpVersion::Ipv6 => random_free(&used).map_err(unreadable)?,
            };
            if let Some(free) = free {
                return Ok(free);
            }
        }
        Err(PoolError::UsedUp(used_up(version)))
    }
}

fn unreadable(error: impl std::fmt::Display) -> PoolError {
    PoolError::Unreadable(error.to_string())
}

fn used_up(version: IpVersion) -> String {
    let pools = match version {
        IpVersion::Ipv4 => "the pools of containers.conf (default_subnet_pools) have",
        IpVersion::Ipv6 => "fd00::/8 has",
    };
    format!(
        "{pools} no subnet that Podman's networks and the addresses and routes of the host leave \
         free: give --subnet"
    )
}
