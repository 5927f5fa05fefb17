//! Reading links.

use kernel::{
    InventoryRead, KernelError, LinkId, LinkInfo, LinkState, LinksRead, PlacedLink, Survey,
    SurveyedLink,
};
use nix::errno::Errno;
use types::{LinkName, Namespace};

use super::Simulation;

impl LinksRead for Simulation {
    fn link_by_name(
        &mut self,
        namespace: Namespace,
        name: &LinkName,
    ) -> Result<LinkState, KernelError> {
        let machine = self.in_time()?;
        let link = machine.by_name(namespace, name).ok_or(Errno::ENODEV)?;
        Ok(machine.state(link))
    }

    fn link_by_id(&mut self, link: LinkId) -> Result<LinkState, KernelError> {
        let machine = self.in_time()?;
        let (_, link) = machine.find(link)?;
        Ok(machine.state(link))
    }

    fn link_info(&mut self, link: LinkId) -> Result<LinkInfo, KernelError> {
        let machine = self.in_time()?;
        let (number, link) = machine.find(link)?;
        Ok(machine.info(number, link))
    }

    fn links(
        &mut self,
        namespace: Namespace,
        master: Option<u32>,
    ) -> Result<Vec<LinkState>, KernelError> {
        let machine = self.in_time()?;
        let links = machine.links_of(namespace).into_iter();
        let mut states: Vec<LinkState> = links.map(|link| machine.state(link)).collect();
        states.retain(|state| master.is_none() || state.master == master);
        Ok(states)
    }

    fn placed_links(&mut self, namespace: Namespace) -> Result<Vec<PlacedLink>, KernelError> {
        let machine = self.in_time()?;
        let links = machine.links_of(namespace).into_iter();
        Ok(links.map(|link| machine.placed(link)).collect())
    }
}

impl InventoryRead for Simulation {
    fn survey(&mut self, namespace: Namespace) -> Result<Survey, KernelError> {
        self.in_time()?.survey(namespace)
    }

    fn tied_links(&mut self, namespace: Namespace) -> Result<Vec<SurveyedLink>, KernelError> {
        Ok(self.in_time()?.survey(namespace)?.links)
    }
}
