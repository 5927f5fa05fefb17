//! aardvark-dns, the DNS server of Podman's networks. It has a file for each network in
//! its folder, in a form of its own, and reads them again on SIGHUP. netavark writes the
//! files of its own networks in the same folder (`src/dns/aardvark.rs` of netavark 2.1).

mod aardvark;
mod file;
mod process;
mod start;

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use types::ContainerId;

use crate::Relayed;

pub use aardvark::{Aardvark, AardvarkConfig};

/// The search domain of containers whose names are served, as in netavark.
pub const SEARCH_DOMAIN: &str = "dns.podman";
/// The longest name, in bytes: that of a domain (RFC 1035, section 2.3.4).
const NAME_MAX: usize = 253;

/// Registers containers at the DNS server.
pub trait Dns {
    /// Adds a container to its network's file, and starts the server or has it read the
    /// files. A container that is there already is replaced.
    ///
    /// # Errors
    ///
    /// A file can't be written, or the server doesn't start. The container may be in the
    /// file then: it must be withdrawn.
    fn register(&mut self, registration: &Registration) -> Result<Served, DnsError>;

    /// Removes a container from its network's file, and has the server read the files.
    /// The last one takes the file along, and without files the server ends.
    ///
    /// # Errors
    ///
    /// A file can't be written.
    fn withdraw(&mut self, record: &DnsRecord) -> Result<(), DnsError>;
}

/// A name that the server's files can hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DnsName(String);

impl TryFrom<String> for DnsName {
    type Error = DnsError;

    fn try_from(name: String) -> Result<Self, DnsError> {
        Self::parse(&name)
    }
}

impl From<DnsName> for String {
    fn from(name: DnsName) -> Self {
        name.0
    }
}

impl DnsName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// The name is empty or too long, or a character would end it in the file.
    pub fn parse(name: &str) -> Result<Self, DnsError> {
        let ends = |c: char| c == ',' || c.is_whitespace() || c.is_control();
        match !name.is_empty() && name.len() <= NAME_MAX && !name.contains(ends) {
            true => Ok(Self(name.to_owned())),
            false => Err(DnsError::Name(types::text::plain(&types::text::shortened(
                name, NAME_MAX,
            )))),
        }
    }

    fn as_str(&self) -> &str {
        &self.0
    }
}

/// A container's entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Where it stands.
    pub record: DnsRecord,
    /// The addresses of the host at which the server answers the network's containers.
    pub listen: Vec<IpAddr>,
    /// The servers that it forwards the network's other questions to, or none for those
    /// of the host.
    pub forward_to: Vec<IpAddr>,
    /// The container's addresses.
    pub addresses: Vec<IpAddr>,
    /// The container's names.
    pub names: Vec<DnsName>,
}

/// The place of a container's entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnsRecord {
    /// The server's folder.
    pub folder: PathBuf,
    /// The network's name.
    pub network: String,
    /// Whether the network is internal. The server forwards none of its questions.
    pub internal: bool,
    /// The container.
    pub container: ContainerId,
}

/// Whether a registered container's names can be looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Served {
    /// They can.
    Here,
    /// The server runs in another network namespace than the host's, where it can't be
    /// reached.
    Elsewhere,
}

/// Why a container's names can't be registered or withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// A name can't stand in the server's files.
    #[error(
        "aardvark-dns can't serve the name {0:?}: give it 1 to {NAME_MAX} characters, without \
         commas and white space"
    )]
    Name(String),
    /// The network's name is that of one of the server's own files.
    #[error("aardvark-dns has a file of its own by the name {0}: give the network another name")]
    Reserved(String),
    /// The server would ask itself.
    #[error(
        "network DNS server {server} matches the gateway of network {network:?}; using it would \
         cause aardvark-dns to forward queries to itself"
    )]
    Loop {
        /// The name server.
        server: IpAddr,
        /// The network.
        network: String,
    },
    /// A file or folder can't be used.
    #[error("{path}: {error}; aardvark-dns's files must be writable by this user alone")]
    Io {
        /// The file or folder.
        path: String,
        /// The cause.
        error: String,
    },
    /// A file has another form than netavark's.
    #[error("{path} is no file of aardvark-dns: {what}; remove it once no container uses it")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The server didn't start.
    #[error("aardvark-dns failed to start: {0}")]
    Start(String),
    /// Somebody else holds the lock of the server's files.
    #[error(
        "another process holds aardvark.lock, the lock of aardvark-dns's files: `lslocks` shows which"
    )]
    Locked,
    /// The error of another process, which uses the server in this one's place.
    #[error(transparent)]
    Relayed(#[from] Relayed),
}
