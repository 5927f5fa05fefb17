//! The plugin `tuning`.

use std::collections::BTreeMap;

use types::SettingKey;

use crate::convert::ConvertError;
use crate::convert::keys::Keys;
use crate::convert::plan::Plan;

/// The placeholder for the container's interface in the name of a setting. CNI's and the
/// drivers' are the same.
const INTERFACE: &str = "IFNAME";

pub(super) fn apply(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    let settings: BTreeMap<String, String> = keys.take_or_default("sysctl")?;
    for (name, value) in settings {
        // As for sysctl(8), a name can be a path.
        let name = name.replace('/', ".");
        let key: SettingKey = name
            .parse()
            .map_err(|error| keys.wrong("sysctl", &format!("{error}")))?;
        plan.option(&format!("sysctl.{key}"), value);
        if !key.parts().any(|part| part == INTERFACE) {
            plan.needs_setting(&key);
        }
    }
    if let Some(mac) = keys.take::<String>("mac")?.filter(|mac| !mac.is_empty()) {
        plan.mac("mac", &mac);
    }
    if let Some(mtu) = keys.take::<u32>("mtu")?.filter(|mtu| *mtu != 0) {
        plan.option("mtu", mtu);
        if plan.is_of("wasm-bridge") || plan.is_of("wasm-ptp") {
            plan.remark(
                "mtu",
                "CNI sets the MTU of the container's end only; here the link's peer and the \
                 network's own bridge get it, too",
            );
        }
    }
    for key in ["promisc", "allmulti"] {
        if keys.flag(key)? {
            plan.option(key, true);
        }
    }
    if let Some(length) = keys.take::<u32>("txQLen")? {
        plan.option("txqlen", length);
    }
    if keys.take::<String>("dataDir")?.is_some() {
        let text = "the changes are in the journal, so no other folder is needed";
        plan.remark("dataDir", text);
    }
    Ok(())
}
