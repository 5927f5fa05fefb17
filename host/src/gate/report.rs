//! Reading the answer to `setup` back from the kernel.

use super::Gate;
use crate::kernel::{KernelError, LinkId};
use crate::net::Namespace;
use crate::request::LinkReport;

impl Gate {
    /// The driver's own links in the container, as the kernel has them. VRFs
    /// aren't interfaces of the container: they are left out.
    pub fn report(&mut self) -> Result<Vec<LinkReport>, KernelError> {
        let Some(journal) = &self.journal else {
            return Ok(Vec::new());
        };
        let links: Vec<LinkId> = journal
            .own_links()
            .map(|(link, _)| link)
            .filter(|link| link.namespace == Namespace::Container)
            .collect();
        links
            .into_iter()
            .filter_map(|link| self.report_link(link).transpose())
            .collect()
    }

    fn report_link(&mut self, link: LinkId) -> Result<Option<LinkReport>, KernelError> {
        let kernel = self.guard.for_host();
        let info = kernel.link_info(link)?;
        if info.kind.as_deref() == Some("vrf") {
            return Ok(None);
        }
        let addresses = kernel.addresses(link)?;
        Ok(Some(LinkReport {
            name: info.state.name,
            mac: info.state.mac,
            addresses: addresses
                .into_iter()
                .filter(|address| !address.link_scope)
                .map(|address| address.address)
                .collect(),
        }))
    }
}
