//! The calls.
//!
//! - `links.get host|container NAME` (a new handle)
//! - `links.get-default` (a new handle)
//! - `links.get-by-index host|container INDEX|@HANDLE` (a new handle); `@` reads
//!   the index of a link with `links.info`
//! - `links.get-by-mac MAC`, `links.get-by-pci ADDRESS`, `links.get-by-path PATH`
//!   (a new handle)
//! - `links.names host|container [tell]`
//! - `links.info HANDLE [tell]`, `links.ports HANDLE [tell]`: with `tell`, what
//!   is read becomes a message
//! - `links.wait-carrier HANDLE MILLISECONDS`
//! - `links.create-…`: see `create`
//! - `links.delete HANDLE`
//! - `links.move-to-container HANDLE NAME`
//! - `links.rename HANDLE NAME`
//! - `links.set-mac HANDLE MAC`
//! - `links.set-mtu HANDLE MTU`
//! - `links.set-up HANDLE`, `links.set-down HANDLE`
//! - `links.set-tx-queue-length HANDLE PACKETS`
//! - `links.set-promiscuous HANDLE on|off`, `links.set-all-multicast HANDLE on|off`
//! - `links.set-alias HANDLE TEXT…`
//! - `links.set-master HANDLE HANDLE|-`
//! - `links.vfs …`, `links.set-vf-…`: see `vfs`
//! - `bridge-ports.set-hairpin HANDLE on|off`, `bridge-ports.set-isolated …`,
//!   `bridge-ports.set-learning …`
//! - `bridge-ports.vlans HANDLE [tell]`
//! - `bridge-ports.add-vlans HANDLE FIRST LAST [pvid] [untagged]`
//! - `bridge-ports.remove-vlans HANDLE FIRST LAST`
//! - `addresses.…`, `routes.…`: see `layer3`
//! - `rules.…`: see `rules`; `neighbours.…`: see `neighbours`
//! - `sysctl.…`: see `settings`
//! - `announce.gratuitous-arp HANDLE ADDRESS`,
//!   `announce.neighbour-advertisement HANDLE ADDRESS`
//! - `traffic.…`: see `traffic`
//! - `wireguard.…`: see `tunnels`
//! - `firewall.…`: see `firewall`
//! - `offloads.set HANDLE FEATURE on|off`, `offloads.list HANDLE [tell]`
//! - `state.get KEY [tell]`, `state.keys [tell]`, `state.remove KEY`
//! - `state.set KEY TEXT…`; a text `*N` stands for N bytes
//! - `log.write LEVEL TEXT…`

use wasmvark_guest::bridge_ports::{self, VlanRange};
use wasmvark_guest::links::{self, Link};
use wasmvark_guest::log::{self, Level};
use wasmvark_guest::types::Error;
use wasmvark_guest::{announce, offloads, state};

use crate::arguments::{Arguments, invalid, number};
use crate::{create, firewall, layer3, neighbours, rules, settings, traffic, tunnels, vfs};

