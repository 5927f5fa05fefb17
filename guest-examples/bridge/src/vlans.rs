//! The VLANs of a container's port.

use wasmvark_guest::bridge_ports::{self, VlanRange};
use wasmvark_guest::links::Link;
use wasmvark_guest::types::{Error, RequestOption};
use wasmvark_guest::{find, parse, read};

/// The first and the last VLAN ID (IEEE 802.1Q).
const ALL: (u16, u16) = (1, 4094);

/// The frames that pass a port, and their tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Vlans {
    /// The frames of one VLAN, which have no tags in the container.
    Access(u16),
    /// The frames of several VLANs, which keep their tags.
    Trunk {
        /// The first and the last VLAN of each range.
        tagged: Vec<(u16, u16)>,
        /// The VLAN whose frames have no tags.
        native: Option<u16>,
    },
}

impl Vlans {
    /// Parses the options `vlan`, `trunk` and `native_vlan`.
    pub(crate) fn parse(options: &[RequestOption]) -> Result<Option<Self>, Error> {
        let access = parse(options, "vlan")?;
        let tagged = find(options, "trunk").map(ranges).transpose()?;
        let native = parse(options, "native_vlan")?;
        match (access, tagged, native) {
            (None, None, None) => Ok(None),
            (Some(id), None, None) => Ok(Some(Self::Access(id))),
            (None, Some(tagged), native) => Ok(Some(Self::Trunk { tagged, native })),
            (Some(_), Some(_), _) => Err(invalid(
                "vlan and trunk can't be given together: native_vlan names the VLAN of a trunk's \
                 frames without a tag",
            )),
            (_, None, Some(_)) => Err(invalid(
                "native_vlan goes with trunk: vlan is for ports of one VLAN",
            )),
        }
    }

    /// Returns the VLAN whose frames have no tags in the container.
    pub(crate) fn untagged(&self) -> Option<u16> {
        match self {
            Self::Access(id) => Some(*id),
            Self::Trunk { native, .. } => *native,
        }
    }

    /// Sets the VLANs of a new port. The kernel has given it a default VLAN, usually 1,
    /// which is removed.
    pub(crate) fn set_on_port(&self, port: &Link) -> Result<(), Error> {
        bridge_ports::remove_vlans(port, ALL.0, ALL.1)?;
        if let Self::Trunk { tagged, .. } = self {
            for (first, last) in tagged {
                bridge_ports::add_vlans(port, range(*first, *last, false))?;
            }
        }
        match self.untagged() {
            // This comes after the ranges, which may contain the VLAN too.
            Some(id) => bridge_ports::add_vlans(port, range(id, id, true)),
            None => Ok(()),
        }
    }

    /// Sets the untagged VLAN as the one of the bridge itself. The new VLAN is added
    /// before others are removed, so that no frames of other containers are lost.
    pub(crate) fn set_on_bridge(&self, bridge: &Link) -> Result<(), Error> {
        let Some(id) = self.untagged() else {
            return bridge_ports::remove_vlans(bridge, ALL.0, ALL.1);
        };
        bridge_ports::add_vlans(bridge, range(id, id, true))?;
        for (first, last) in [(ALL.0, id.saturating_sub(1)), (id.saturating_add(1), ALL.1)] {
            if first <= last {
                bridge_ports::remove_vlans(bridge, first, last)?;
            }
        }
        Ok(())
    }
}

fn range(first: u16, last: u16, untagged: bool) -> VlanRange {
    VlanRange {
        first,
        last,
        pvid: untagged,
        untagged,
    }
}

/// Parses a list of ranges, as `10,20-29`.
fn ranges(text: &str) -> Result<Vec<(u16, u16)>, Error> {
    text.split(',').map(|part| one_range(part.trim())).collect()
}

fn one_range(part: &str) -> Result<(u16, u16), Error> {
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    Ok((read("trunk", first)?, read("trunk", last)?))
}

fn invalid(text: &str) -> Error {
    Error::Invalid(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(pairs: &[(&str, &str)]) -> Result<Option<Vlans>, String> {
        let option = |(key, value): &(&str, &str)| RequestOption {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            origin: wasmvark_guest::types::OptionOrigin::Network,
        };
        let options: Vec<_> = pairs.iter().map(option).collect();
        Vlans::parse(&options).map_err(|error| match error {
            Error::Invalid(text) => text,
            error => format!("not invalid: {error}"),
        })
    }

    #[test]
    fn a_port_is_of_one_vlan_or_a_trunk() {
        assert_eq!(parsed(&[]), Ok(None));
        assert_eq!(parsed(&[("vlan", "7")]), Ok(Some(Vlans::Access(7))));
        let tagged = vec![(10, 10), (20, 29), (4094, 4094)];
        let trunk = ("trunk", "10, 20-29,4094");
        let native = None;
        assert_eq!(
            parsed(&[trunk]),
            Ok(Some(Vlans::Trunk {
                tagged: tagged.clone(),
                native
            }))
        );
        let native = Some(5);
        assert_eq!(
            parsed(&[trunk, ("native_vlan", "5")]),
            Ok(Some(Vlans::Trunk { tagged, native }))
        );
    }

    #[test]
    fn what_makes_no_vlans_is_named() {
        for (pairs, text) in [
            (&[("vlan", "x")][..], "unable to parse \"vlan\""),
            (&[("trunk", "")], "unable to parse \"trunk\""),
            (&[("trunk", "9-8-7")], "unable to parse \"trunk\""),
            (&[("native_vlan", "5")], "native_vlan goes with trunk"),
            (&[("vlan", "5"), ("trunk", "6")], "can't be given together"),
        ] {
            let error = parsed(pairs).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
