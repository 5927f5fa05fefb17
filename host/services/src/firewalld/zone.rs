//! The sources of the zone `trusted`.

use std::net::IpAddr;
use std::time::Instant;

use ipnet::IpNet;
use types::text::{plain, shortened};
use zbus::Message;
use zbus::wire::DynamicType;

use super::fault::{Fault, shown};
use super::{Firewalld, FirewalldError, PATH, TRUSTED};

/// The interface of the zones at run time (firewalld.dbus(5)).
const INTERFACE: &str = "org.fedoraproject.FirewallD1.zone";
/// The largest number of sources that is read. No host has as many networks.
#[cfg(test)]
const SOURCES_MAX: usize = 65_536;
/// The longest name of a zone in an error, in bytes. firewalld's own are shorter
/// (firewalld.zone(5)).
const ZONE_MAX: usize = 64;

/// What adding a source came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// firewalld added it.
    New,
    /// It was there before.
    WasThere,
}

/// What removing a source came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// firewalld removed it.
    Now,
    /// The zone `trusted` didn't have it.
    WasAbsent,
}

/// A source of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A subnet or an address, without host bits.
    Subnet(IpNet),
    /// A MAC address or an ipset, as firewalld writes it, shortened and without control
    /// characters.
    Other(String),
}

impl Firewalld {
    /// Whether exactly this subnet is a source of the zone `trusted`. A larger subnet
    /// that is a source doesn't count.
    ///
    /// Equivalent to `firewall-cmd --zone=trusted --query-source=SUBNET`.
    ///
    /// # Errors
    ///
    /// Fails if firewalld has gone, refuses or doesn't answer before the deadline.
    pub fn is_trusted(&self, subnet: IpNet, deadline: Instant) -> Result<bool, FirewalldError> {
        let action = || format!("look for {} in the zone trusted", subnet.trunc());
        let body = (TRUSTED, subnet.trunc().to_string());
        let reply = self.call_zone("querySource", &body, deadline);
        let reply = reply.map_err(|fault| fault.during(action()))?;
        let found = reply.body().deserialize::<bool>();
        found.map_err(|_| Fault::Answer("it is no boolean").during(action()))
    }

    /// Adds a subnet to the sources of the zone `trusted`, at run time only: a reload or
    /// a restart of firewalld forgets it. The subnet's host bits are cleared. All ports of
    /// the host are then open to the subnet.
    ///
    /// A source of another zone that only overlaps the subnet isn't a conflict for
    /// firewalld, but see [`Firewalld::overlaps`].
    ///
    /// Equivalent to `firewall-cmd --zone=trusted --add-source=SUBNET`.
    ///
    /// # Errors
    ///
    /// Fails with [`FirewalldError::Conflict`] if another zone has the subnet. Fails if
    /// firewalld has gone, refuses or doesn't answer before the deadline.
    pub fn trust(&self, subnet: IpNet, deadline: Instant) -> Result<Added, FirewalldError> {
        let subnet = subnet.trunc();
        let body = (TRUSTED, subnet.to_string());
        let Err(fault) = self.call_zone("addSource", &body, deadline) else {
            return Ok(Added::New);
        };
        match fault.code() {
            // Interfaces and sources have the first, all else has the second.
            Some("ZONE_ALREADY_SET" | "ALREADY_ENABLED") => Ok(Added::WasThere),
            Some("ZONE_CONFLICT") => Err(self.conflict(subnet, deadline)),
            _ => Err(fault.during(format!("add {subnet} to firewalld's zone trusted"))),
        }
    }

    /// Removes a subnet from the sources of the zone `trusted`, at run time only. A
    /// source of another zone stays.
    ///
    /// Equivalent to `firewall-cmd --zone=trusted --remove-source=SUBNET`.
    ///
    /// # Errors
    ///
    /// Fails if firewalld has gone, refuses or doesn't answer before the deadline.
    pub fn distrust(&self, subnet: IpNet, deadline: Instant) -> Result<Removed, FirewalldError> {
        let subnet = subnet.trunc();
        let body = (TRUSTED, subnet.to_string());
        let Err(fault) = self.call_zone("removeSource", &body, deadline) else {
            return Ok(Removed::Now);
        };
        match fault.code() {
            // The last one says that another zone has it.
            Some("UNKNOWN_SOURCE" | "NOT_ENABLED" | "ZONE_CONFLICT") => Ok(Removed::WasAbsent),
            _ => Err(fault.during(format!("remove {subnet} from firewalld's zone trusted"))),
        }
    }

