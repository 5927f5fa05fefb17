//! The netavark plugin protocol: the JSON documents, the four subcommands and the error
//! output.
//!
//! It is taken from the sources of netavark 1.4 to 2.1 (`plugin.rs`, `types.rs`), for
//! both generations of callers. Podman 4.5 to 5 runs `create` itself. In Podman 6,
//! netavark does.

mod document;
mod input;
mod network_change;
mod output;
mod overlay;
mod received;
mod unique;

pub use document::{
    LeaseRange, Network, NetworkOptions, PortMapping, Route, SetupDocument, Subnet,
};
pub use input::{Command, read_stdin};
pub use network_change::DocumentChange;
pub use output::{ANSWER_MAX, Info, NetAddress, NetInterface, StatusBlock, error_document};
pub use overlay::{NetworkDocument, OverlayError};
pub use received::Received;

/// Why a document couldn't be read.
#[derive(Debug, thiserror::Error)]
pub enum ProtocolError {
    /// Standard input failed.
    #[error("can't read the request from standard input: {0}")]
    Read(std::io::Error),
    /// The request is too large.
    #[error("the request is larger than {limit} bytes; no request of Podman's is")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The request is empty.
    #[error("no request on standard input: the caller must send one JSON document")]
    Empty,
    /// The request isn't JSON, or is another document.
    #[error("the request is not a valid {document} document: {error}")]
    Malformed {
        /// The expected document.
        document: &'static str,
        /// The parser's error, with line and column.
        error: serde_json::Error,
    },
    /// The request isn't text.
    #[error("the request is not a valid {document} document: it must be UTF-8: {error}")]
    NotUtf8 {
        /// The expected document.
        document: &'static str,
        /// The place of the first byte that isn't text.
        error: std::str::Utf8Error,
    },
    /// Another reader would take the key for a field.
    #[error(
        "Podman would take the network's key {key:?} for {known:?}, so its meaning is not clear: \
         write {known:?}, once"
    )]
    Alias {
        /// The key.
        key: String,
        /// The field that other readers take the key for.
        known: &'static str,
    },
    /// The subcommand is unknown.
    #[error("unknown subcommand: {0}; a netavark plugin knows create, setup, teardown and info")]
    UnknownCommand(String),
    /// The path of the namespace is missing.
    #[error("netns path argument is missing: {0} takes the path of the container's namespace")]
    MissingNetns(&'static str),
}
