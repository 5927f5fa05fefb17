//! Steps of `create` that several drivers have.

use crate::options::find;
use crate::setup::is_v6;
use crate::types::{
    CreateRequest, Error, IpVersion, Namespace, Network, NetworkChange, RequestOption,
};
use crate::{addresses, check_dhcp, links};

/// The treatment of a network without subnets and without an ipam driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithoutSubnets {
    /// It's refused, because a container without an address would be a surprise.
    Refuse,
    /// It gets the ipam driver `none`.
    NoAddresses,
    /// A DHCP server chooses the addresses.
    Dhcp,
}

/// Checks the ipam driver of a network, and returns the change that sets it if the
/// request has none.
pub fn choose_ipam(
    network: &Network,
    without_subnets: WithoutSubnets,
) -> Result<Option<NetworkChange>, Error> {
    let driver = &network.driver;
    let name = network.ipam_driver.as_deref().unwrap_or_default();
    match (name, network.subnets.is_empty(), without_subnets) {
        ("none", _, _) | ("host-local", false, _) => Ok(None),
        ("", false, _) => Ok(Some(NetworkChange::IpamDriver("host-local".to_owned()))),
        ("", true, WithoutSubnets::NoAddresses) => {
            Ok(Some(NetworkChange::IpamDriver("none".to_owned())))
        }
        ("", true, WithoutSubnets::Refuse) => Err(Error::Invalid(format!(
            "{driver} driver needs a subnet, because it has no dhcp: give --subnet, or \
             --ipam-driver none for a network without addresses"
        ))),
        ("host-local", true, _) => Err(Error::Invalid(format!(
            "{driver} driver needs at least one subnet specified when the host-local ipam driver \
             is set"
        ))),
        ("dhcp", _, WithoutSubnets::Dhcp) => check_dhcp(network).map(|()| None),
        ("", true, WithoutSubnets::Dhcp) => {
            check_dhcp(network)?;
            Ok(Some(NetworkChange::IpamDriver("dhcp".to_owned())))
        }
        ("dhcp", _, _) => Err(Error::Unsupported(format!(
            "ipam driver dhcp is not supported with {driver}: give --subnet, or --ipam-driver \
             none for a network without addresses"
        ))),
        (other, _, _) => Err(Error::Unsupported(format!(
            "Unsupported ipam driver: {other}"
        ))),
    }
}

/// Whether a network has no addresses, with the ipam driver that [`choose_ipam`] has
/// chosen. netavark then turns name resolution off, and so must a driver.
pub fn has_no_addresses(network: &Network, chosen: Option<&NetworkChange>) -> bool {
    let driver = match chosen {
        Some(NetworkChange::IpamDriver(driver)) => Some(driver.as_str()),
        _ => network.ipam_driver.as_deref(),
    };
    driver == Some("none")
}

/// Has the host allocate the subnets that a network lacks, as Podman does for its own
/// bridge networks: an IPv4 one if the user gave none, and with `--ipv6` one of each
/// version. Otherwise it does the same as [`choose_ipam`].
///
/// With `with_gateway` these subnets have a gateway in internal networks, too.
pub fn allocate_subnets(
    network: &Network,
    with_gateway: bool,
) -> Result<Option<NetworkChange>, Error> {
    let name = network.ipam_driver.as_deref().unwrap_or_default();
    if !matches!(name, "" | "host-local") {
        return choose_ipam(network, WithoutSubnets::Refuse);
    }
    for version in lacking(network) {
        addresses::allocate_subnet(version, with_gateway)?;
    }
    let is_open = name.is_empty();
    Ok(is_open.then(|| NetworkChange::IpamDriver("host-local".to_owned())))
}

/// Returns the versions of which a network lacks a subnet.
fn lacking(network: &Network) -> Vec<IpVersion> {
    let has = |v6: bool| {
        let mut subnets = network.subnets.iter();
        subnets.any(|subnet| is_v6(&subnet.subnet) == v6)
    };
    let needs_v4 = network.subnets.is_empty() || network.ipv6;
    let v4 = (needs_v4 && !has(false)).then_some(IpVersion::Ipv4);
    let v6 = (network.ipv6 && !has(true)).then_some(IpVersion::Ipv6);
    v4.into_iter().chain(v6).collect()
}

/// Checks the ipam driver at `setup`. A network that was written by hand hasn't been
/// through `create`.
pub fn check_ipam(network: &Network) -> Result<(), Error> {
    match network.ipam_driver.as_deref() {
        None | Some("" | "host-local" | "none") => Ok(()),
        Some(name) => Err(Error::Unsupported(format!(
            "unsupported ipam driver {name}"
        ))),
    }
}

/// Checks that the parent exists, and returns the changes of a network whose containers
/// have links on it.
pub fn create_on_parent(
    request: &CreateRequest,
    without_subnets: WithoutSubnets,
) -> Result<Vec<NetworkChange>, Error> {
    check_parent(&request.network)?;
    changes_on_parent(request, without_subnets)
}

/// Returns the changes of a network whose containers have links on a parent.
pub fn changes_on_parent(
    request: &CreateRequest,
    without_subnets: WithoutSubnets,
) -> Result<Vec<NetworkChange>, Error> {
    let ipam = choose_ipam(&request.network, without_subnets)?;
    let mut changes = move_parent_option(&request.options);
    changes.extend(ipam);
    changes.push(no_names());
    Ok(changes)
}