/// Makes a call. A handle that it returns joins the others.
pub(crate) fn run(
    call: &str,
    arguments: &mut Arguments<'_>,
    handles: &mut Vec<Link>,
) -> Result<(), Error> {
    if let Some(kind) = call.strip_prefix("links.create-") {
        handles.extend(create::run(kind, arguments, handles)?);
        return Ok(());
    }
    if let Some(what) = call.strip_prefix(vfs::CHANGE) {
        return vfs::change(what, arguments, handles);
    }
    if let Some(function) = call.strip_prefix("wireguard.") {
        return tunnels::run(function, arguments, handles);
    }
    if let Some(function) = call.strip_prefix("traffic.") {
        return traffic::run(function, arguments, handles);
    }
    if let Some(function) = call.strip_prefix("rules.") {
        return rules::run(function, arguments);
    }
    if let Some(function) = call.strip_prefix("neighbours.") {
        return neighbours::run(function, arguments, handles);
    }
    if let Some(function) = call.strip_prefix("firewall.") {
        return firewall::run(function, arguments, handles);
    }
    if let Some(setting) = call.strip_prefix("sysctl.") {
        return settings::run(setting, arguments, handles);
    }
    if let Some(function) = call.strip_prefix("bridge-ports.") {
        return bridge_port(function, arguments, handles);
    }
    if layer3::has(call) {
        return layer3::run(call, arguments, handles);
    }
    match call {
        "links.get" => {
            handles.push(links::get(arguments.namespace()?, arguments.word()?)?);
            Ok(())
        }
        "links.get-default" => {
            handles.push(links::get_default()?);
            Ok(())
        }
        "links.get-by-index" => {
            let (namespace, word) = (arguments.namespace()?, arguments.word()?);
            let index = match word.strip_prefix('@') {
                Some(at) => links::info(numbered(handles, number(at)?)?)?.index,
                None => number(word)?,
            };
            handles.push(links::get_by_index(namespace, index)?);
            Ok(())
        }
        "links.get-by-mac" => {
            handles.push(links::get_by_mac(arguments.word()?)?);
            Ok(())
        }
        "links.get-by-pci" => {
            handles.push(links::get_by_pci(arguments.word()?)?);
            Ok(())
        }
        "links.get-by-path" => {
            handles.push(links::get_by_path(arguments.word()?)?);
            Ok(())
        }
        "links.names" => {
            let names = links::names(arguments.namespace()?)?;
            tell(arguments, "links", &names.join(" "))
        }
        "links.info" => {
            let info = links::info(handle(arguments, handles)?)?;
            tell(arguments, "info", &format!("{info:?}"))
        }
        "links.ports" => {
            let ports = links::ports(handle(arguments, handles)?)?;
            tell(arguments, "ports", &ports.join(" "))
        }
        "links.vfs" => vfs::list(arguments, handles),
        "links.wait-carrier" => {
            links::wait_carrier(handle(arguments, handles)?, arguments.number()?)
        }
        "links.delete" => links::delete(handle(arguments, handles)?),
        "links.move-to-container" => {
            links::move_to_container(handle(arguments, handles)?, arguments.word()?)
        }
        "links.rename" => links::rename(handle(arguments, handles)?, arguments.word()?),
        "links.set-mac" => links::set_mac(handle(arguments, handles)?, arguments.word()?),
        "links.set-mtu" => links::set_mtu(handle(arguments, handles)?, arguments.number()?),
        "links.set-up" => links::set_up(handle(arguments, handles)?),
        "links.set-down" => links::set_down(handle(arguments, handles)?),
        "links.set-tx-queue-length" => {
            links::set_tx_queue_length(handle(arguments, handles)?, arguments.number()?)
        }
        "links.set-promiscuous" => {
            links::set_promiscuous(handle(arguments, handles)?, arguments.switch()?)
        }
        "links.set-all-multicast" => {
            links::set_all_multicast(handle(arguments, handles)?, arguments.switch()?)
        }
        "links.set-alias" => links::set_alias(handle(arguments, handles)?, arguments.rest()),
        "links.set-master" => {
            let link = handle(arguments, handles)?;
            let master = arguments.optional()?.map(number).transpose()?;
            let master = master.map(|at| numbered(handles, at)).transpose()?;
            links::set_master(link, master)
        }
        "announce.gratuitous-arp" => {
            announce::gratuitous_arp(handle(arguments, handles)?, arguments.word()?)
        }
        "announce.neighbour-advertisement" => {
            announce::neighbour_advertisement(handle(arguments, handles)?, arguments.word()?)
        }
        "offloads.set" => {
            let link = handle(arguments, handles)?;
            offloads::set(link, arguments.word()?, arguments.switch()?)
        }
        "offloads.list" => {
            let features = offloads::list(handle(arguments, handles)?)?;
            let features: Vec<_> = features.iter().map(describe).collect();
            tell(arguments, "features", &features.join(" "))
        }
        "state.get" => {
            let value = state::get(arguments.word()?)?;
            let text = value.map(|value| String::from_utf8_lossy(&value).into_owned());
            tell(arguments, "value", &format!("{text:?}"))
        }
        "state.set" => {
            let key = arguments.word()?;
            let text = arguments.rest();
            match text.strip_prefix('*') {
                Some(length) => state::set(key, &vec![0; number(length)?]),
                None => state::set(key, text.as_bytes()),
            }
        }
        "state.remove" => state::remove(arguments.word()?),
        "state.keys" => {
            let keys = state::keys()?;
            tell(arguments, "keys", &keys.join(" "))
        }
        "log.write" => log::write(level(arguments.word()?)?, arguments.rest()),
        word => Err(invalid(&format!("unknown word {word}"))),
    }
}

fn bridge_port(
    function: &str,
    arguments: &mut Arguments<'_>,
    handles: &[Link],
) -> Result<(), Error> {
    let port = handle(arguments, handles)?;
    match function {
        "set-hairpin" => bridge_ports::set_hairpin(port, arguments.switch()?),
        "set-isolated" => bridge_ports::set_isolated(port, arguments.switch()?),
        "set-learning" => bridge_ports::set_learning(port, arguments.switch()?),
        "vlans" => {
            let vlans = bridge_ports::vlans(port)?;
            tell(arguments, "vlans", &format!("{vlans:?}"))
        }
        "add-vlans" => {
            let (first, last) = (arguments.number()?, arguments.number()?);
            let flags = arguments.rest();
            let vlans = VlanRange {
                first,
                last,
                pvid: flags.contains("pvid"),
                untagged: flags.contains("untagged"),
            };
            bridge_ports::add_vlans(port, vlans)
        }
        "remove-vlans" => {
            bridge_ports::remove_vlans(port, arguments.number()?, arguments.number()?)
        }
        word => Err(invalid(&format!("unknown word bridge-ports.{word}"))),
    }
}

pub(crate) fn handle<'a>(
    arguments: &mut Arguments<'_>,
    handles: &'a [Link],
) -> Result<&'a Link, Error> {
    numbered(handles, arguments.number()?)
}

pub(crate) fn numbered(handles: &[Link], at: usize) -> Result<&Link, Error> {
    handles
        .get(at)
        .ok_or_else(|| invalid(&format!("no handle {at}")))
}

/// Says what a call read, if asked to.
pub(crate) fn tell(arguments: &mut Arguments<'_>, what: &str, text: &str) -> Result<(), Error> {
    match arguments.next() {
        None => Ok(()),
        Some("tell") => log::write(Level::Warn, &format!("{what}: {text}")),
        Some(word) => Err(invalid(&format!("tell, not {word}"))),
    }
}

/// `NAME=on`, with a `!` where it can't be changed.
fn describe(feature: &offloads::Feature) -> String {
    let value = if feature.on { "on" } else { "off" };
    let fixed = if feature.changeable { "" } else { "!" };
    format!("{}={value}{fixed}", feature.name)
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
