//! The driver's options.

use wasmvark_guest::firewall::Isolation;
use wasmvark_guest::types::{Error, Network, NetworkChange, RequestOption};
use wasmvark_guest::{
    Dad, Filter, Nat, Value, WithoutSubnets, allocate_subnets, check_dhcp, choose, find, parse,
    parse_bool, uses_dhcp,
};

use crate::vlans::Vlans;

/// The owner of the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The bridge belongs to the network.
    Managed,
    /// The bridge belongs to somebody else, who manages it.
    Unmanaged,
}

impl Mode {
    /// Returns the duplicate address detection without the option for it. An unmanaged
    /// bridge may lead to other machines.
    fn dad(self) -> Dad {
        match self {
            Self::Managed => Dad::Off,
            Self::Unmanaged => Dad::On,
        }
    }
}

/// The first one is the default.
const MODES: &[(&str, Mode)] = &[("managed", Mode::Managed), ("unmanaged", Mode::Unmanaged)];

/// A value of the option `isolate`: a truth value or `strict`, as for Podman's bridge.
#[derive(Debug, Clone, Copy)]
struct Isolate(Isolation);

/// The isolation without the option, as with netavark since 2.0.
const ISOLATION: Isolation = Isolation::Strict;

/// The value of the option `isolate` that is no truth value.
const STRICT: &str = "strict";

impl Value for Isolate {
    fn read(text: &str) -> Option<Self> {
        let isolation = match text.trim() {
            "" => Isolation::Never,
            STRICT => Isolation::Strict,
            text if bool::read(text)? => Isolation::Normal,
            _ => Isolation::Never,
        };
        Some(Self(isolation))
    }

    fn expected() -> String {
        format!("true, false or {STRICT}")
    }
}

/// The options that the host doesn't parse.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    /// The VLANs of a container's port, or `None` for the bridge's default.
    pub(crate) vlans: Option<Vlans>,
    /// Whether frames may leave through the port that they came in by.
    pub(crate) hairpin: bool,
    /// Whether the containers' ports are isolated from each other.
    pub(crate) port_isolation: bool,
    /// Whether containers can send frames only with their own MAC address.
    pub(crate) spoof_check: bool,
    /// Whether the bridge itself is promiscuous.
    pub(crate) promiscuous: bool,
    /// The VRF of the host that is the bridge's master.
    pub(crate) vrf: Option<String>,
    /// The isolation from other networks.
    pub(crate) isolation: Isolation,
    /// The source addresses of packets that leave the host.
    pub(crate) nat: Nat,
    /// The filter of the containers' connections.
    pub(crate) filter: Filter,
    /// The duplicate address detection of the bridge and of the containers.
    pub(crate) dad: Dad,
}

/// The options that only a managed bridge can have.
const OF_THE_BRIDGE: &[&str] = &[
    "incoming",
    "outgoing",
    "isolate",
    "masquerade",
    "ndp_proxy",
    "outbound_addr4",
    "outbound_addr6",
    "promiscuous",
    "publish_interface",
    "vrf",
];

