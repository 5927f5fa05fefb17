//! Addresses that a DHCP server chooses.

use crate::links::{self, Link};
use crate::types::{Error, Network};
use crate::{check_ipam, dhcp};

/// Whether a DHCP server chooses the containers' addresses.
pub fn uses_dhcp(network: &Network) -> bool {
    network.ipam_driver.as_deref() == Some("dhcp")
}

/// Checks the options of a network whose addresses a DHCP server chooses.
pub fn check_dhcp(network: &Network) -> Result<(), Error> {
    if !network.subnets.is_empty() {
        return Err(Error::Invalid(
            "ipam driver dhcp set but subnets are set".to_owned(),
        ));
    }
    let fixed = [
        ("no_default_route", network.no_default_route),
        ("metric", network.metric.is_some()),
    ];
    match fixed.iter().find(|(_, is_set)| *is_set) {
        None => Ok(()),
        Some((option, _)) => Err(Error::Invalid(format!(
            "the option {option} has no effect with ipam driver dhcp: netavark's DHCP proxy adds \
             the default route itself, with the metric 100"
        ))),
    }
}

/// Does the same at `setup` as [`check_ipam`], for a driver with DHCP.
pub fn check_ipam_or_dhcp(network: &Network) -> Result<(), Error> {
    match uses_dhcp(network) {
        true => check_dhcp(network),
        false => check_ipam(network),
    }
}

/// Leases the address of a container's link, if a DHCP server chooses it. The link gets
/// the MTU of the lease, if that is smaller and the user gave none.
pub fn lease(link: &Link, parent: &Link, network: &Network) -> Result<(), Error> {
    if !uses_dhcp(network) {
        return Ok(());
    }
    let leased = dhcp::lease(link, parent)?;
    let given = network.mtu.filter(|mtu| *mtu != 0);
    match leased.mtu {
        Some(mtu) if given.is_none() && mtu < links::info(link)?.mtu => links::set_mtu(link, mtu),
        _ => Ok(()),
    }
}
