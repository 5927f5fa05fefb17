//! Reading the answer to `setup` back from the kernel.

use super::Gate;
use crate::kernel::{KernelError, LinkId};
use crate::net::Namespace;
use crate::request::LinkReport;

impl Gate {
    /// The driver's own links in the container, as the kernel has them.
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
            .map(|link| self.report_link(link))
            .collect()
    }

    fn report_link(&mut self, link: LinkId) -> Result<LinkReport, KernelError> {
        let kernel = self.guard.for_host();
        let state = kernel.link_by_id(link)?;
        let addresses = kernel.addresses(link)?;
        Ok(LinkReport {
            name: state.name,
            mac: state.mac,
            addresses: addresses
                .into_iter()
                .filter(|address| !address.link_scope)
                .map(|address| address.address)
                .collect(),
        })
    }
}
