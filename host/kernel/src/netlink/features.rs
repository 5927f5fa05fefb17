//! The features of links, over the family `ethtool`.

use nix::errno::Errno;
use rtnetlink::packet_core::NLM_F_ACK;

use super::Netlink;
use super::ethtool::{FeatureBit, FeaturesAttribute, FeaturesMessage};
use crate::{Feature, KernelError, LinkId, Offloads, OffloadsRead};

impl OffloadsRead for Netlink {
    fn features(&mut self, link: LinkId) -> Result<Vec<Feature>, KernelError> {
        let answers = self.generic(link.namespace, &FeaturesMessage::get(link.index), 0)?;
        let answer = answers.first().ok_or(Errno::EOPNOTSUPP)?;
        Ok(features(&answer.attributes))
    }

    fn feature(&mut self, link: LinkId, name: &str) -> Result<Feature, KernelError> {
        find(self.features(link)?, name)
    }
}

impl Offloads for Netlink {
    fn set_feature(&mut self, link: LinkId, feature: &str, on: bool) -> Result<(), KernelError> {
        let before = find(self.features(link)?, feature)?;
        if before.on == on && (before.wanted == on || !before.changeable) {
            return Ok(());
        }
        if !before.changeable {
            return Err(refused(feature, "this link doesn't let it be changed"));
        }
        self.want_feature(link, feature, on)?;
        let now = self
            .features(link)
            .and_then(|features| find(features, feature))
            .map_err(KernelError::unfinished)?;
        if now.on == on {
            return Ok(());
        }
        self.want_feature(link, feature, before.wanted)
            .map_err(KernelError::unfinished)?;
        let why = "the link's other features prevent the change";
        Err(refused(feature, why))
    }

    fn want_feature(&mut self, link: LinkId, feature: &str, on: bool) -> Result<(), KernelError> {
        let message = FeaturesMessage::set(link.index, feature, on);
        self.generic(link.namespace, &message, NLM_F_ACK).map(drop)
    }
}

/// Returns the features in an answer.
fn features(attributes: &[FeaturesAttribute]) -> Vec<Feature> {
    let (mut all, mut wanted, mut active, mut fixed) = Default::default();
    for attribute in attributes {
        match attribute {
            FeaturesAttribute::Hw(bits) => all = bits.as_slice(),
            FeaturesAttribute::Wanted(bits) => wanted = bits.as_slice(),
            FeaturesAttribute::Active(bits) => active = bits.as_slice(),
            FeaturesAttribute::NoChange(bits) => fixed = bits.as_slice(),
            FeaturesAttribute::Header(_) | FeaturesAttribute::Other(_) => {}
        }
    }
    let has =
        |bits: &[FeatureBit], name: &str| bits.iter().any(|bit| bit.value && bit.name == name);
    let features = all.iter().map(|bit| Feature {
        name: bit.name.clone(),
        on: has(active, &bit.name),
        wanted: has(wanted, &bit.name),
        changeable: bit.value && !has(fixed, &bit.name),
    });
    features.collect()
}

/// Finds a feature by its name.
pub fn find(features: Vec<Feature>, name: &str) -> Result<Feature, KernelError> {
    let mut features = features.into_iter();
    features
        .find(|feature| feature.name == name)
        .ok_or_else(|| {
            let text = format!("there is no feature {name:?}: `ethtool -k` lists them");
            KernelError::NotFound(text)
        })
}

fn refused(feature: &str, why: &str) -> KernelError {
    KernelError::Refused {
        errno: Errno::EOPNOTSUPP,
        text: format!("{feature}: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_of_each_feature_what_it_is() {
        let bit = |name: &str, value| FeatureBit {
            name: name.to_owned(),
            value,
        };
        let set = |names: &[&str]| names.iter().map(|name| bit(name, true)).collect();
        let answer = [
            FeaturesAttribute::Hw(vec![bit("a", true), bit("b", true), bit("c", false)]),
            FeaturesAttribute::Wanted(set(&["a"])),
            FeaturesAttribute::Active(set(&["a", "c"])),
            FeaturesAttribute::NoChange(set(&["b"])),
        ];
        let feature = |name: &str, on, wanted, changeable| Feature {
            name: name.to_owned(),
            on,
            wanted,
            changeable,
        };
        let expected = [
            feature("a", true, true, true),
            feature("b", false, false, false),
            feature("c", true, false, false),
        ];
        assert_eq!(features(&answer), expected);
    }
}
