//! Why a call on the bus failed, before it is known what the call was for.

use types::text::{plain, shortened};
use zbus::{DBusError, fdo};

use super::FirewalldError;

/// The error of firewalld's own refusals (firewalld.dbus(5)).
const EXCEPTION: &str = "org.fedoraproject.FirewallD1.Exception";
/// The errors of the bus if the called process has gone (D-Bus specification, "Message
/// bus messages").
const GONE: [&str; 4] = [
    "org.freedesktop.DBus.Error.Disconnected",
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.NoReply",
    "org.freedesktop.DBus.Error.ServiceUnknown",
];
/// The longest text from outside in an error, in bytes.
const TEXT_MAX: usize = 400;

/// Why a call failed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The deadline passed.
    Deadline,
    /// The connection ended.
    Lost,
    /// The called process or the bus answered with an error.
    Refused {
        /// The error's name.
        name: String,
        /// The error's text, which may be empty.
        text: String,
    },
    /// The answer isn't as documented, as this clause says.
    Answer(&'static str),
    /// The library failed.
    Library(String),
}

impl Fault {
    /// Returns the code of firewalld's refusal, such as `ZONE_CONFLICT`
    /// (firewalld.dbus(5)).
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { name, text } if name == EXCEPTION => {
                Some(text.split_once(':').map_or(text.as_str(), |(code, _)| code))
            }
            _ => None,
        }
    }

    /// Says which action failed. The action begins with a verb.
    pub(super) fn during(self, action: impl Into<String>) -> FirewalldError {
        let action = action.into();
        match self {
            Self::Deadline => FirewalldError::Deadline { action },
            Self::Lost => FirewalldError::Lost { action },
            Self::Refused { name, .. } if GONE.contains(&name.as_str()) => {
                FirewalldError::Gone { action }
            }
            Self::Refused { name, text } if name == EXCEPTION => {
                let text = shown(&text);
                FirewalldError::Refused { action, text }
            }
            Self::Refused { name, text } => {
                let text = shown(&format!("{name}: {text}"));
                FirewalldError::Refused { action, text }
            }
            Self::Answer(fault) => FirewalldError::Answer {
                action,
                fault: fault.to_owned(),
            },
            Self::Library(fault) => FirewalldError::Answer {
                action,
                fault: shown(&fault),
            },
        }
    }
}

impl From<zbus::Error> for Fault {
    fn from(error: zbus::Error) -> Self {
        match error {
            zbus::Error::MethodError(name, text, _) => Self::Refused {
                name: name.to_string(),
                text: text.unwrap_or_default(),
            },
            zbus::Error::FDO(error) => from_standard(&error),
            zbus::Error::InputOutput(_) => Self::Lost,
            error => Self::Library(error.to_string()),
        }
    }
}

/// Reads one of the errors that the D-Bus specification names.
fn from_standard(error: &fdo::Error) -> Fault {
    match error {
        fdo::Error::ZBus(error) => Fault::Library(error.to_string()),
        error => Fault::Refused {
            name: error.name().to_string(),
            text: error.description().unwrap_or_default().to_owned(),
        },
    }
}

/// Makes a text from outside safe to show.
pub(super) fn shown(text: &str) -> String {
    plain(&shortened(text, TEXT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, text: &str) -> Fault {
        Fault::Refused {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn only_firewalld_refuses_with_a_code() {
        let code = |name, text| refused(name, text).code().map(str::to_owned);
        assert_eq!(
            code(EXCEPTION, "ZONE_CONFLICT: 'x'").unwrap(),
            "ZONE_CONFLICT"
        );
        assert_eq!(code(EXCEPTION, "PANIC_MODE").unwrap(), "PANIC_MODE");
        assert_eq!(
            code("org.freedesktop.DBus.Error.Failed", "NOT_ENABLED"),
            None
        );
    }

    #[test]
    fn a_refusal_is_shown_short_and_plain() {
        let text = format!("INVALID_ADDR: \u{1b}[2J{}", "x".repeat(10_000));
        let error = refused(EXCEPTION, &text).during("add it").to_string();
        assert!(error.starts_with("can't add it: firewalld refused with INVALID_ADDR: "));
        assert!(!error.contains('\u{1b}') && error.len() < 600, "{error}");
    }

    #[test]
    fn a_process_that_left_is_no_refusal() {
        for name in GONE {
            let error = refused(name, "").during("add it");
            assert!(matches!(error, FirewalldError::Gone { .. }), "{error}");
        }
    }
}
