//! What needs firewall rules, which no driver makes yet: it's refused rather
//! than dropped.

use crate::types::{Error, OptionValue, Request};

/// Options of netavark's bridge, and those of CNI's in netavark's spelling.
const OPTIONS: &[&str] = &[
    "isolate",
    "mac_spoof_check",
    "masquerade",
    "outbound_addr4",
    "outbound_addr6",
];

/// Refuses options that need firewall rules.
pub fn refuse_firewall_options(options: &[OptionValue]) -> Result<(), Error> {
    match options.iter().find(|o| OPTIONS.contains(&o.key.as_str())) {
        None => Ok(()),
        Some(option) => Err(Error::Unsupported(format!(
            "option {} needs firewall rules, which this driver doesn't make yet: without it, \
             nothing is isolated, masqueraded or checked",
            option.key
        ))),
    }
}

/// Refuses published ports.
pub fn refuse_ports(request: &Request) -> Result<(), Error> {
    match request.ports.first() {
        None => Ok(()),
        Some(port) => Err(Error::Unsupported(format!(
            "port {} can't be published: that needs firewall rules, which the {} driver doesn't \
             make yet",
            port.host_port, request.network.driver
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
