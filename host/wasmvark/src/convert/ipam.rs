//! The `ipam` section: subnets, routes, and the choice of addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::ConvertError;
use super::document::dns;
use super::keys::Keys;
use super::plan::Plan;

/// A parsed `ipam` section.
#[derive(Debug, Clone, Default)]
pub(super) struct Ipam {
    /// The subnets. A network without addresses has none.
    pub(super) subnets: Vec<Subnet>,
    pub(super) routes: Vec<Route>,
}

/// A subnet of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subnet {
    pub(super) subnet: IpNet,
    /// The gateway, unless it is the subnet's first address.
    gateway: Option<IpAddr>,
    /// The range that containers' addresses are chosen from, unless it is the whole
    /// subnet.
    range: Option<(IpAddr, IpAddr)>,
}

/// A route of the containers.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// The key, with those above it.
    pub(super) key: String,
    pub(super) destination: IpNet,
    pub(super) gateway: Option<IpAddr>,
    pub(super) priority: Option<u32>,
}

impl Ipam {
    /// Takes the section of a plugin. It may be absent.
    pub(super) fn take(keys: &mut Keys, plan: &mut Plan) -> Result<Self, ConvertError> {
        let mut section = keys.object("ipam")?;
        let kind = section.take_or_default::<String>("type")?;
        let subnets = match kind.as_str() {
            "" => Vec::new(),
            "host-local" => host_local(&mut section, plan)?,
            "static" => static_addresses(&mut section, plan)?,
            "dhcp" => return Err(ConvertError::Dhcp),
            _ => return Err(ConvertError::Ipam(kind)),
        };
        plan.no_addresses = subnets.is_empty();
        plan.subnets.clone_from(&subnets);
        let routes = section.objects("routes")?;
        let routes = routes.into_iter().map(|keys| Route::take(keys, plan));
        let routes = routes.collect::<Result<_, _>>()?;
        let owner = if kind.is_empty() { "ipam" } else { &kind };
        plan.unknown(owner, &section);
        Ok(Self { subnets, routes })
    }

    /// Returns the gateway of a family, which is that of its first subnet.
    pub(super) fn gateway(&self, v4: bool) -> Option<IpAddr> {
        let mut subnets = self.subnets.iter();
        let subnet = subnets.find(|subnet| subnet.is_v4() == v4)?;
        Some(subnet.gateway())
    }
}

impl Route {
    fn take(mut keys: Keys, plan: &mut Plan) -> Result<Self, ConvertError> {
        let destination: Option<IpNet> = keys.take("dst")?;
        let route = Self {
            key: keys.path("dst"),
            destination: destination
                .ok_or_else(|| keys.wrong("dst", "a route needs a destination"))?
                .trunc(),
            gateway: keys.take("gw")?,
            priority: keys.take("priority")?,
        };
        for key in ["mtu", "advmss", "table", "scope"] {
            if keys.take::<u32>(key)?.is_some() {
                let text = "a route of Podman has only a destination, a gateway and a metric";
                plan.no_counterpart(&keys.path(key), text);
            }
        }
        plan.unknown("CNI", &keys);
        Ok(route)
    }
}

impl Subnet {
    pub(super) fn is_v4(&self) -> bool {
        self.subnet.addr().is_ipv4()
    }

    pub(super) fn gateway(&self) -> IpAddr {
        self.gateway.unwrap_or_else(|| first(self.subnet))
    }

    /// Returns the flags for subnets. Podman pairs flags by their order, so if one subnet
    /// needs a flag, all get it. The subnets of an internal network have no gateway, but
    /// no container gets the gateway's address, as in CNI.
    pub(super) fn flags(subnets: &[Self], internal: bool) -> Vec<String> {
        let gateways = !internal && subnets.iter().any(|subnet| subnet.gateway.is_some());
        let ranges = internal || subnets.iter().any(|subnet| subnet.range.is_some());
        let mut flags = Vec::new();
        for subnet in subnets {
            flags.extend(["--subnet".to_owned(), subnet.subnet.to_string()]);
            if gateways {
                flags.extend(["--gateway".to_owned(), subnet.gateway().to_string()]);
            }
            if ranges {
                let whole = (first(subnet.subnet), last(subnet.subnet));
                let (mut start, end) = subnet.range.unwrap_or(whole);
                if internal && start == subnet.gateway() {
                    start = next(start);
                }
                flags.extend(["--ip-range".to_owned(), format!("{start}-{end}")]);
            }
        }
        flags
    }

    /// Refuses overlapping subnets, as Podman would.
    pub(super) fn check(subnets: &[Self]) -> Result<(), ConvertError> {
        for (at, one) in subnets.iter().enumerate() {
            let overlapping = |other: &&Self| {
                other.subnet.contains(&one.subnet) || one.subnet.contains(&other.subnet)
            };
            if let Some(other) = subnets.iter().skip(at + 1).find(overlapping) {
                let text = format!(
                    "the subnets {} and {} overlap, which Podman refuses: change one of them",
                    one.subnet, other.subnet
                );
                return Err(ConvertError::Impossible { key: "ipam", text });
            }
        }
        Ok(())
    }

    fn new(
        keys: &Keys,
        key: &str,
        subnet: IpNet,
        gateway: Option<IpAddr>,
    ) -> Result<Self, ConvertError> {
        let subnet = subnet.trunc();
        if gateway.is_some_and(|gateway| !subnet.contains(&gateway)) {
            let text = format!(
                "the gateway isn't in {subnet}, and Podman takes only gateways of the subnet"
            );
            return Err(keys.wrong(key, &text));
        }
        Ok(Self {
            subnet,
            gateway: gateway.filter(|gateway| *gateway != first(subnet)),
            range: None,
        })
    }
}

