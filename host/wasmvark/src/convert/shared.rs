//! Networks that share something.

use std::collections::BTreeMap;

use super::Plan;

/// Gives networks that CNI puts on the same bridge bridges of their own: the
/// first keeps the name.
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
             instead this network has one of its own, so its containers are no neighbours of \
             {owner}'s"
        );
        plan.drop_option("parent");
        plan.no_counterpart("bridge", &text);
    }
}
