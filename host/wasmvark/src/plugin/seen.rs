//! What is on this machine, for a case that is recorded.

use std::path::Path;
use std::time::Instant;

use kernel::{
    AddressState, AddressesRead, FoundRoute, InventoryRead, LinkId, Netlink, Netns, SurveyedLink,
    Timed,
};
use types::Namespace;

use super::PluginError;
use super::plan::READING_TIME;

/// The namespaces of a run.
pub(crate) struct Seen {
    pub(crate) host: SeenNamespace,
    pub(crate) container: SeenNamespace,
}

/// The links of a namespace with their addresses, and its routes.
#[derive(Default)]
pub(crate) struct SeenNamespace {
    pub(crate) links: Vec<(SurveyedLink, Vec<AddressState>)>,
    pub(crate) routes: Vec<FoundRoute>,
}

/// Reads the present namespace, and a container's if it's given. Nothing is changed.
///
/// # Errors
///
/// A namespace can't be entered, or the kernel doesn't say what is there.
pub(crate) fn see(container: Option<&Path>) -> Result<Seen, PluginError> {
    let host = Netns::current()?;
    let inside = container.map(|path| Netns::container(path, &host));
    let inside = inside.transpose()?;
    let has_container = inside.is_some();
    let mut kernel = Netlink::open(host, inside)?;
    kernel.set_deadline(Instant::now() + READING_TIME);
    let mut read = |namespace| read(&mut kernel, namespace).map_err(PluginError::Reading);
    Ok(Seen {
        host: read(Namespace::Host)?,
        container: match has_container {
            true => read(Namespace::Container)?,
            false => SeenNamespace::default(),
        },
    })
}

fn read(kernel: &mut Netlink, namespace: Namespace) -> Result<SeenNamespace, kernel::KernelError> {
    let survey = kernel.survey(namespace)?;
    let mut links = Vec::new();
    for link in survey.links {
        let id = LinkId {
            namespace,
            index: link.info.state.index,
        };
        let addresses = kernel.addresses(id)?;
        links.push((link, addresses));
    }
    Ok(SeenNamespace {
        links,
        routes: survey.routes,
    })
}
