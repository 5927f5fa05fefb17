//! The calls.
//!
//! - `links.get host|container NAME` (a new handle)
//! - `links.get-default` (a new handle)
//! - `links.create-macvlan PLACE NAME PARENT-HANDLE MODE [KEY=VALUE…]`
//!   (a new handle), keys `mac`, `mtu`, `bclim`, `bcqueuelen`
//! - `links.create-bridge PLACE NAME [KEY=VALUE…]` (a new handle), keys `mac`,
//!   `mtu`
//! - `links.create-veth NAME [KEY=VALUE…]` (a new handle for the container's
//!   end, and the next for the host's), keys `host-name`, `mac`, `host-mac`,
//!   `mtu`
//! - `links.move-to-container HANDLE NAME`
//! - `links.set-mac HANDLE MAC`
//! - `links.set-mtu HANDLE MTU`
//! - `links.set-up HANDLE`
//! - `links.set-master HANDLE HANDLE|-`
//! - `addresses.add HANDLE CIDR`
//! - `routes.add host|container DESTINATION GATEWAY|- METRIC|- KIND`
//! - `sysctl.set-autoconf HANDLE on|off`
//! - `log.write LEVEL TEXT…`

use wasmvark_guest::links::{
    self, BridgeOptions, Link, MacvlanMode, MacvlanOptions, VethOptions, VethPair,
};
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
        "links.create-bridge" => {
            let link = create_bridge(arguments)?;
            handles.push(link);
            Ok(())
        }
        "links.create-veth" => {
            let pair = create_veth(arguments)?;
            handles.extend([pair.container, pair.host]);
            Ok(())
        }
        "links.move-to-container" => {
            links::move_to_container(handle(arguments, handles)?, arguments.word()?)
        }
        "links.set-mac" => links::set_mac(handle(arguments, handles)?, arguments.word()?),
        "links.set-mtu" => links::set_mtu(handle(arguments, handles)?, arguments.number()?),
        "links.set-up" => links::set_up(handle(arguments, handles)?),
        "links.set-master" => {
            let link = handle(arguments, handles)?;
            let master = arguments.optional()?.map(number).transpose()?;
            let master = master.map(|at| numbered(handles, at)).transpose()?;
            links::set_master(link, master)
        }
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
    numbered(handles, arguments.number()?)
}

fn numbered(handles: &[Link], at: usize) -> Result<&Link, Error> {
    handles
        .get(at)
        .ok_or_else(|| invalid(&format!("no handle {at}")))
}

fn create_macvlan(arguments: &mut Arguments<'_>, handles: &[Link]) -> Result<Link, Error> {
    let place = arguments.place()?;
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
    links::create_macvlan(place, name, parent, &options)
}

fn create_bridge(arguments: &mut Arguments<'_>) -> Result<Link, Error> {
    let place = arguments.place()?;
    let name = arguments.word()?;
    let mut options = BridgeOptions {
        mac: None,
        mtu: None,
    };
    while let Some(word) = arguments.next() {
        match word.split_once('=') {
            Some(("mac", value)) => options.mac = Some(value.to_owned()),
            Some(("mtu", value)) => options.mtu = Some(number(value)?),
            _ => return Err(invalid(&format!("no such option: {word}"))),
        }
    }
    links::create_bridge(place, name, &options)
}

fn create_veth(arguments: &mut Arguments<'_>) -> Result<VethPair, Error> {
    let name = arguments.word()?;
    let mut options = VethOptions {
        host_name: None,
        mac: None,
        host_mac: None,
        mtu: None,
    };
    while let Some(word) = arguments.next() {
        match word.split_once('=') {
            Some(("host-name", value)) => options.host_name = Some(value.to_owned()),
            Some(("mac", value)) => options.mac = Some(value.to_owned()),
            Some(("host-mac", value)) => options.host_mac = Some(value.to_owned()),
            Some(("mtu", value)) => options.mtu = Some(number(value)?),
            _ => return Err(invalid(&format!("no such option: {word}"))),
        }
    }
    links::create_veth(name, &options)
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
