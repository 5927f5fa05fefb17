//! The plugin `sbr`.

use crate::convert::ConvertError;
use crate::convert::keys::Keys;
use crate::convert::plan::Plan;

pub(super) fn apply(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.option("source_routing", true);
    if let Some(table) = keys.take::<u32>("table")? {
        plan.option("source_table", table);
    }
    Ok(())
}
