//! The calls.
//!
//! - `links.get host|container NAME` (a new handle)
//! - `links.get-default` (a new handle)
//! - `links.names host|container [tell]`
//! - `links.info HANDLE [tell]`, `links.ports HANDLE [tell]`: with `tell`, what
//!   is read becomes a message
//! - `links.wait-carrier HANDLE MILLISECONDS`
//! - `links.create-…`: see `create`
//! - `links.delete HANDLE`
//! - `links.move-to-container HANDLE NAME`
//! - `links.set-mac HANDLE MAC`
//! - `links.set-mtu HANDLE MTU`
//! - `links.set-up HANDLE`, `links.set-down HANDLE`
//! - `links.set-tx-queue-length HANDLE PACKETS`
//! - `links.set-promiscuous HANDLE on|off`, `links.set-all-multicast HANDLE on|off`
//! - `links.set-alias HANDLE TEXT…`
//! - `links.set-master HANDLE HANDLE|-`
//! - `addresses.…`, `routes.…`: see `layer3`
//! - `sysctl.set-autoconf HANDLE on|off`
//! - `log.write LEVEL TEXT…`

use wasmvark_guest::links::{self, Link};
use wasmvark_guest::log::{self, Level};
use wasmvark_guest::sysctl;
use wasmvark_guest::types::Error;

use crate::arguments::{Arguments, invalid, number};
use crate::{create, layer3};

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
        "links.wait-carrier" => {
            links::wait_carrier(handle(arguments, handles)?, arguments.number()?)
        }
        "links.delete" => links::delete(handle(arguments, handles)?),
        "links.move-to-container" => {
            links::move_to_container(handle(arguments, handles)?, arguments.word()?)
        }
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
        "sysctl.set-autoconf" => {
            sysctl::set_autoconf(handle(arguments, handles)?, arguments.switch()?)
        }
        "log.write" => log::write(level(arguments.word()?)?, arguments.rest()),
        word => Err(invalid(&format!("unknown word {word}"))),
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

fn level(word: &str) -> Result<Level, Error> {
    match word {
        "error" => Ok(Level::Error),
        "warn" => Ok(Level::Warn),
        "info" => Ok(Level::Info),
        "debug" => Ok(Level::Debug),
        word => Err(invalid(&format!("no such level: {word}"))),
    }
}
