//! The calls that make links: `links.create-KIND PLACE NAME|- …`, then
//! `KEY=VALUE…`, each with a new handle.
//!
//! - `bridge`: keys `mac`, `mtu`, `vlan-filtering`
//! - `dummy`, `ifb`: keys `mac`, `mtu`
//! - `macvlan PLACE NAME PARENT-HANDLE MODE`, the same for `macvtap`: keys
//!   `mac`, `mtu`, `bclim`, `bcqueuelen`
//! - `ipvlan PLACE NAME PARENT-HANDLE MODE ISOLATION`: key `mtu`
//! - `vlan PLACE NAME PARENT-HANDLE ID dot1q|dot1ad`: keys `mac`, `mtu`
//! - `vxlan PLACE NAME PARENT-HANDLE|- ID`: keys `remote`, `local`, `port`,
//!   `learning`, `ttl`, `mac`, `mtu`
//! - `vrf PLACE NAME TABLE`
//! - `tap PLACE NAME`: keys `owner`, `group`, `multi-queue`, `mac`, `mtu`
//! - `wireguard PLACE NAME`: key `mtu`
//! - `veth NAME|-` (a new handle for the container's end, and the next for the
//!   host's): keys `host-name`, `mac`, `host-mac`, `mtu`

use core::str::FromStr;

use wasmvark_guest::links::{
    self, BridgeOptions, IpvlanIsolation, IpvlanMode, IpvlanOptions, Link, MacvlanMode,
    MacvlanOptions, PlainOptions, TapOptions, VethOptions, VlanOptions, VlanProtocol, VxlanOptions,
};
use wasmvark_guest::types::{Error, Place};

use crate::arguments::{Arguments, invalid, number};
use crate::calls::{handle, numbered};

/// Makes a link, or both of a pair.
pub(crate) fn run(
    kind: &str,
    arguments: &mut Arguments<'_>,
    handles: &[Link],
) -> Result<Vec<Link>, Error> {
    if kind == "veth" {
        return veth(arguments);
    }
    let place = arguments.place()?;
    let name = arguments.optional()?;
    one(kind, place, name, arguments, handles).map(|link| vec![link])
}

fn one(
    kind: &str,
    place: Place,
    name: Option<&str>,
    arguments: &mut Arguments<'_>,
    handles: &[Link],
) -> Result<Link, Error> {
    match kind {
        "bridge" => {
            let keys = Keys::parse(arguments)?;
            let options = BridgeOptions {
                mac: keys.text("mac"),
                mtu: keys.number("mtu")?,
                vlan_filtering: keys.is_on("vlan-filtering"),
            };
            links::create_bridge(place, name, &options)
        }
        "dummy" => links::create_dummy(place, name, &plain(arguments)?),
        "ifb" => links::create_ifb(place, name, &plain(arguments)?),
        "macvlan" => {
            let parent = handle(arguments, handles)?;
            links::create_macvlan(place, name, parent, &macvlan(arguments)?)
        }
        "macvtap" => {
            let parent = handle(arguments, handles)?;
            links::create_macvtap(place, name, parent, &macvlan(arguments)?)
        }
        "ipvlan" => {
            let parent = handle(arguments, handles)?;
            links::create_ipvlan(place, name, parent, ipvlan(arguments)?)
        }
        "vlan" => {
            let parent = handle(arguments, handles)?;
            links::create_vlan(place, name, parent, &vlan(arguments)?)
        }
        "vxlan" => {
            let parent = arguments.optional()?.map(number).transpose()?;
            let parent = parent.map(|at| numbered(handles, at)).transpose()?;
            links::create_vxlan(place, name, parent, &vxlan(arguments)?)
        }
        "vrf" => links::create_vrf(place, name, arguments.number()?),
        "tap" => links::create_tap(place, name, &tap(arguments)?),
        "wireguard" => {
            let mtu = Keys::parse(arguments)?.number("mtu")?;
            links::create_wireguard(place, name, mtu)
        }
        word => Err(invalid(&format!("no such kind: {word}"))),
    }
}