/// Takes the subnets of `host-local`. A container gets one address from each set of
/// ranges. The section itself may be such a set.
fn host_local(section: &mut Keys, plan: &mut Plan) -> Result<Vec<Subnet>, ConvertError> {
    let mut subnets: Vec<Subnet> = range(section)?.into_iter().collect();
    for (at, set) in sets(section)?.into_iter().enumerate() {
        let mut ranges = Vec::new();
        for mut keys in set {
            match range(&mut keys)? {
                Some(subnet) => ranges.push(subnet),
                None => return Err(keys.wrong("subnet", "a range needs a subnet")),
            }
            plan.unknown("host-local", &keys);
        }
        let mut ranges = ranges.into_iter();
        let Some(chosen) = ranges.next() else {
            return Err(section.wrong("ranges", "a set of ranges must not be empty"));
        };
        for other in ranges {
            let text = format!(
                "CNI takes the address from {} or {}; Podman takes one from each subnet, so \
                 instead only {} is used",
                chosen.subnet, other.subnet, chosen.subnet
            );
            plan.no_counterpart(&section.path(&format!("ranges[{at}]")), &text);
        }
        subnets.push(chosen);
    }
    if subnets.is_empty() {
        return Err(section.wrong(
            "subnet",
            "host-local needs a subnet to choose addresses from",
        ));
    }
    if section.take::<String>("dataDir")?.is_some() {
        let text = "Podman has its own file of the addresses in use";
        plan.no_counterpart(&section.path("dataDir"), text);
    }
    if let Some(file) = section.take::<String>("resolvConf")? {
        let text = format!(
            "Podman gives containers the host's name servers, and others only with `podman run \
             --dns ADDRESS`: see {file} for the addresses"
        );
        plan.no_counterpart(&section.path("resolvConf"), &text);
    }
    Ok(subnets)
}

/// Takes the sets of ranges of a section.
fn sets(section: &mut Keys) -> Result<Vec<Vec<Keys>>, ConvertError> {
    type Set = Vec<serde_json::Map<String, serde_json::Value>>;
    let sets: Vec<Set> = section.take_or_default("ranges")?;
    let named = |at: usize, set: Set| {
        let named = |(inner, object)| {
            let prefix = section.path(&format!("ranges[{at}][{inner}]."));
            Keys::new(&prefix, object)
        };
        set.into_iter().enumerate().map(named).collect()
    };
    let sets = sets.into_iter().enumerate();
    Ok(sets.map(|(at, set)| named(at, set)).collect())
}

/// Takes a range, if there is a subnet.
fn range(keys: &mut Keys) -> Result<Option<Subnet>, ConvertError> {
    let Some(subnet) = keys.take::<IpNet>("subnet")? else {
        return Ok(None);
    };
    let gateway: Option<IpAddr> = keys.take("gateway")?;
    let start: Option<IpAddr> = keys.take("rangeStart")?;
    let end: Option<IpAddr> = keys.take("rangeEnd")?;
    let mut subnet = Subnet::new(keys, "gateway", subnet, gateway)?;
    for (key, address) in [("rangeStart", start), ("rangeEnd", end)] {
        if address.is_some_and(|address| !subnet.subnet.contains(&address)) {
            return Err(keys.wrong(key, &format!("the address isn't in {}", subnet.subnet)));
        }
    }
    if start.is_some() || end.is_some() {
        let start = start.unwrap_or_else(|| first(subnet.subnet));
        subnet.range = Some((start, end.unwrap_or_else(|| last(subnet.subnet))));
    }
    Ok(Some(subnet))
}

/// Takes the subnets of `static`. Each container is given its addresses when it's run.
fn static_addresses(section: &mut Keys, plan: &mut Plan) -> Result<Vec<Subnet>, ConvertError> {
    let mut subnets = Vec::new();
    let mut addresses = Vec::new();
    for mut keys in section.objects("addresses")? {
        let Some(address) = keys.take::<IpNet>("address")? else {
            return Err(keys.wrong("address", "the address is missing"));
        };
        let gateway: Option<IpAddr> = keys.take("gateway")?;
        let subnet = Subnet::new(&keys, "gateway", address, gateway)?;
        if subnet.gateway() == address.addr() {
            let text = "Podman reserves the subnet's first address for a gateway: write another \
                        \"gateway\" or another address";
            return Err(keys.wrong("address", text));
        }
        plan.unknown("static", &keys);
        addresses.push(address.addr());
        if !subnets.contains(&subnet) {
            subnets.push(subnet);
        }
    }
    if subnets.is_empty() {
        let text = "in CNI the runtime passes the addresses; Podman needs their subnets: write \
                    the addresses into \"addresses\"";
        return Err(section.wrong("addresses", text));
    }
    plan.addresses(&section.path("addresses"), &addresses);
    dns(section.object("dns")?, plan)?;
    Ok(subnets)
}

/// Returns the first address of a subnet that a machine can have.
fn first(subnet: IpNet) -> IpAddr {
    next(subnet.network())
}

/// Returns the address after another.
fn next(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from(u32::from(address).saturating_add(1))),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address).saturating_add(1))),
    }
}

/// Returns the last address of a subnet that a machine can have. It isn't the broadcast
/// address.
fn last(subnet: IpNet) -> IpAddr {
    match subnet.broadcast() {
        IpAddr::V4(broadcast) => IpAddr::V4(Ipv4Addr::from(u32::from(broadcast).saturating_sub(1))),
        last @ IpAddr::V6(_) => last,
    }
}
