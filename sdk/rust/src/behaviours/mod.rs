//! Options that every driver understands, for a network or for one container:
//! what CNI's plugins tuning, bandwidth and sbr do, written once. A driver
//! imports only the calls of those that it uses.

mod known;
mod rates;
mod source_routing;
mod tuning;

pub use known::Known;
pub use rates::RATES;
pub use source_routing::SOURCE_ROUTING;
pub use tuning::TUNING;

use rates::Rates;
use source_routing::SourceRouting;
use tuning::Tuning;

use crate::links::Link;
use crate::types::{Error, OptionValue, Request};
use crate::{announce_addresses, configure, parse_bool};

/// The option for [`Behaviours::announce`].
pub const ANNOUNCE: &[&str] = &["announce"];

/// What the options say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviours {
    tuning: Tuning,
    rates: Rates,
    source_routing: Option<SourceRouting>,
    announce: bool,
}

impl Behaviours {
    fn parse(options: &[OptionValue]) -> Result<Self, Error> {
        Ok(Self {
            tuning: Tuning::parse(options)?,
            rates: Rates::parse(options)?,
            source_routing: SourceRouting::parse(options)?,
            announce: parse_bool(options, "announce", false)?,
        })
    }

    /// Sets what the container's link has of its own, before it has addresses.
    pub fn tune(&self, link: &Link, request: &Request) -> Result<(), Error> {
        self.tuning.apply(link, &request.interface_name)
    }

    /// Whether neighbours are to be told of the container's addresses.
    pub fn announces(&self) -> bool {
        self.announce
    }

    /// Where it's asked for, has the kernel tell the link's neighbours of the
    /// addresses that it is going to have.
    pub fn announce(&self, link: &Link) -> Result<(), Error> {
        match self.announce {
            true => announce_addresses(link),
            false => Ok(()),
        }
    }

    /// Tunes the container's link, gives it its addresses, sets it up and adds
    /// the routes: for all packets, or for those with its addresses.
    ///
    /// `metric` is the one for default routes where the user gave none; with
    /// `None` it's left to the host.
    pub fn configure(
        &self,
        link: &Link,
        request: &Request,
        metric: Option<u32>,
    ) -> Result<(), Error> {
        self.tune(link, request)?;
        match &self.source_routing {
            Some(routing) => routing.configure(link, request, metric),
            None => configure(link, request, metric),
        }
    }

    /// Where packets are routed by their source, the table that has the
    /// container's routes, with its rules.
    pub fn source_table(&self, request: &Request) -> Result<Option<u32>, Error> {
        let routing = self.source_routing.as_ref();
        routing.map(|it| it.add_rules(request)).transpose()
    }

    /// Limits what a link of the container's sends and receives.
    pub fn limit(&self, link: &Link) -> Result<(), Error> {
        self.rates.limit(link)
    }

    /// The same at the other end of that link, on the host.
    pub fn limit_port(&self, port: &Link) -> Result<(), Error> {
        self.rates.limit_port(port)
    }
}
