//! The calls of `wireguard`.
//!
//! - `wireguard.set-private-key HANDLE SECRET`
//! - `wireguard.set-listen-port HANDLE PORT`
//! - `wireguard.set-peer HANDLE KEY ADDRESS|- PORT SECRET|- KEEPALIVE NETWORK…`
//! - `wireguard.remove-peer HANDLE KEY`
//! - `wireguard.info HANDLE [tell]`

use wasmvark_guest::links::Link;
use wasmvark_guest::types::Error;
use wasmvark_guest::wireguard::{self, Endpoint, Peer};

use crate::arguments::{Arguments, invalid};
use crate::calls::{handle, tell};

pub(crate) fn run(
    function: &str,
    arguments: &mut Arguments<'_>,
    handles: &[Link],
) -> Result<(), Error> {
    let link = handle(arguments, handles)?;
    match function {
        "set-private-key" => wireguard::set_private_key(link, arguments.word()?),
        "set-listen-port" => wireguard::set_listen_port(link, arguments.number()?),
        "set-peer" => wireguard::set_peer(link, &peer(arguments)?),
        "remove-peer" => wireguard::remove_peer(link, arguments.word()?),
        "info" => {
            let info = wireguard::info(link)?;
            tell(arguments, "wireguard", &format!("{info:?}"))
        }
        word => Err(invalid(&format!("unknown word wireguard.{word}"))),
    }
}

fn peer(arguments: &mut Arguments<'_>) -> Result<Peer, Error> {
    let public_key = arguments.word()?.to_owned();
    let address = arguments.optional()?.map(str::to_owned);
    let port = arguments.number()?;
    Ok(Peer {
        public_key,
        endpoint: address.map(|address| Endpoint { address, port }),
        preshared_key: arguments.optional()?.map(str::to_owned),
        keepalive: Some(arguments.number()?),
        allowed_ips: arguments
            .rest()
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
    })
}
