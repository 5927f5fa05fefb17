//! The refusal of requests that a driver can't fulfil.

use crate::types::{Error, Request};

/// Refuses published ports. `why` is the end of the error text.
pub fn refuse_ports(request: &Request, why: &str) -> Result<(), Error> {
    match request.ports.first() {
        None => Ok(()),
        Some(port) => Err(Error::Unsupported(format!(
            "port {} can't be published: {why}",
            port.host_port
        ))),
    }
}
