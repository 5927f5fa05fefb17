//! Behaviours: options that every driver can offer, for a network or for one container.
//! They are like CNI's plugins tuning, bandwidth and sbr. A driver imports only the
//! calls of the behaviours that it uses.

mod rates;
mod source_routing;
mod tuning;

use rates::Rates;
use source_routing::SourceRouting;
use tuning::Tuning;

use crate::links::Link;
use crate::types::{Error, Request, RequestOption};
use crate::{
    Dad, accept_router_advertisements, addresses, announce_addresses, configure, disable_autoconf,
    ignore_router_advertisements, parse, parse_bool,
};

/// The longest wait for duplicate address detection, in milliseconds. It waits at most
/// one second before its probe (RFC 4862, section 5.4.2) and one second for an answer
/// (RFC 4861, section 10), after the link has a carrier.
const DAD_MAX: u32 = 5000;

/// The parsed options of behaviours: those of the parts in `sdk/manifest/parts`. What a
/// driver's manifest doesn't declare isn't given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviours {
    tuning: Tuning,
    rates: Rates,
    source_routing: Option<SourceRouting>,
    announce: Option<bool>,
    wait_dad: bool,
    accept_ra: Option<bool>,
}

impl Behaviours {
    /// Parses the options of a network, or of a container. The host has checked each by
    /// itself, as the manifest declares it.
    ///
    /// # Errors
    ///
    /// Options don't go together.
    pub fn parse(options: &[RequestOption]) -> Result<Self, Error> {
        Ok(Self {
            tuning: Tuning::parse(options)?,
            rates: Rates::parse(options)?,
            source_routing: SourceRouting::parse(options)?,
            announce: parse(options, "announce")?,
            wait_dad: parse_bool(options, "wait_dad", false)?,
            accept_ra: parse(options, "accept_ra")?,
        })
    }

    /// Sets the properties and the kernel settings that the options give the
    /// container's link. It must be called before the link has addresses.
    ///
    /// Router advertisements add no addresses, unless the option `accept_ra` says so,
    /// because Podman chooses the addresses.
    pub fn tune(&self, link: &Link, request: &Request) -> Result<(), Error> {
        if self.accept_ra != Some(true) {
            disable_autoconf(link)?;
        }
        self.tuning.apply(link, &request.interface_name)
    }

    /// Takes or ignores router advertisements, if the option is given. It must be called
    /// before the link is up.
    pub fn accept_ra(&self, link: &Link) -> Result<(), Error> {
        match self.accept_ra {
            Some(true) => accept_router_advertisements(link),
            Some(false) => ignore_router_advertisements(link),
            None => Ok(()),
        }
    }

    /// Whether the container's addresses are to be announced, if the user says so.
    pub fn announces(&self) -> Option<bool> {
        self.announce
    }

    /// Makes the kernel announce the addresses that the link will have, if the option
    /// is given.
    pub fn announce(&self, link: &Link) -> Result<(), Error> {
        match self.announce {
            Some(true) => announce_addresses(link),
            None | Some(false) => Ok(()),
        }
    }

    /// Waits until the IPv6 addresses of the container's link can be used, if the option
    /// is given. Fails if another machine has one of them.
    pub fn wait_dad(&self, link: &Link) -> Result<(), Error> {
        match self.wait_dad {
            true => addresses::wait_dad(link, DAD_MAX),
            false => Ok(()),
        }
    }

    /// Tunes the container's link, gives it its addresses, sets it up and adds the
    /// routes. With source routing, the routes apply only to packets from the link's
    /// addresses.
    ///
    /// `metric` is for default routes for which the user gave none. With `None`, the
    /// host chooses it.
    pub fn configure(
        &self,
        link: &Link,
        request: &Request,
        metric: Option<u32>,
    ) -> Result<(), Error> {
        self.configure_with(link, request, metric, Dad::On)
    }

    /// Does the same with or without duplicate address detection.
    pub fn configure_with(
        &self,
        link: &Link,
        request: &Request,
        metric: Option<u32>,
        dad: Dad,
    ) -> Result<(), Error> {
        self.tune(link, request)?;
        match &self.source_routing {
            Some(routing) => routing.configure(link, request, metric, dad),
            None => configure(link, request, metric, dad),
        }
    }

    /// Adds the rules of source routing, if the option is given. Returns the table for
    /// the container's routes.
    pub fn source_table(&self, request: &Request) -> Result<Option<u32>, Error> {
        let routing = self.source_routing.as_ref();
        routing.map(|it| it.add_rules(request)).transpose()
    }

    /// Limits the rates of a link of the container.
    pub fn limit(&self, link: &Link) -> Result<(), Error> {
        self.rates.limit(link)
    }

    /// Limits the rates of a link of the container, at its peer on the host.
    pub fn limit_port(&self, port: &Link) -> Result<(), Error> {
        self.rates.limit_port(port)
    }
}
