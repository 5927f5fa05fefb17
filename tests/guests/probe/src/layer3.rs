//! The calls of `addresses` and `routes`.
//!
//! - `addresses.add HANDLE CIDR`: keys `nodad`, `noprefixroute`
//! - `addresses.remove HANDLE CIDR`
//! - `addresses.list HANDLE [tell]`
//! - `addresses.wait-dad HANDLE MILLISECONDS`
//! - `routes.add|replace|remove host|container DESTINATION GATEWAY|- METRIC|- KIND`:
//!   keys `table`, `scope`, `source`, `link`, `onlink`, and `hop` (as often as
//!   wanted): `GATEWAY|-,LINK|-,WEIGHT[,onlink]`
//! - `routes.list host|container TABLE|- [tell]`

use wasmvark_guest::addresses::{self, AddressOptions};
use wasmvark_guest::links::Link;
use wasmvark_guest::routes::{self, NextHop, RouteInfo, RouteOptions, RouteScope};
use wasmvark_guest::types::{Error, Namespace, Route, RouteKind};

use crate::arguments::{Arguments, invalid, number};
use crate::calls::{handle, tell};
use crate::create::Keys;

/// Whether a call is one of these.
pub(crate) fn has(call: &str) -> bool {
    let interfaces = ["addresses.", "routes."];
    interfaces
        .iter()
        .any(|interface| call.starts_with(interface))
}

/// Makes a call.
pub(crate) fn run(
    call: &str,
    arguments: &mut Arguments<'_>,
    handles: &[Link],
) -> Result<(), Error> {
    match call {
        "addresses.add" => {
            let (link, address) = (handle(arguments, handles)?, arguments.word()?);
            let keys = Keys::parse(arguments)?;
            let options = AddressOptions {
                no_dad: keys.is_on("nodad"),
                no_prefix_route: keys.is_on("noprefixroute"),
            };
            addresses::add(link, address, (!keys.is_empty()).then_some(options))
        }
        "addresses.remove" => addresses::remove(handle(arguments, handles)?, arguments.word()?),
        "addresses.list" => {
            let addresses = addresses::list(handle(arguments, handles)?)?;
            tell(arguments, "addresses", &format!("{addresses:?}"))
        }
        "addresses.wait-dad" => {
            addresses::wait_dad(handle(arguments, handles)?, arguments.number()?)
        }
        "routes.add" => change_route(arguments, routes::add),
        "routes.replace" => change_route(arguments, routes::replace),
        "routes.remove" => change_route(arguments, routes::remove),
        "routes.list" => {
            let namespace = arguments.namespace()?;
            let table = arguments.optional()?.map(number).transpose()?;
            let routes = routes::list(namespace, table)?;
            let routes: Vec<String> = routes.iter().map(describe).collect();
            tell(arguments, "routes", &routes.join(", "))
        }
        word => Err(invalid(&format!("unknown word {word}"))),
    }
}

fn change_route(
    arguments: &mut Arguments<'_>,
    call: fn(Namespace, &Route, Option<&RouteOptions>) -> Result<(), Error>,
) -> Result<(), Error> {
    let namespace = arguments.namespace()?;
    let route = route(arguments)?;
    let options = options(&Keys::parse(arguments)?)?;
    call(namespace, &route, options.as_ref())
}

fn route(arguments: &mut Arguments<'_>) -> Result<Route, Error> {
    Ok(Route {
        destination: arguments.word()?.to_owned(),
        gateway: arguments.optional()?.map(str::to_owned),
        metric: arguments.optional()?.map(number).transpose()?,
        kind: match arguments.word()? {
            "unicast" => RouteKind::Unicast,
            "blackhole" => RouteKind::Blackhole,
            "unreachable" => RouteKind::Unreachable,
            "prohibit" => RouteKind::Prohibit,
            word => return Err(invalid(&format!("no such kind of route: {word}"))),
        },
    })
}

/// `None` where no key is there, as most drivers have it.
fn options(keys: &Keys<'_>) -> Result<Option<RouteOptions>, Error> {
    let options = RouteOptions {
        table: keys.number("table")?,
        scope: keys.get("scope").map(scope).transpose()?,
        source: keys.text("source"),
        link: keys.text("link"),
        on_link: keys.is_on("onlink"),
        next_hops: keys.all("hop").map(next_hop).collect::<Result<_, _>>()?,
    };
    let is_plain = keys.is_empty();
    Ok((!is_plain).then_some(options))
}

fn scope(word: &str) -> Result<RouteScope, Error> {
    match word {
        "global" => Ok(RouteScope::Global),
        "link" => Ok(RouteScope::Link),
        "host" => Ok(RouteScope::Host),
        word => Err(invalid(&format!("no such scope: {word}"))),
    }
}

fn next_hop(word: &str) -> Result<NextHop, Error> {
    let mut parts = word.split(',');
    let mut part = || parts.next().filter(|part| *part != "-").map(str::to_owned);
    let (gateway, link, weight, on_link) = (part(), part(), part(), part());
    Ok(NextHop {
        gateway,
        link,
        weight: weight.as_deref().map_or(Ok(1), number)?,
        on_link: on_link.is_some(),
    })
}

/// As `ip route` shows it, with all that there is.
fn describe(info: &RouteInfo) -> String {
    let RouteInfo {
        route,
        options,
        protocol,
    } = info;
    let mut words = vec![route.destination.clone()];
    let mut word = |key: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("{key} {value}")));
    };
    word("kind", Some(format!("{:?}", route.kind)));
    word("via", route.gateway.clone());
    word("dev", options.link.clone());
    word("metric", route.metric.map(|metric| metric.to_string()));
    word("table", options.table.map(|table| table.to_string()));
    word("src", options.source.clone());
    word("scope", options.scope.map(|scope| format!("{scope:?}")));
    word("onlink", options.on_link.then(|| "on".to_owned()));
    word("proto", Some(protocol.to_string()));
    for hop in &options.next_hops {
        word(
            "hop",
            Some(format!("{:?} {:?} {}", hop.gateway, hop.link, hop.weight)),
        );
    }
    words.join(" ")
}