    /// Returns the sources of the zone `trusted` at run time, in firewalld's order.
    ///
    /// Equivalent to `firewall-cmd --zone=trusted --list-sources`.
    ///
    /// # Errors
    ///
    /// Fails if firewalld has gone, refuses or doesn't answer before the deadline.
    #[cfg(test)]
    pub(super) fn sources(&self, deadline: Instant) -> Result<Vec<Source>, FirewalldError> {
        self.read_sources(deadline)
            .map_err(|fault| fault.during("read the sources of firewalld's zone trusted"))
    }

    #[cfg(test)]
    fn read_sources(&self, deadline: Instant) -> Result<Vec<Source>, Fault> {
        let reply = self.call_zone("getSources", &TRUSTED, deadline)?;
        let body = reply.body();
        let texts = body.deserialize::<Vec<&str>>();
        let texts = texts.map_err(|_| Fault::Answer("it is no list of texts"))?;
        if texts.len() > SOURCES_MAX {
            return Err(Fault::Answer("it holds more than 65,536 sources"));
        }
        Ok(texts.into_iter().map(Source::read).collect())
    }

    /// Names the zone that has a subnet.
    fn conflict(&self, subnet: IpNet, deadline: Instant) -> FirewalldError {
        match self.zone_of(subnet, deadline) {
            Ok(zone) => FirewalldError::Conflict { subnet, zone },
            Err(fault) => fault.during(format!("find the zone that has {subnet}")),
        }
    }

    fn zone_of(&self, subnet: IpNet, deadline: Instant) -> Result<String, Fault> {
        let reply = self.call_zone("getZoneOfSource", &subnet.to_string(), deadline)?;
        let body = reply.body();
        let zone = body.deserialize::<&str>();
        let zone = zone.map_err(|_| Fault::Answer("it is no text"))?;
        Ok(zone_name(zone))
    }

    /// Calls a method for zones.
    pub(super) fn call_zone<B>(
        &self,
        method: &str,
        body: &B,
        deadline: Instant,
    ) -> Result<Message, Fault>
    where
        B: serde::Serialize + DynamicType,
    {
        self.call(PATH, INTERFACE, method, body, deadline)
    }
}

impl Source {
    /// Reads a source as firewalld writes it (firewalld.zone(5), "source").
    pub(super) fn read(text: &str) -> Self {
        subnet(text).map_or_else(|| Self::Other(shown(text)), Self::Subnet)
    }
}

/// Makes the name of a zone safe to show.
pub(super) fn zone_name(name: &str) -> String {
    plain(&shortened(name, ZONE_MAX))
}

/// Reads an address, or a subnet whose mask is a prefix's length or a netmask.
fn subnet(text: &str) -> Option<IpNet> {
    if let Ok(subnet) = text.parse::<IpNet>() {
        return Some(subnet.trunc());
    }
    let Some((address, mask)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    };
    let mask = mask.parse().ok()?;
    let subnet = IpNet::with_netmask(address.parse().ok()?, mask);
    subnet.ok().map(|subnet| subnet.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_firewalld_writes_them() {
        for (text, subnet) in [
            ("10.88.0.0/16", "10.88.0.0/16"),
            ("10.88.0.1/16", "10.88.0.0/16"),
            ("10.88.0.0/255.255.0.0", "10.88.0.0/16"),
            ("192.0.2.1", "192.0.2.1/32"),
            ("fd00::/64", "fd00::/64"),
            ("fd00::1", "fd00::1/128"),
        ] {
            assert_eq!(Source::read(text), Source::Subnet(subnet.parse().unwrap()));
        }
        for text in [
            "00:11:22:33:44:55",
            "ipset:blocked",
            "10.0.0.0/255.0.255.0",
            "",
            "/",
        ] {
            assert_eq!(Source::read(text), Source::Other(text.to_owned()));
        }
        let long = format!("ipset:\u{1b}{}", "x".repeat(5000));
        assert!(matches!(Source::read(&long), Source::Other(text) if text.len() < 500));
    }
}
