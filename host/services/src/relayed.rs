//! Errors of services that come from another process.

use serde::{Deserialize, Serialize};

use crate::dhcp::DhcpError;
use crate::dns::DnsError;
use crate::firewalld::FirewalldError;

/// An error of a service that another process has asked. It has the text of the error
/// there, and the same answers to what callers ask of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Relayed {
    text: String,
    cause: RelayedCause,
}

/// The cause of an error, as far as callers decide by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RelayedCause {
    /// The service isn't there, or went meanwhile. It did nothing.
    Absent,
    /// The service didn't answer in time.
    Late,
    /// The other process refused to ask the service.
    Refused,
    /// The service refused, or nobody knows what it did.
    Other,
}

impl Relayed {
    /// Makes an error from its text.
    pub fn new(text: String, cause: RelayedCause) -> Self {
        Self { text, cause }
    }

    /// Whether the service was never asked.
    pub fn is_unasked(&self) -> bool {
        matches!(self.cause, RelayedCause::Absent | RelayedCause::Refused)
    }

    /// Whether the service isn't there, or went meanwhile.
    pub fn is_absence(&self) -> bool {
        self.cause == RelayedCause::Absent
    }

    /// Whether the service didn't answer in time.
    pub fn is_late(&self) -> bool {
        self.cause == RelayedCause::Late
    }
}

impl From<DnsError> for Relayed {
    fn from(error: DnsError) -> Self {
        match error {
            DnsError::Relayed(error) => error,
            error => Self::new(error.to_string(), RelayedCause::Other),
        }
    }
}

impl From<DhcpError> for Relayed {
    fn from(error: DhcpError) -> Self {
        let cause = match error.is_unasked() {
            true => RelayedCause::Absent,
            false => RelayedCause::Other,
        };
        match error {
            DhcpError::Relayed(error) => error,
            error => Self::new(error.to_string(), cause),
        }
    }
}

impl From<FirewalldError> for Relayed {
    fn from(error: FirewalldError) -> Self {
        let cause = match (error.is_absence(), error.is_late()) {
            (true, _) => RelayedCause::Absent,
            (false, true) => RelayedCause::Late,
            (false, false) => RelayedCause::Other,
        };
        match error {
            FirewalldError::Relayed(error) => error,
            error => Self::new(error.to_string(), cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use super::*;

    fn firewalld() -> Vec<FirewalldError> {
        let action = || "add it".to_owned();
        vec![
            FirewalldError::Bus {
                address: "unix:path=/bus".to_owned(),
                cause: "it hung up".to_owned(),
            },
            FirewalldError::Deadline { action: action() },
            FirewalldError::Lost { action: action() },
            FirewalldError::Gone { action: action() },
            FirewalldError::Refused {
                action: action(),
                text: "INVALID_ADDR".to_owned(),
            },
            FirewalldError::Conflict {
                subnet: "10.88.0.0/16".parse().unwrap(),
                zone: "home".to_owned(),
            },
        ]
    }

    fn dhcp() -> Vec<DhcpError> {
        let socket = || PathBuf::from("/proxy.sock");
        vec![
            DhcpError::Unreachable {
                socket: socket(),
                error: io::ErrorKind::NotFound.into(),
                rootless: false,
            },
            DhcpError::NetnsPath {
                path: "self".into(),
            },
            DhcpError::Deadline { socket: socket() },
            DhcpError::Broken {
                socket: socket(),
                error: "it broke".to_owned(),
            },
        ]
    }

    /// Sends an error through JSON, as another process would.
    fn sent(error: &Relayed) -> Relayed {
        serde_json::from_str(&serde_json::to_string(error).unwrap()).unwrap()
    }

    #[test]
    fn an_error_of_firewalld_says_the_same_from_another_process() {
        for error in firewalld() {
            let (text, asked) = (error.to_string(), (error.is_absence(), error.is_late()));
            let relayed = FirewalldError::from(sent(&error.into()));
            assert_eq!(relayed.to_string(), text);
            assert_eq!((relayed.is_absence(), relayed.is_late()), asked, "{text}");
        }
    }

    #[test]
    fn an_error_of_the_proxy_says_the_same_from_another_process() {
        for error in dhcp() {
            let (text, is_unasked) = (error.to_string(), error.is_unasked());
            let relayed = DhcpError::from(sent(&error.into()));
            assert_eq!(relayed.to_string(), text);
            assert_eq!(relayed.is_unasked(), is_unasked, "{text}");
        }
    }

    #[test]
    fn an_error_of_the_server_says_the_same_from_another_process() {
        let relayed = DnsError::from(sent(&DnsError::Locked.into()));
        assert_eq!(relayed.to_string(), DnsError::Locked.to_string());
    }

    #[test]
    fn what_the_other_process_refuses_was_not_asked() {
        let refused = Relayed::new("no".to_owned(), RelayedCause::Refused);
        assert!(DhcpError::from(refused.clone()).is_unasked());
        assert!(!FirewalldError::from(refused).is_absence());
    }
}