/// Returns the change that turns name resolution off. Such a network has no gateway on
/// the host on which a DNS server could listen.
pub fn no_names() -> NetworkChange {
    NetworkChange::DnsEnabled(false)
}

/// Checks that the user's parent exists.
pub fn check_parent(network: &Network) -> Result<(), Error> {
    let Some(parent) = &network.parent else {
        return Ok(());
    };
    match links::get(Namespace::Host, parent) {
        Ok(_) => Ok(()),
        Err(Error::NotFound(_)) => Err(Error::NotFound(format!(
            "parent interface {parent} does not exist"
        ))),
        Err(error) => Err(error),
    }
}

/// Returns the changes that turn the option `parent` into the network's interface.
/// Podman does this only for its own drivers.
pub fn move_parent_option(options: &[RequestOption]) -> Vec<NetworkChange> {
    let Some(parent) = find(options, "parent") else {
        return Vec::new();
    };
    let remove = NetworkChange::RemoveOption("parent".to_owned());
    if parent.is_empty() {
        return vec![remove];
    }
    vec![NetworkChange::NetworkInterface(parent.to_owned()), remove]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{OptionOrigin, Subnet};

    fn network(ipam: &str, subnets: usize) -> Network {
        let subnet = Subnet {
            subnet: "10.0.0.0/24".to_owned(),
            gateway: None,
        };
        Network {
            name: "n".to_owned(),
            id: "i".to_owned(),
            driver: "m".to_owned(),
            parent: None,
            subnets: vec![subnet; subnets],
            internal: false,
            ipv6: false,
            dns: true,
            ipam_driver: Some(ipam.to_owned()).filter(|name| !name.is_empty()),
            mtu: None,
            metric: None,
            no_default_route: false,
        }
    }

    /// Returns the chosen ipam driver, `-` for no change, or the error.
    fn chosen(ipam: &str, subnets: usize, without: WithoutSubnets) -> String {
        match choose_ipam(&network(ipam, subnets), without) {
            Ok(None) => "-".to_owned(),
            Ok(Some(NetworkChange::IpamDriver(name))) => name,
            Ok(Some(other)) => format!("{other:?}"),
            Err(Error::Invalid(text) | Error::Unsupported(text)) => text,
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn an_open_ipam_driver_depends_on_the_subnets() {
        use WithoutSubnets::{NoAddresses, Refuse};
        assert_eq!(chosen("", 1, Refuse), "host-local");
        assert_eq!(chosen("", 1, NoAddresses), "host-local");
        assert_eq!(chosen("", 0, NoAddresses), "none");
        assert!(chosen("", 0, Refuse).contains("--ipam-driver none"));
    }

    #[test]
    fn a_given_ipam_driver_stays_or_is_refused() {
        use WithoutSubnets::Refuse;
        assert_eq!(chosen("none", 0, Refuse), "-");
        assert_eq!(chosen("host-local", 1, Refuse), "-");
        assert_eq!(
            chosen("host-local", 0, Refuse),
            "m driver needs at least one subnet specified when the host-local ipam driver is set"
        );
        assert!(chosen("dhcp", 0, Refuse).starts_with("ipam driver dhcp is not supported with m"));
        assert_eq!(chosen("x", 1, Refuse), "Unsupported ipam driver: x");
    }

    #[test]
    fn a_network_lacks_what_podman_would_give_its_own() {
        use IpVersion::{Ipv4, Ipv6};
        for (subnets, ipv6, expected) in [
            (&[][..], false, &[Ipv4][..]),
            (&[], true, &[Ipv4, Ipv6]),
            (&["10.0.0.0/24"], false, &[]),
            (&["10.0.0.0/24"], true, &[Ipv6]),
            (&["fd00::/64"], false, &[]),
            (&["fd00::/64"], true, &[Ipv4]),
            (&["10.0.0.0/24", "fd00::/64"], true, &[]),
        ] {
            let mut network = network("", 0);
            network.ipv6 = ipv6;
            let subnet = |subnet: &&str| Subnet {
                subnet: (*subnet).to_owned(),
                gateway: None,
            };
            network.subnets = subnets.iter().map(subnet).collect();
            assert_eq!(lacking(&network), expected, "{subnets:?}, IPv6 {ipv6}");
        }
    }

    #[test]
    fn the_option_parent_becomes_the_interface() {
        let changes = |options: &[(&str, &str)]| {
            let option = |(key, value): &(&str, &str)| RequestOption {
                key: (*key).to_owned(),
                value: (*value).to_owned(),
                origin: OptionOrigin::Network,
            };
            let options: Vec<_> = options.iter().map(option).collect();
            let changes = move_parent_option(&options);
            format!("{changes:?}")
        };
        assert_eq!(changes(&[("mtu", "9000")]), "[]");
        assert_eq!(
            changes(&[("parent", "eth1")]),
            "[NetworkChange::NetworkInterface(\"eth1\"), NetworkChange::RemoveOption(\"parent\")]"
        );
        assert_eq!(
            changes(&[("parent", "")]),
            "[NetworkChange::RemoveOption(\"parent\")]"
        );
    }
}
