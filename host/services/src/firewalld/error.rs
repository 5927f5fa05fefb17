//! Why firewalld wasn't reached or refused.

use ipnet::IpNet;

use crate::Relayed;

/// An error of a call to firewalld.
#[derive(Debug, thiserror::Error)]
pub enum FirewalldError {
    /// The address of the system bus isn't safe to use.
    #[error(
        "can't use the address {address:?} of the system bus, because it {fault}: unset \
         DBUS_SYSTEM_BUS_ADDRESS, or set it to unix:path=/PATH"
    )]
    Address {
        /// The address, shortened.
        address: String,
        /// The fault, with a verb first.
        fault: &'static str,
    },
    /// The bus refuses the connection, or its messages can't be read.
    #[error("can't talk to the system bus at {address}: {cause}: look at `systemctl status dbus`")]
    Bus {
        /// The address of the bus.
        address: String,
        /// The cause.
        cause: String,
    },
    /// Another user runs the bus.
    #[error(
        "the system bus at {address} belongs to user {user}, so it isn't used: root must run the \
         bus at DBUS_SYSTEM_BUS_ADDRESS"
    )]
    Foreign {
        /// The address of the bus.
        address: String,
        /// The user that opened the socket.
        user: u32,
    },
    /// No answer came in time.
    #[error(
        "can't {action}: no answer came in time: look at `systemctl status firewalld`, and try \
         again"
    )]
    Deadline {
        /// The action, with a verb first.
        action: String,
    },
    /// The bus ended the connection.
    #[error(
        "can't {action}: the system bus ended the connection: look at `systemctl status dbus`, \
         and try again"
    )]
    Lost {
        /// The action, with a verb first.
        action: String,
    },
    /// firewalld stopped or restarted since the connection was made.
    #[error("can't {action}: firewalld stopped or restarted meanwhile: try again")]
    Gone {
        /// The action, with a verb first.
        action: String,
    },
    /// firewalld refused.
    #[error("can't {action}: firewalld refused with {text}: look at `journalctl -u firewalld`")]
    Refused {
        /// The action, with a verb first.
        action: String,
        /// firewalld's answer, shortened.
        text: String,
    },
    /// Another zone than `trusted` has the subnet.
    #[error(
        "can't add {subnet} to firewalld's zone trusted: the zone {zone} has it as a source: if \
         the network may be trusted, run `firewall-cmd --zone={zone} --remove-source={subnet}`, \
         with --permanent too if the source is permanent"
    )]
    Conflict {
        /// The subnet.
        subnet: IpNet,
        /// The other zone.
        zone: String,
    },
    /// An answer isn't as firewalld documents it.
    #[error(
        "can't {action}: the answer is not as in firewalld.dbus(5), because {fault}: report it \
         with firewalld's version"
    )]
    Answer {
        /// The action, with a verb first.
        action: String,
        /// The fault, as a clause.
        fault: String,
    },
    /// The error of another process, which calls firewalld in this one's place.
    #[error(transparent)]
    Relayed(#[from] Relayed),
}

impl FirewalldError {
    /// Whether firewalld couldn't be asked, or went meanwhile. Otherwise it has answered, or
    /// nobody knows.
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::Conflict { .. }
            | Self::Answer { .. }
            | Self::Deadline { .. } => false,
            Self::Relayed(error) => error.is_absence(),
            _ => true,
        }
    }

    /// Whether firewalld didn't answer in time.
    pub fn is_late(&self) -> bool {
        match self {
            Self::Deadline { .. } => true,
            Self::Relayed(error) => error.is_late(),
            _ => false,
        }
    }

    /// Whether the process that was asked is no longer there.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Self::Gone { .. } | Self::Lost { .. })
    }
}
