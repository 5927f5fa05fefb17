//! The plugin `vrf`.

use crate::convert::ConvertError;
use crate::convert::keys::Keys;
use crate::convert::plan::Plan;

pub(super) fn apply(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    if !plan.is_of("wasm-macvlan") {
        return Err(ConvertError::Impossible {
            key: "vrf",
            text: "only a link on an interface of the host can be in a VRF of the container: list \
                   the plugin after \"macvlan\""
                .to_owned(),
        });
    }
    plan.driver = "wasm-vrf";
    let name = keys.take_or_default::<String>("vrfname")?;
    if name.is_empty() {
        return Err(keys.wrong("vrfname", "a VRF needs a name"));
    }
    plan.option("vrf_name", name);
    if let Some(table) = keys.take::<u32>("table")? {
        plan.option("table", table);
    }
    if plan.find_option("bcqueuelen").is_some() {
        plan.drop_option("bcqueuelen");
        plan.no_counterpart(
            "bcqueuelen",
            "a link in a VRF has the kernel's default queue",
        );
    }
    Ok(())
}
