//! What drivers can't do: it's refused rather than dropped.

use crate::types::{Error, Request};

/// Refuses published ports; `why` ends the error.
pub fn refuse_ports(request: &Request, why: &str) -> Result<(), Error> {
    match request.ports.first() {
        None => Ok(()),
        Some(port) => Err(Error::Unsupported(format!(
            "port {} can't be published: {why}",
            port.host_port
        ))),
    }
}
