//! The plugin `sbr`.

use crate::convert::ConvertError;
use crate::convert::keys::Keys;
use crate::convert::plan::Plan;

pub(super) fn apply(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    let table = keys.take::<u32>("table")?;
    if plan.is_of("wasm-vrf") {
        plan.no_counterpart("sbr", "the link is in a VRF, which has its own routes");
        return Ok(());
    }
    plan.option("source_routing", true);
    if let Some(table) = table {
        plan.option("source_table", table);
        plan.no_counterpart(
            "table",
            "with this key CNI adds rules only, for the routes that others add to that table; \
             instead the table gets the network's routes",
        );
    }
    Ok(())
}
