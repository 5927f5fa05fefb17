//! The calls of `firewall`.
//!
//! - `firewall.masquerade SOURCE [EXCEPT…]`
//! - `firewall.source-address SOURCE ADDRESS [EXCEPT…]`
//! - `firewall.publish HANDLE ADDRESS [PORT…]`, where a port is
//!   `[HOST-ADDRESS@]HOST-PORT[-LAST]:CONTAINER-PORT/PROTOCOL`
//! - `firewall.isolate HANDLE never|normal|strict`
//! - `firewall.spoof-check HANDLE MAC`
//! - `firewall.accept incoming|outgoing ADDRESS PEER|- PROTOCOL|- [FIRST-LAST…]`
//! - `firewall.drop …`, the same

use wasmvark_guest::firewall::{self, Direction, Isolation, PortRange, Traffic};
use wasmvark_guest::links::Link;
use wasmvark_guest::types::{Error, Port, Protocol};

use crate::arguments::{Arguments, invalid, number};
use crate::calls::handle;

pub(crate) fn run(
    function: &str,
    arguments: &mut Arguments<'_>,
    handles: &[Link],
) -> Result<(), Error> {
    match function {
        "masquerade" => {
            let source = arguments.word()?;
            firewall::masquerade(source, &words(arguments))
        }
        "source-address" => {
            let (source, address) = (arguments.word()?, arguments.word()?);
            firewall::source_address(source, &words(arguments), address)
        }
        "publish" => {
            let (link, address) = (handle(arguments, handles)?, arguments.word()?);
            let ports = words(arguments);
            let ports: Result<Vec<_>, _> = ports.iter().map(|port| ports_of(port)).collect();
            firewall::publish(link, &ports?.concat(), address)
        }
        "isolate" => {
            let link = handle(arguments, handles)?;
            let isolation = match arguments.word()? {
                "never" => Isolation::Never,
                "normal" => Isolation::Normal,
                "strict" => Isolation::Strict,
                word => return Err(invalid(&format!("no isolation: {word}"))),
            };
            firewall::isolate(link, isolation)
        }
        "spoof-check" => {
            let link = handle(arguments, handles)?;
            firewall::spoof_check(link, arguments.word()?)
        }
        "accept" => firewall::accept(&traffic(arguments)?),
        "drop" => firewall::drop(&traffic(arguments)?),
        word => Err(invalid(&format!("unknown word firewall.{word}"))),
    }
}

fn traffic(arguments: &mut Arguments<'_>) -> Result<Traffic, Error> {
    let direction = match arguments.word()? {
        "incoming" => Direction::Incoming,
        "outgoing" => Direction::Outgoing,
        word => return Err(invalid(&format!("no direction: {word}"))),
    };
    let address = arguments.word()?.to_owned();
    let peer = Some(arguments.word()?).filter(|word| *word != "-");
    let protocol = match arguments.word()? {
        "-" => None,
        name => Some(protocol_of(name)?),
    };
    let ports = words(arguments);
    let ports: Result<Vec<_>, _> = ports.iter().map(|range| range_of(range)).collect();
    Ok(Traffic {
        direction,
        address,
        peer: peer.map(str::to_owned),
        protocol,
        ports: ports?,
    })
}

fn range_of(word: &str) -> Result<PortRange, Error> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    Ok(PortRange {
        first: number(first)?,
        last: number(last)?,
    })
}

fn protocol_of(name: &str) -> Result<Protocol, Error> {
    match name {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        "sctp" => Ok(Protocol::Sctp),
        _ => Err(invalid(&format!("no protocol: {name}"))),
    }
}

/// All that's left.
fn words(arguments: &mut Arguments<'_>) -> Vec<String> {
    let words = arguments.rest().split_whitespace();
    words.map(str::to_owned).collect()
}

/// The ports of a word.
fn ports_of(word: &str) -> Result<Vec<Port>, Error> {
    let wrong = || invalid(&format!("no port: {word}"));
    let (host_address, rest) = match word.split_once('@') {
        Some((address, rest)) => (Some(address.to_owned()), rest),
        None => (None, word),
    };
    let (numbers, protocol) = rest.split_once('/').ok_or_else(wrong)?;
    let (host, container) = numbers.split_once(':').ok_or_else(wrong)?;
    let (first, last) = host.split_once('-').unwrap_or((host, host));
    let (first, last): (u16, u16) = (number(first)?, number(last)?);
    let container: u16 = number(container)?;
    let protocol = protocol_of(protocol)?;
    let ports = (first..=last).zip(container..);
    Ok(ports
        .map(|(host_port, container_port)| Port {
            host_address: host_address.clone(),
            host_port,
            container_port,
            protocol,
        })
        .collect())
}
