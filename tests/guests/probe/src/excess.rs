//! More than any network needs.
//!
//! - `bomb COUNT KIB`: `firewall.masquerade` with so many exceptions, each a text of so
//!   many KiB, and all of them the same memory
//! - `pile COUNT TIMES masquerade SOURCE`, `pile COUNT TIMES drop ADDRESS`,
//!   `pile COUNT TIMES publish HANDLE ADDRESS`: a call with so many things in its list,
//!   made so many times; the result is the last one's
//! - `hoard COUNT LINK`: so many handles to a link of the host

use core::mem::ManuallyDrop;

use wasmvark_guest::firewall::{self, Direction, PortRange, Traffic};
use wasmvark_guest::links::{self, Link};
use wasmvark_guest::types::{Error, Namespace, Port, Protocol};

use crate::arguments::{Arguments, invalid};
use crate::calls::handle;

const KIB: usize = 1024;

/// Does what a line says whose word is one of these.
pub(crate) fn run(
    word: &str,
    arguments: &mut Arguments<'_>,
    handles: &mut Vec<Link>,
) -> Result<(), Error> {
    let count = arguments.read()?;
    match word {
        "bomb" => bomb(count, arguments.read()?),
        "hoard" => {
            let name = arguments.word()?;
            for _ in 0..count {
                handles.push(links::get(Namespace::Host, name)?);
            }
            Ok(())
        }
        _ => pile(count, arguments, handles),
    }
}

fn bomb(count: usize, kib: usize) -> Result<(), Error> {
    let mut text = ManuallyDrop::new("x".repeat(kib * KIB));
    let (start, length) = (text.as_mut_ptr(), text.len());
    let same = || {
        // SAFETY: the text is valid, is never dropped, and the copies, which aren't
        // either, are only read.
        unsafe { String::from_raw_parts(start, length, length) }
    };
    let copies: ManuallyDrop<Vec<String>> = ManuallyDrop::new((0..count).map(|_| same()).collect());
    firewall::masquerade("10.88.0.0/16", &copies)
}

fn pile(count: usize, arguments: &mut Arguments<'_>, handles: &[Link]) -> Result<(), Error> {
    let times: usize = arguments.read()?;
    let numbers = || (0..count).map(odd);
    let mut call: Box<dyn FnMut() -> Result<(), Error> + '_> = match arguments.word()? {
        "masquerade" => {
            let source = arguments.word()?;
            let except = vec!["203.0.113.0/24".to_owned(); count];
            Box::new(move || firewall::masquerade(source, &except))
        }
        "drop" => {
            let ports = numbers().map(|port| PortRange {
                first: port,
                last: port,
            });
            let traffic = Traffic {
                direction: Direction::Incoming,
                address: arguments.word()?.to_owned(),
                peer: None,
                protocol: Some(Protocol::Tcp),
                ports: ports.collect(),
            };
            Box::new(move || firewall::drop(&traffic))
        }
        "publish" => {
            let (link, address) = (handle(arguments, handles)?, arguments.word()?);
            let ports = numbers().map(|port| Port {
                host_address: None,
                host_port: port,
                container_port: 80,
                protocol: Protocol::Tcp,
            });
            let ports: Vec<_> = ports.collect();
            Box::new(move || firewall::publish(link, &ports, address))
        }
        word => return Err(invalid(&format!("nothing to pile up: {word}"))),
    };
    let mut result = Ok(());
    for _ in 0..times {
        result = call();
    }
    result
}

/// Ports of which no two are in a row, as far as there are enough.
fn odd(number: usize) -> u16 {
    u16::try_from((number * 2 + 1) % 65_536).unwrap_or(1)
}
