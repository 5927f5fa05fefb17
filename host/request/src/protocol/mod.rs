//! The netavark plugin protocol: the JSON documents, the four subcommands and
//! the error output. It knows nothing of WebAssembly or netlink.
//!
//! Facts come from the sources of netavark 1.4 to 2.1 (`plugin.rs`,
//! `types.rs`), for both generations of callers: Podman 4.5 to 5, which runs
//! `create` itself, and Podman 6, where netavark does.

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
    /// More than a request can sensibly hold.
    #[error("the request is larger than {limit} bytes; no request of Podman's is")]
    TooLarge {
        /// The bound in bytes.
        limit: usize,
    },
    /// Nothing came.
    #[error("no request on standard input: the caller must send one JSON document")]
    Empty,
    /// Not JSON, or JSON of another shape.
    #[error("the request is not a valid {document} document: {error}")]
    Malformed {
        /// Which document was expected.
        document: &'static str,
        /// What the parser says, with line and column.
        error: serde_json::Error,
    },
    /// It has bytes that are no text.
    #[error("the request is not a valid {document} document: it must be UTF-8: {error}")]
    NotUtf8 {
        /// Which document was expected.
        document: &'static str,
        /// Where.
        error: std::str::Utf8Error,
    },
    /// A key that isn't a field's own name.
    #[error(
        "the network's key {key:?} is one that Podman would take for {known:?}: what is meant by it \
         is not known, so write {known:?}, once"
    )]
    Alias {
        /// The key.
        key: String,
        /// The field that other readers take it for.
        known: &'static str,
    },
    /// The subcommand is unknown.
    #[error("unknown subcommand: {0}; a netavark plugin knows create, setup, teardown and info")]
    UnknownCommand(String),
    /// `setup` and `teardown` need a namespace.
    #[error("netns path argument is missing: {0} takes the path of the container's namespace")]
    MissingNetns(&'static str),
}