/// What stands at the end of a line.
pub(crate) struct Keys<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Keys<'a> {
    pub(crate) fn parse(arguments: &mut Arguments<'a>) -> Result<Self, Error> {
        let mut pairs = Vec::new();
        while let Some(word) = arguments.next() {
            let pair = word.split_once('=');
            pairs.push(pair.ok_or_else(|| invalid(&format!("not KEY=VALUE: {word}")))?);
        }
        Ok(Self(pairs))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(its, _)| *its == key)
            .map(|(_, value)| *value)
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        self.get(key).map(str::to_owned)
    }

    pub(crate) fn number<T: FromStr>(&self, key: &str) -> Result<Option<T>, Error> {
        self.get(key).map(number).transpose()
    }

    /// All values of a key.
    pub(crate) fn all(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let pairs = self.0.iter().filter(move |(its, _)| *its == key);
        pairs.map(|(_, value)| *value)
    }

    pub(crate) fn is_on(&self, key: &str) -> bool {
        self.get(key) == Some("on")
    }
}

fn plain(arguments: &mut Arguments<'_>) -> Result<PlainOptions, Error> {
    let keys = Keys::parse(arguments)?;
    Ok(PlainOptions {
        mac: keys.text("mac"),
        mtu: keys.number("mtu")?,
    })
}

fn macvlan(arguments: &mut Arguments<'_>) -> Result<MacvlanOptions, Error> {
    let mode = match arguments.word()? {
        "private" => MacvlanMode::Private,
        "vepa" => MacvlanMode::Vepa,
        "bridge" => MacvlanMode::Bridge,
        "passthru" => MacvlanMode::Passthru,
        "source" => MacvlanMode::Source,
        word => return Err(invalid(&format!("no such mode: {word}"))),
    };
    let keys = Keys::parse(arguments)?;
    Ok(MacvlanOptions {
        mode,
        mac: keys.text("mac"),
        mtu: keys.number("mtu")?,
        broadcast_limit: keys.number("bclim")?,
        broadcast_queue_length: keys.number("bcqueuelen")?,
    })
}

fn ipvlan(arguments: &mut Arguments<'_>) -> Result<IpvlanOptions, Error> {
    let mode = match arguments.word()? {
        "l2" => IpvlanMode::L2,
        "l3" => IpvlanMode::L3,
        "l3s" => IpvlanMode::L3s,
        word => return Err(invalid(&format!("no such mode: {word}"))),
    };
    let isolation = match arguments.word()? {
        "bridge" => IpvlanIsolation::Bridge,
        "private" => IpvlanIsolation::Private,
        "vepa" => IpvlanIsolation::Vepa,
        word => return Err(invalid(&format!("no such isolation: {word}"))),
    };
    let mtu = Keys::parse(arguments)?.number("mtu")?;
    Ok(IpvlanOptions {
        mode,
        isolation,
        mtu,
    })
}

pub(crate) fn vlan_protocol(word: &str) -> Result<VlanProtocol, Error> {
    match word {
        "dot1q" => Ok(VlanProtocol::Dot1q),
        "dot1ad" => Ok(VlanProtocol::Dot1ad),
        word => Err(invalid(&format!("no such protocol: {word}"))),
    }
}

fn vlan(arguments: &mut Arguments<'_>) -> Result<VlanOptions, Error> {
    let id = arguments.number()?;
    let protocol = vlan_protocol(arguments.word()?)?;
    let keys = Keys::parse(arguments)?;
    Ok(VlanOptions {
        id,
        protocol,
        mac: keys.text("mac"),
        mtu: keys.number("mtu")?,
    })
}

fn vxlan(arguments: &mut Arguments<'_>) -> Result<VxlanOptions, Error> {
    let id = arguments.number()?;
    let keys = Keys::parse(arguments)?;
    Ok(VxlanOptions {
        id,
        remote: keys.text("remote"),
        local: keys.text("local"),
        port: keys.number("port")?,
        learning: keys.is_on("learning"),
        ttl: keys.number("ttl")?,
        mac: keys.text("mac"),
        mtu: keys.number("mtu")?,
    })
}

fn tap(arguments: &mut Arguments<'_>) -> Result<TapOptions, Error> {
    let keys = Keys::parse(arguments)?;
    Ok(TapOptions {
        owner: keys.number("owner")?,
        group: keys.number("group")?,
        multi_queue: keys.is_on("multi-queue"),
        mac: keys.text("mac"),
        mtu: keys.number("mtu")?,
    })
}

fn veth(arguments: &mut Arguments<'_>) -> Result<Vec<Link>, Error> {
    let name = arguments.optional()?;
    let keys = Keys::parse(arguments)?;
    let options = VethOptions {
        host_name: keys.text("host-name"),
        mac: keys.text("mac"),
        host_mac: keys.text("host-mac"),
        mtu: keys.number("mtu")?,
    };
    let pair = links::create_veth(name, &options)?;
    Ok(vec![pair.container, pair.host])
}
