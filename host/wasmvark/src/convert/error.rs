//! Why a document has no plan.

/// Why a CNI document can't be converted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConvertError {
    /// It isn't what CNI takes either.
    #[error("it is no JSON object: {0}")]
    Json(String),
    /// It has no name.
    #[error("it has no name, and a network needs one: write \"name\": \"NAME\" into it")]
    NoName,
    /// Podman takes no such name.
    #[error(
        "Podman takes no network named {0:?}: a name begins with a letter or a digit and goes on \
         with letters, digits, '_', '.' and '-'; change \"name\""
    )]
    Name(String),
    /// It means something else to Podman.
    #[error(
        "Podman makes no network named {0:?}: it has one by itself, or means something else by it; \
         change \"name\""
    )]
    ReservedName(String),
    /// It lists no plugins.
    #[error("it has no plugins: \"plugins\" is a list with at least one")]
    NoPlugins,
    /// A plugin without a type.
    #[error("{0} has no type, so it isn't known what it does: write \"type\": \"PLUGIN\" into it")]
    NoType(String),
    /// A value that the plugin wouldn't take either.
    #[error("{key}: {error}")]
    Value {
        /// The key, with those above it.
        key: String,
        /// What is wrong.
        error: String,
    },
    /// A plugin that isn't one of the reference plugins.
    #[error(
        "no driver does what the plugin {0:?} does: only CNI's reference plugins for Linux are \
         known here; `wasmvark convert --help` lists them"
    )]
    UnknownPlugin(String),
    /// Podman does it by itself.
    #[error(
        "the plugin \"loopback\" needs no network: Podman sets `lo` up in every container; leave \
         it out"
    )]
    Loopback,
    /// A plugin that changes links comes first.
    #[error(
        "the plugin {0:?} changes a link that another plugin made, and here it's the first: put \
         it into a list (\"plugins\") behind the plugin that makes the link"
    )]
    NothingToChange(String),
    /// Two plugins make links.
    #[error(
        "the plugin {0:?} makes a link of its own, and here it's not the first: a network has one \
         link for each container; make two networks of it, and give containers both \
         (`--network ONE --network TWO`)"
    )]
    SecondLink(String),
    /// Nothing here asks a DHCP server.
    #[error(
        "ipam \"dhcp\" has no counterpart, as no driver here asks a DHCP server: give it a range \
         of addresses that the server leaves alone (\"ipam\": {{\"type\": \"host-local\", \
         \"subnet\": …}}), or none (\"ipam\": {{}}) and run a DHCP client in the container"
    )]
    Dhcp,
    /// An address manager that isn't one of the reference plugins.
    #[error(
        "ipam {0:?} has no counterpart: Podman chooses addresses out of subnets, as \"host-local\" \
         does, takes those that each container is given, as \"static\" does, or none (\"ipam\": {{}})"
    )]
    Ipam(String),
    /// It can't be had.
    #[error("{key}: {text}")]
    Impossible {
        /// Which key asks for it.
        key: &'static str,
        /// Why it can't be had, and what to do.
        text: String,
    },
}
