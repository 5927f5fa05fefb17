//! CNI's networks that share a bridge.

use std::collections::BTreeMap;

use super::Plan;

/// Gives each network its own bridge, if CNI has several on one bridge. The first network
/// keeps the bridge's name.
pub(crate) fn part_bridges(plans: &mut [&mut Plan]) {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    for plan in plans.iter_mut() {
        let is_managed = plan.is_of("wasm-bridge") && plan.find_option("mode").is_none();
        let Some(bridge) = plan.find_option("parent").filter(|_| is_managed) else {
            continue;
        };
        let bridge = bridge.to_owned();
        let Some(owner) = owners.get(&bridge) else {
            owners.insert(bridge, plan.network.clone());
            continue;
        };
        let text = format!(
            "network {owner} has bridge {bridge}, and a bridge belongs to one network here; \
             instead this network has its own bridge, and its containers are not on a link with \
             those of {owner}"
        );
        plan.drop_option("parent");
        plan.no_counterpart("bridge", &text);
    }
}
