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
        let machine = &mut *self.in_time()?;
        let mut links = Vec::new();
        for link in machine.links_of(namespace) {
            let (number, link) = machine.find(link.at)?;
            let (tie, is_pair) = match link.pair {
                Some(pair) => (Some(pair), true),
                None => (link.lower, false),
            };
            links.push(SurveyedLink {
                info: machine.info(number, link),
                tie: tie.and_then(|other| machine.tie_to(namespace, other, is_pair)),
                table: link.table,
                pci: link.pci.clone(),
                device: link.device.clone(),
            });
        }
        let routes = machine.room_ref(namespace).routes.clone();
        Ok(Survey { links, routes })
    }

    fn tied_links(&mut self, namespace: Namespace) -> Result<Vec<SurveyedLink>, KernelError> {
        Ok(self.in_time()?.survey(namespace)?.links)
    }
}
