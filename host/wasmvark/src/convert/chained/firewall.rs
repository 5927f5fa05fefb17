//! The plugin `firewall`.

use crate::convert::ConvertError;
use crate::convert::keys::Keys;
use crate::convert::plan::Plan;

pub(super) fn apply(keys: &mut Keys, plan: &mut Plan) -> Result<(), ConvertError> {
    plan.no_counterpart(
        "firewall",
        "CNI's rules accept the containers' packets and the replies to them in the table of \
         iptables or the zone of firewalld that would drop them; no rule here can do that for \
         another table, so if the host drops forwarded packets, its own rules must accept these",
    );
    let policy = keys.take_or_default::<String>("ingressPolicy")?;
    ingress(keys, plan, &policy)?;
    // These keys are about CNI's rules in iptables and firewalld.
    keys.ignore(&["backend", "iptablesAdminChainName", "firewalldZone"]);
    Ok(())
}

fn ingress(keys: &Keys, plan: &mut Plan, policy: &str) -> Result<(), ConvertError> {
    match policy {
        "" | "open" => return Ok(()),
        "same-bridge" | "isolated" => {}
        other => {
            let error = format!("there is no policy {other:?}: use open, same-bridge or isolated");
            return Err(keys.wrong("ingressPolicy", &error));
        }
    }
    let is_managed = plan.is_of("wasm-bridge") && plan.find_option("mode").is_none();
    if !is_managed {
        let text = "only networks on their own bridges can be isolated from each other";
        plan.no_counterpart("ingressPolicy", text);
        return Ok(());
    }
    plan.option("isolate", true);
    if policy == "isolated" {
        plan.option("port_isolation", true);
    }
    plan.remark(
        "ingressPolicy",
        "the network is isolated from other networks of this driver that have isolate, too, but \
         not from CNI's bridges",
    );
    Ok(())
}
