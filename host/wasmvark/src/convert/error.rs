//! Errors of converting a document.

/// Why a CNI document can't be converted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConvertError {
    /// The document isn't a JSON object.
    #[error("the document is not a JSON object: {0}")]
    Json(String),
    /// The document has no name.
    #[error("the document has no name, and a network needs one: add \"name\": \"NAME\"")]
    NoName,
    /// Podman refuses the name.
    #[error(
        "Podman takes no network named {0:?}: change \"name\" to letters, digits, '_', '.' and \
         '-', with a letter or a digit first"
    )]
    Name(String),
    /// The name has another meaning in Podman.
    #[error(
        "Podman makes no network named {0:?}, because that name has another meaning: change \
         \"name\""
    )]
    ReservedName(String),
    /// The list of plugins is empty.
    #[error("the document has no plugins: write at least one into \"plugins\"")]
    NoPlugins,
    /// A plugin has no type.
    #[error("{0} has no type, so its plugin isn't known: add \"type\": \"PLUGIN\"")]
    NoType(String),
    /// The plugin wouldn't take the value either.
    #[error("{key}: {error}")]
    Value {
        /// The key, with those above it.
        key: String,
        /// The fault in the value.
        error: String,
    },
    /// The plugin isn't one of the reference plugins.
    #[error(
        "no driver replaces the plugin {0:?}: only CNI's reference plugins for Linux are known; \
         `wasmvark convert --help` lists them"
    )]
    UnknownPlugin(String),
    /// Podman sets `lo` up itself.
    #[error(
        "the plugin \"loopback\" needs no network, because Podman sets `lo` up in every container: \
         leave the plugin out"
    )]
    Loopback,
    /// The first plugin changes a link.
    #[error(
        "the plugin {0:?} changes the link of another plugin, and is the first one here: put it \
         into a list (\"plugins\") after the plugin that makes the link"
    )]
    NothingToChange(String),
    /// A further plugin makes a link.
    #[error(
        "the plugin {0:?} makes a link, and isn't the first one here: a network has one link for \
         each container, so write two networks, and give containers both (`--network ONE --network \
         TWO`)"
    )]
    SecondLink(String),
    /// netavark's DHCP proxy isn't CNI's daemon, so this is for the user to decide.
    #[error(
        "ipam \"dhcp\" isn't converted: for macvlan, make the network by hand (`podman network create \
         -d wasm-macvlan -o parent=LINK --ipam-driver dhcp NAME`); for others, write a range of \
         addresses that the server doesn't use (\"ipam\": {{\"type\": \"host-local\", \"subnet\": \
         …}}), or none (\"ipam\": {{}}) and run a DHCP client in the container"
    )]
    Dhcp,
    /// The ipam plugin isn't one of the reference plugins.
    #[error(
        "ipam {0:?} has no counterpart: use \"host-local\", with which Podman chooses addresses of \
         subnets, \"static\", with which each container is given addresses, or none (\"ipam\": {{}})"
    )]
    Ipam(String),
    /// No driver can do it.
    #[error("{key}: {text}")]
    Impossible {
        /// The key.
        key: &'static str,
        /// Why no driver can do it, and what to do.
        text: String,
    },
}
