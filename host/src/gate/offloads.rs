//! The interface `offloads`.

use wasmtime::component::Resource;

use super::perform::{CallError, Plan};
use super::{Gate, Kernel, LinkHandle};
use crate::driver::wit::offloads::{Feature, Host};
use crate::grant::Call;
use crate::journal::{Change, Journal};

impl Host for Gate {
    fn set(
        &mut self,
        link: Resource<LinkHandle>,
        feature: String,
        on: bool,
    ) -> Result<(), CallError> {
        let link = self.link(&link)?;
        let is_known = self.owns(&link) || self.has_before(&link, &feature);
        let plan = |kernel: &mut dyn Kernel| {
            if is_known {
                return Ok(Plan::nothing());
            }
            let before = kernel.feature(link.id, &feature)?;
            Ok(Plan::of([Change::SetFeature {
                link: link.id,
                name: link.name.clone(),
                feature: feature.clone(),
                before: before.wanted,
            }]))
        };
        let objects = [self.object(&link)];
        self.change(Call::OffloadsSet, &objects, plan, |kernel| {
            kernel.set_feature(link.id, &feature, on)
        })
    }

    fn list(&mut self, link: Resource<LinkHandle>) -> Result<Vec<Feature>, CallError> {
        let link = self.link(&link)?;
        let objects = [self.object(&link)];
        let features = self.read(Call::OffloadsList, &objects, |kernel| {
            kernel.features(link.id)
        })?;
        let features = features.into_iter();
        Ok(features
            .map(|feature| Feature {
                name: feature.name,
                on: feature.on,
                changeable: feature.changeable,
            })
            .collect())
    }
}

impl Gate {
    /// Whether the journal knows how a feature was before this driver came. A
    /// second entry would know a value of the driver's own, which must not win
    /// where undoing is done in several attempts.
    fn has_before(&self, of: &LinkHandle, its: &str) -> bool {
        let entries = self.journal.iter().flat_map(Journal::entries);
        entries
            .filter_map(|entry| match &entry.change {
                Change::SetFeature {
                    link,
                    name,
                    feature,
                    ..
                } => Some((link, name, feature)),
                _ => None,
            })
            .any(|(link, name, feature)| (*link, name) == (of.id, &of.name) && feature == its)
    }
}
