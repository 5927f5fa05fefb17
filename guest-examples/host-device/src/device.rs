//! The interface for the container, as the user names it. The host has checked that at
//! most one of the options is given.

use wasmvark_guest::links::{self, Link};
use wasmvark_guest::types::{Error, Namespace, Network, OptionOrigin, Request, RequestOption};

/// The property by which an interface is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Device<'a> {
    Name(&'a str),
    Mac(&'a str),
    Pci(&'a str),
    Path(&'a str),
}

impl<'a> Device<'a> {
    /// Returns the network's interface.
    pub(crate) fn of_network(
        network: &'a Network,
        options: &'a [RequestOption],
    ) -> Result<Self, Error> {
        let name = network.parent.as_deref().map(Self::Name);
        let device = name.or_else(|| Self::of_options(options, OptionOrigin::Network));
        device.ok_or_else(|| {
            Error::Invalid(
                "no network interface is specified: give one of --interface-name NAME, -o \
                 parent=NAME, -o hwaddr=MAC, -o pci=ADDRESS and -o kernelpath=PATH"
                    .to_owned(),
            )
        })
    }

    /// Returns the container's own interface, or else the network's.
    pub(crate) fn of_request(request: &'a Request) -> Result<Self, Error> {
        match Self::of_options(&request.options, OptionOrigin::Container) {
            Some(device) => Ok(device),
            None => Self::of_network(&request.network, &request.options),
        }
    }

    fn of_options(options: &'a [RequestOption], origin: OptionOrigin) -> Option<Self> {
        let given = |key| {
            let mut options = options.iter().filter(|option| option.origin == origin);
            let option = options.find(|option| option.key == key)?;
            Some(option.value.as_str()).filter(|value| !value.is_empty())
        };
        let mac = given("hwaddr").map(Self::Mac);
        let pci = given("pci").map(Self::Pci);
        let path = given("kernelpath").map(Self::Path);
        mac.or(pci).or(path)
    }

    /// Finds the interface on the host.
    pub(crate) fn find(self) -> Result<Link, Error> {
        match self {
            Self::Name(name) => links::get(Namespace::Host, name),
            Self::Mac(mac) => links::get_by_mac(mac),
            Self::Pci(address) => links::get_by_pci(address),
            Self::Path(path) => links::get_by_path(path),
        }
    }

    /// Checks that a search for the interface is possible. It may be missing: VFs and
    /// cards can appear later, and rootless Podman's namespace isn't the one of
    /// `create`.
    pub(crate) fn check(self) -> Result<(), Error> {
        match self.find() {
            Ok(_) | Err(Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Vec<RequestOption> {
        let option = |(key, value): &(&str, &str)| RequestOption {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            origin: OptionOrigin::Network,
        };
        pairs.iter().map(option).collect()
    }

    #[test]
    fn each_option_names_an_interface() {
        let device = |pairs: &[(&str, &str)]| {
            let options = options(pairs);
            format!("{:?}", Device::of_options(&options, OptionOrigin::Network))
        };
        assert_eq!(device(&[("mtu", "1400"), ("pci", "")]), "None");
        assert_eq!(device(&[("hwaddr", "m")]), "Some(Mac(\"m\"))");
        assert_eq!(device(&[("pci", "p")]), "Some(Pci(\"p\"))");
        assert_eq!(device(&[("kernelpath", "k")]), "Some(Path(\"k\"))");
    }
}
