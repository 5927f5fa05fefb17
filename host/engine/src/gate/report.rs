//! The answer to `setup`, read back from the kernel.

use kernel::{KernelError, LinkId};
use request::LinkReport;
use types::Namespace;

use super::Gate;

impl Gate {
    /// Reads the driver's own links in the container. VRFs and ifb links are left out:
    /// a VRF is a routing table, and an ifb link only shapes the packets of another
    /// link.
    pub fn report(&mut self) -> Result<Vec<LinkReport>, KernelError> {
        let Some(journal) = &self.rollback.journal else {
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
        let kernel = self.rollback.guard.for_host();
        let info = kernel.link_info(link)?;
        if matches!(info.kind.as_deref(), Some("vrf" | "ifb")) {
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
