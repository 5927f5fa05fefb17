//! Features of links.

use kernel::{Feature, KernelError, LinkId, Offloads, OffloadsRead, find_feature};
use nix::errno::Errno;
use types::Namespace;

use super::Simulation;
use super::link::{Link, Number};
use super::machine::Machine;

impl OffloadsRead for Simulation {
    fn features(&mut self, link: LinkId) -> Result<Vec<Feature>, KernelError> {
        self.in_time()?.features(link)
    }

    fn feature(&mut self, link: LinkId, name: &str) -> Result<Feature, KernelError> {
        self.in_time()?.feature(link, name)
    }
}

impl Offloads for Simulation {
    fn set_feature(&mut self, at: LinkId, name: &str, on: bool) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let before = machine.feature(at, name)?;
        if before.on == on && (before.wanted == on || !before.changeable) {
            return Ok(());
        }
        if !before.changeable {
            return Err(KernelError::Refused {
                errno: Errno::EOPNOTSUPP,
                text: format!("{name}: this link doesn't let it be changed"),
            });
        }
        machine.assume("nothing stands against the features that are set".to_owned());
        machine.want_feature(at, name, on)
    }

    fn want_feature(&mut self, link: LinkId, name: &str, on: bool) -> Result<(), KernelError> {
        self.in_time()?.want_feature(link, name, on)
    }
}

impl Machine {
    pub(super) fn features(&mut self, at: LinkId) -> Result<Vec<Feature>, KernelError> {
        let (number, link) = self.find(at)?;
        if let Some(features) = &link.features {
            return Ok(features.clone());
        }
        if let Some(real) = link.real() {
            return self.reader.features(real);
        }
        let kind = link.kind().to_owned();
        let alike = self.links.values().filter(|other| other.kind() == kind);
        let alike = alike.filter_map(Link::real).next();
        let (like, any) = match alike {
            Some(real) => (Some(real), "others of its kind"),
            None => (self.loopback(), "the loopback link"),
        };
        let name = self.name_of(number);
        self.assume(format!("{name} has the features of {any}"));
        match like {
            Some(real) => self.reader.features(real),
            None => Err(Errno::EOPNOTSUPP.into()),
        }
    }

    fn loopback(&self) -> Option<LinkId> {
        let links = self.links_of(Namespace::Host).into_iter();
        links
            .filter(|link| link.state.name.as_str() == "lo")
            .find_map(Link::real)
    }

    fn name_of(&self, number: Number) -> String {
        let link = self.links.get(&number);
        let name = link.map(|link| format!("{}:{}", link.at.namespace, link.state.name));
        name.unwrap_or_default()
    }

    pub(super) fn feature(&mut self, at: LinkId, name: &str) -> Result<Feature, KernelError> {
        find_feature(self.features(at)?, name)
    }

    pub(super) fn want_feature(
        &mut self,
        at: LinkId,
        name: &str,
        on: bool,
    ) -> Result<(), KernelError> {
        let mut features = self.features(at)?;
        let mut all = features.iter_mut();
        if let Some(feature) = all.find(|feature| feature.name == name && feature.changeable) {
            (feature.on, feature.wanted) = (on, on);
        }
        let (number, _) = self.find(at)?;
        self.edit(number, |link| link.features = Some(features));
        Ok(())
    }
}
