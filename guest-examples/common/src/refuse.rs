//! What drivers can't do: it's refused rather than dropped.

use crate::types::{Error, OptionValue, Request};

/// An option of netavark's bridge, and one of CNI's in netavark's spelling.
const OPTIONS: &[&str] = &["isolate", "mac_spoof_check"];

/// Refuses options that need firewall rules which no driver makes yet.
pub fn refuse_firewall_options(options: &[OptionValue]) -> Result<(), Error> {
    match options.iter().find(|o| OPTIONS.contains(&o.key.as_str())) {
        None => Ok(()),
        Some(option) => Err(Error::Unsupported(format!(
            "option {} needs firewall rules, which this driver doesn't make yet: without it, \
             nothing is isolated or checked",
            option.key
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
    fn each_option_is_refused_by_its_name() {
        for key in OPTIONS {
            let option = OptionValue {
                key: (*key).to_owned(),
                value: "false".to_owned(),
            };
            let error = refuse_firewall_options(&[option]).unwrap_err();
            let Error::Unsupported(text) = error else {
                panic!("{error}");
            };
            assert!(text.starts_with(&format!("option {key} needs")), "{text}");
        }
        assert!(refuse_firewall_options(&[]).is_ok());
    }
}