impl Options {
    pub(crate) fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        let vrf = find(options, "vrf").filter(|name| !name.is_empty());
        let mode = choose(options, "mode", MODES)?;
        let isolate = parse::<Isolate>(options, "isolate")?;
        let parsed = Self {
            mode,
            vlans: Vlans::parse(options)?,
            hairpin: parse_bool(options, "hairpin", false)?,
            port_isolation: parse_bool(options, "port_isolation", false)?,
            spoof_check: parse_bool(options, "mac_spoof_check", false)?,
            promiscuous: parse_bool(options, "promiscuous", false)?,
            vrf: vrf.map(str::to_owned),
            isolation: isolate.map_or(ISOLATION, |it| it.0),
            filter: Filter::parse(options)?,
            nat: Nat::parse(options, mode == Mode::Managed)?,
            dad: mode.dad().or_given(options)?,
        };
        parsed.check(options)?;
        Ok(parsed)
    }

    fn check(&self, options: &[RequestOption]) -> Result<(), Error> {
        let given = |key: &&&str| find(options, key).is_some_and(|value| !is_off(value));
        if self.mode == Mode::Unmanaged
            && let Some(key) = OF_THE_BRIDGE.iter().find(given)
        {
            return Err(Error::Invalid(format!(
                "{key} is not possible with mode unmanaged, where the bridge stays as it is"
            )));
        }
        // Each frame would come back twice.
        if self.hairpin && self.promiscuous {
            return Err(Error::Invalid(
                "hairpin and promiscuous can't be given together".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Whether a value has the same effect as no option.
fn is_off(value: &str) -> bool {
    value.is_empty() || bool::read(value) == Some(false)
}

/// Refuses addresses on a trunk without a native VLAN. They would be useless, because
/// the trunk drops frames without a tag.
pub(crate) fn check_addresses(network: &Network, options: &Options) -> Result<(), Error> {
    let has_addresses =
        !network.subnets.is_empty() && network.ipam_driver.as_deref() != Some("none");
    match &options.vlans {
        Some(vlans) if vlans.untagged().is_none() && has_addresses => Err(Error::Invalid(
            "a trunk passes no frames without a tag, so addresses need native_vlan: give it, or \
             --ipam-driver none for a network without addresses"
                .to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Chooses the ipam driver and the subnets. Networks whose containers take addresses from
/// others get none: those of an unmanaged bridge, and trunks.
pub(crate) fn choose_ipam(
    network: &Network,
    options: &Options,
) -> Result<Option<NetworkChange>, Error> {
    let is_trunk = matches!(&options.vlans, Some(vlans) if vlans.untagged().is_none());
    if uses_dhcp(network) {
        return check_dhcp_mode(network, options).map(|()| None);
    }
    match options.mode == Mode::Unmanaged || is_trunk {
        true => wasmvark_guest::choose_ipam(network, WithoutSubnets::NoAddresses),
        // The DNS server of an internal network listens on its gateway.
        false => allocate_subnets(network, network.dns),
    }
}

/// Checks a network whose addresses a DHCP server chooses, which is on an existing
/// bridge.
pub(crate) fn check_dhcp_mode(network: &Network, options: &Options) -> Result<(), Error> {
    match options.mode {
        Mode::Managed => Err(Error::Invalid(
            "cannot use dhcp ipam driver without using the option mode=unmanaged".to_owned(),
        )),
        Mode::Unmanaged => check_dhcp(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &[(&str, &str)]) -> Result<Options, String> {
        let option = |(key, value): &(&str, &str)| RequestOption {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            origin: wasmvark_guest::types::OptionOrigin::Network,
        };
        let options: Vec<_> = pairs.iter().map(option).collect();
        Options::parse(&options).map_err(|error| match error {
            Error::Invalid(text) => text,
            error => format!("not invalid: {error}"),
        })
    }

    #[test]
    fn the_mode_is_managed_unless_given() {
        let mode = |pairs: &[(&str, &str)]| parse(pairs).unwrap().mode;
        assert_eq!(mode(&[]), Mode::Managed);
        assert_eq!(mode(&[("mode", "managed")]), Mode::Managed);
        assert_eq!(mode(&[("mode", "unmanaged")]), Mode::Unmanaged);
        assert!(parse(&[("mode", "x")]).is_err());
    }

    #[test]
    fn an_unmanaged_bridge_is_not_changed() {
        let unmanaged = ("mode", "unmanaged");
        for change in [
            ("promiscuous", "true"),
            ("vrf", "blue"),
            ("isolate", "true"),
            ("masquerade", "true"),
            ("outbound_addr4", "192.0.2.1"),
        ] {
            assert!(parse(&[change]).is_ok());
            let error = parse(&[unmanaged, change]).unwrap_err();
            assert!(error.contains(change.0), "{error}");
        }
        for port in [
            ("hairpin", "true"),
            ("isolate", "0"),
            ("mac_spoof_check", "true"),
            ("masquerade", "false"),
            ("masquerade", "F"),
            ("port_isolation", "true"),
            ("vlan", "7"),
        ] {
            assert!(parse(&[unmanaged, port]).is_ok());
        }
    }

    #[test]
    fn isolation_is_a_truth_value_or_strict() {
        let isolation = |text| parse(&[("isolate", text)]).map(|options| options.isolation);
        for (texts, expected) in [
            (&["", "0", "f", "FALSE", "false"][..], Isolation::Never),
            (&["1", "T", "true", "True"], Isolation::Normal),
            (&["strict"], Isolation::Strict),
        ] {
            for text in texts {
                assert_eq!(isolation(text), Ok(expected), "{text}");
            }
        }
        assert_eq!(
            isolation("Strict").unwrap_err(),
            "unable to parse \"isolate\": \"Strict\" is not true, false or strict"
        );
    }

    #[test]
    fn frames_come_back_once() {
        let both = parse(&[("hairpin", "true"), ("promiscuous", "true")]);
        assert!(both.unwrap_err().contains("together"));
    }
}
