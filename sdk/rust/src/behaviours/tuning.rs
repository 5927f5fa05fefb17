//! Properties of a container's link, and kernel settings of its namespace. This is like
//! CNI's plugin tuning.

use crate::links::{self, Link};
use crate::types::{Error, Namespace, RequestOption};
use crate::{parse, sysctl};

/// The prefix of options for kernel settings.
const SYSCTL: &str = "sysctl.";

/// The placeholder for the name of the container's interface, as in CNI.
const INTERFACE: &str = "IFNAME";

/// The parsed options of tuning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tuning {
    /// The keys in the form of sysctl(8), and the values.
    sysctls: Vec<(String, String)>,
    queue_length: Option<u32>,
    promiscuous: Option<bool>,
    all_multicast: Option<bool>,
}

impl Tuning {
    pub(super) fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        let sysctls = options.iter().filter_map(|option| {
            let key = option.key.strip_prefix(SYSCTL)?;
            Some(check(key).map(|()| (key.to_owned(), option.value.clone())))
        });
        Ok(Self {
            sysctls: sysctls.collect::<Result<_, _>>()?,
            queue_length: parse(options, "txqlen")?,
            promiscuous: parse(options, "promisc")?,
            all_multicast: parse(options, "allmulti")?,
        })
    }

    pub(super) fn apply(&self, link: &Link, interface: &str) -> Result<(), Error> {
        if let Some(packets) = self.queue_length {
            links::set_tx_queue_length(link, packets)?;
        }
        if let Some(on) = self.promiscuous {
            links::set_promiscuous(link, on)?;
        }
        if let Some(on) = self.all_multicast {
            links::set_all_multicast(link, on)?;
        }
        for (key, value) in &self.sysctls {
            sysctl::set(Namespace::Container, &with_name(key, interface), value)?;
        }
        Ok(())
    }
}

/// Refuses keys that don't belong to a network namespace, because they would apply to
/// the whole machine.
fn check(key: &str) -> Result<(), Error> {
    let parts: Vec<&str> = key.split('.').collect();
    match parts.as_slice() {
        ["net", rest @ ..] if rest.len() >= 2 && rest.iter().all(|part| !part.is_empty()) => Ok(()),
        _ => Err(Error::Invalid(format!(
            "option {SYSCTL}{key}: {key:?} is no setting of a network namespace: those are called \
             net.…, for example net.ipv4.conf.{INTERFACE}.arp_filter"
        ))),
    }
}

/// Returns the key with the interface's name. A dot in the name becomes a slash,
/// because dots separate the parts of a key.
fn with_name(key: &str, interface: &str) -> String {
    let name = interface.replace('.', "/");
    let parts = key.split('.').map(|part| match part {
        INTERFACE => name.as_str(),
        part => part,
    });
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_settings_of_the_network_are_taken() {
        for key in ["net.core.somaxconn", "net.ipv4.conf.IFNAME.arp_filter"] {
            assert!(check(key).is_ok(), "{key}");
        }
        for key in ["kernel.hostname", "net", "net.ipv4", "net..x", "", "net.a."] {
            let error = check(key).unwrap_err().to_string();
            assert!(error.contains("network namespace"), "{error}");
        }
    }

    #[test]
    fn the_interface_has_its_name_in_keys() {
        let key = "net.ipv4.conf.IFNAME.rp_filter";
        assert_eq!(with_name(key, "eth0"), "net.ipv4.conf.eth0.rp_filter");
        assert_eq!(with_name(key, "eth0.7"), "net.ipv4.conf.eth0/7.rp_filter");
        assert_eq!(with_name("net.IFNAMES.x", "e"), "net.IFNAMES.x");
    }
}
