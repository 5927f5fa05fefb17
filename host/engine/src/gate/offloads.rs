//! The interface `offloads`.

use journal::Change;
use policy::Call;
use wasmtime::component::Resource;

use super::call::{CallError, plan_for_foreign};
use super::links::others_have;
use super::{Gate, LinkHandle, bounds};
use crate::driver::wit::offloads::{Feature, Host};

impl Host for Gate {
    fn set(
        &mut self,
        link: Resource<LinkHandle>,
        feature: String,
        on: bool,
    ) -> Result<(), CallError> {
        let call = Call::OffloadsSet;
        bounds::FEATURE.text(call, &feature)?;
        let link = self.link(&link)?;
        let in_use = self.is_in_use_by_others(&link)?;
        let own = self.owns(&link) && !in_use;
        let plan = plan_for_foreign(&link, own, |kernel, link| {
            if in_use {
                return Err(others_have(link));
            }
            Ok(Change::SetFeature {
                link: link.id,
                name: link.name.clone(),
                feature: feature.clone(),
                before: kernel.feature(link.id, &feature)?.wanted,
            })
        });
        let objects = [self.object(&link)];
        self.change(call, &objects, plan, |kernel| {
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
