//! The calls.
//!
//! - `links.get host|container NAME` (a new handle)
//! - `links.get-default` (a new handle)
//! - `links.create-macvlan host|container NAME PARENT-HANDLE MODE [KEY=VALUE…]`
//!   (a new handle), keys `mac`, `mtu`, `bclim`, `bcqueuelen`
//! - `links.move-to-container HANDLE NAME`
//! - `links.set-mac HANDLE MAC`
//! - `links.set-mtu HANDLE MTU`
//! - `links.set-up HANDLE`
//! - `addresses.add HANDLE CIDR`
//! - `routes.add host|container DESTINATION GATEWAY|- METRIC|- KIND`
//! - `sysctl.set-autoconf HANDLE on|off`
//! - `log.write LEVEL TEXT…`

use wasmvark_guest::links::{self, Link, MacvlanMode, MacvlanOptions};
use wasmvark_guest::log::{self, Level};
use wasmvark_guest::types::{Error, Route, RouteKind};
use wasmvark_guest::{addresses, routes, sysctl};

use crate::arguments::{Arguments, invalid, number};

/// Makes a call. A handle that it returns joins the others.
pub(crate) fn run(
    call: &str,
    arguments: &mut Arguments<'_>,
    handles: &mut Vec<Link>,
) -> Result<(), Error> {
    match call {
        "links.get" => {
            handles.push(links::get(arguments.namespace()?, arguments.word()?)?);
            Ok(())
        }
        "links.get-default" => {
            handles.push(links::get_default()?);
            Ok(())
        }
        "links.create-macvlan" => {
            let link = create_macvlan(arguments, handles)?;
            handles.push(link);
            Ok(())
        }
        "links.move-to-container" => {
            links::move_to_container(handle(arguments, handles)?, arguments.word()?)
        }
        "links.set-mac" => links::set_mac(handle(arguments, handles)?, arguments.word()?),
        "links.set-mtu" => links::set_mtu(handle(arguments, handles)?, arguments.number()?),
        "links.set-up" => links::set_up(handle(arguments, handles)?),
        "addresses.add" => addresses::add(handle(arguments, handles)?, arguments.word()?),
        "routes.add" => routes::add(arguments.namespace()?, &route(arguments)?),
        "sysctl.set-autoconf" => {
            sysctl::set_autoconf(handle(arguments, handles)?, arguments.switch()?)
        }
        "log.write" => log::write(level(arguments.word()?)?, arguments.rest()),
        word => Err(invalid(&format!("unknown word {word}"))),
    }
}

fn handle<'a>(arguments: &mut Arguments<'_>, handles: &'a [Link]) -> Result<&'a Link, Error> {
    let at: usize = arguments.number()?;
    handles
        .get(at)
        .ok_or_else(|| invalid(&format!("no handle {at}")))
}

fn create_macvlan(arguments: &mut Arguments<'_>, handles: &[Link]) -> Result<Link, Error> {
    let namespace = arguments.namespace()?;
    let name = arguments.word()?;
    let parent = handle(arguments, handles)?;
    let mut options = MacvlanOptions {
        mode: mode(arguments.word()?)?,
        mac: None,
        mtu: None,
        broadcast_limit: None,
        broadcast_queue_length: None,
    };
    while let Some(word) = arguments.next() {
        match word.split_once('=') {
            Some(("mac", value)) => options.mac = Some(value.to_owned()),
            Some(("mtu", value)) => options.mtu = Some(number(value)?),
            Some(("bclim", value)) => options.broadcast_limit = Some(number(value)?),
            Some(("bcqueuelen", value)) => options.broadcast_queue_length = Some(number(value)?),
            _ => return Err(invalid(&format!("no such option: {word}"))),
        }
    }
    links::create_macvlan(namespace, name, parent, &options)
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

fn mode(word: &str) -> Result<MacvlanMode, Error> {
    match word {
        "private" => Ok(MacvlanMode::Private),
        "vepa" => Ok(MacvlanMode::Vepa),
        "bridge" => Ok(MacvlanMode::Bridge),
        "passthru" => Ok(MacvlanMode::Passthru),
        "source" => Ok(MacvlanMode::Source),
        word => Err(invalid(&format!("no such mode: {word}"))),
    }
}

fn level(word: &str) -> Result<Level, Error> {
    match word {
        "error" => Ok(Level::Error),
        "warn" => Ok(Level::Warn),
        "info" => Ok(Level::Info),
        "debug" => Ok(Level::Debug),
        word => Err(invalid(&format!("no such level: {word}"))),
    }
}
