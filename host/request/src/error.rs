//! Why a request can't be resolved.

use ipnet::IpNet;
use types::{InvalidId, InvalidLinkName, InvalidMac};

use super::{Given, OptionFault};

/// Why a request can't be resolved.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The container's interface has no name.
    #[error("no container interface name given")]
    NoInterfaceName,
    /// The text can't be the name of a link.
    #[error("{what} is not valid: {error}")]
    LinkName {
        /// The use of the name.
        what: &'static str,
        /// The cause.
        error: InvalidLinkName,
    },
    /// An id or a name isn't safe as the name of a file.
    #[error(transparent)]
    Name(#[from] InvalidId),
    /// A network has another driver than its user gave it.
    #[error(
        "the network {network} was created for the driver {was}, and now has the driver {is}: if \
         that is intended, `wasmvark adopt {network}` accepts it as the user's word"
    )]
    OtherDriver {
        /// The network.
        network: String,
        /// The driver that its user named.
        was: String,
        /// The driver that it has now.
        is: String,
    },
    /// An option's value can't be parsed.
    #[error("unable to parse {key:?}: {error} ({given})")]
    Option {
        /// The option.
        key: &'static str,
        /// The cause.
        error: String,
        /// The giver of the option.
        given: Given,
    },
    /// An option isn't as the driver's manifest declares it.
    #[error(transparent)]
    Undeclared(#[from] OptionFault),
    /// The parent of the network is named in more than one way.
    #[error(
        "the parent interface is named in more than one way: give only one of --interface-name \
         (or -o parent), -o hwaddr, -o pci and -o kernelpath"
    )]
    SeveralParents,
    /// A MAC address can't be parsed.
    #[error(transparent)]
    Mac(#[from] InvalidMac),
    /// Subnets were given without addresses.
    #[error("no static ips provided")]
    NoAddresses,
    /// Two subnets are the same.
    #[error("duplicate subnet defined: {0}")]
    DuplicateSubnet(IpNet),
    /// Two subnets overlap.
    #[error("overlapping subnets: {0} and {1}")]
    OverlappingSubnets(IpNet, IpNet),
    /// An address is in none of the subnets.
    #[error("not all static IPs matched a subnet: expected {expected}, got {matched}")]
    UnmatchedAddresses {
        /// The number of addresses.
        expected: usize,
        /// The number of addresses in a subnet.
        matched: usize,
    },
    /// A static route is invalid.
    #[error("{0}")]
    Route(String),
    /// A port mapping is invalid.
    #[error("{0}")]
    Port(String),
}

impl RequestError {
    /// Says of an error about an option that a container has it.
    pub(crate) fn of_container(self) -> Self {
        match self {
            Self::Option { key, error, .. } => Self::Option {
                key,
                error,
                given: Given::Container,
            },
            other => other,
        }
    }
}
