//! What drivers can't do: it's refused rather than dropped.

use crate::find;
use crate::types::{Error, OptionValue, Request};

/// An option of CNI's bridge, in netavark's spelling.
const SPOOF_CHECK: &str = "mac_spoof_check";

/// Refuses the option whose firewall rules no driver makes yet.
pub fn refuse_spoof_check(options: &[OptionValue]) -> Result<(), Error> {
    match find(options, SPOOF_CHECK) {
        None => Ok(()),
        Some(_) => Err(Error::Unsupported(format!(
            "option {SPOOF_CHECK} needs firewall rules, which this driver doesn't make yet: without \
             it, nothing is checked"
        ))),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_is_not_made_is_refused() {
        let option = OptionValue {
            key: SPOOF_CHECK.to_owned(),
            value: "false".to_owned(),
        };
        let error = refuse_spoof_check(&[option]).unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{error}");
        assert!(refuse_spoof_check(&[]).is_ok());
    }
}
