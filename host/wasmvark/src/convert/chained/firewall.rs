//! The plugin `firewall`.

use crate::convert::ConvertError;
use crate::convert::keys::Keys;
use crate::convert::plan::Plan;

pub(super) fn apply(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.no_counterpart(
        "firewall",
        "its rules accept what the containers send, and what answers them, in the table of \
         iptables or the zone of firewalld that would drop it; no rule here can do that for \
         another table, so where the host drops forwarded packets, its own rules must let these \
         pass",
    );
    let policy = keys.take_or_default::<String>("ingressPolicy")?;
    ingress(keys, plan, &policy)?;
    // What the rules above are made with.
    keys.ignore(&["backend", "iptablesAdminChainName", "firewalldZone"]);
    Ok(())
}

fn ingress(keys: &Keys, plan: &mut Plan, policy: &str) -> Result<(), ConvertError> {
    match policy {
        "" | "open" => return Ok(()),
        "same-bridge" | "isolated" => {}
        other => {
            let error = format!("there is no policy {other:?}: it's open, same-bridge or isolated");
            return Err(keys.wrong("ingressPolicy", &error));
        }
    }
    let is_managed = plan.is_of("wasm-bridge") && plan.find_option("mode").is_none();
    if !is_managed {
        let text = "networks keep apart on bridges of their own only";
        plan.no_counterpart("ingressPolicy", text);
        return Ok(());
    }
    plan.option("isolate", true);
    if policy == "isolated" {
        plan.option("port_isolation", true);
    }
    plan.remark(
        "ingressPolicy",
        "it keeps the network apart from other networks of this driver that have isolate too, \
         not from bridges of CNI",
    );
    Ok(())
}
