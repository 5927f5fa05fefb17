//! Kernel settings of links, by whom they are about
//! (`Documentation/networking/ip-sysctl.rst` in the kernel's source).

use types::SettingKey;

use crate::Call;

/// Settings by which a link answers, takes or forwards what is meant for others,
/// and the call that sets each, where there is one.
const FOR_OTHERS: [(&str, Option<Call>); 15] = [
    ("accept_local", None),
    ("accept_ra", Some(Call::SysctlSetAcceptRa)),
    ("accept_source_route", None),
    ("arp_accept", None),
    ("arp_ignore", None),
    ("bc_forwarding", None),
    ("force_forwarding", None),
    ("forwarding", Some(Call::SysctlSetForwarding)),
    ("ip_forward", Some(Call::SysctlEnableIpForward)),
    ("mc_forwarding", None),
    ("proxy_arp", Some(Call::SysctlSetProxyArp)),
    ("proxy_arp_pvlan", None),
    ("proxy_ndp", Some(Call::SysctlSetProxyNdp)),
    ("route_localnet", Some(Call::SysctlSetRouteLocalnet)),
    ("rp_filter", Some(Call::SysctlSetRpFilter)),
];

/// Whether a setting is about the link itself only.
pub(super) fn is_plain(key: &SettingKey) -> bool {
    find(key).is_none()
}

/// The call that sets it, for those that aren't plain.
pub(super) fn call_for(key: &SettingKey) -> Option<Call> {
    find(key).and_then(|call| call)
}

fn find(key: &SettingKey) -> Option<Option<Call>> {
    let name = key.parts().last().unwrap_or_default();
    let mut settings = FOR_OTHERS.into_iter();
    settings.find(|(own, _)| *own == name).map(|(_, call)| call)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_for_others_name_their_call() {
        let key = |text: &str| text.parse::<SettingKey>().unwrap();
        assert!(is_plain(&key("net.ipv4.conf.eth0.arp_filter")));
        assert!(is_plain(&key("net.ipv4.neigh.eth0.gc_stale_time")));
        let proxy = key("net.ipv4.conf.eth0.proxy_arp");
        assert!(!is_plain(&proxy));
        assert_eq!(call_for(&proxy), Some(Call::SysctlSetProxyArp));
        let local = key("net.ipv4.conf.eth0.accept_local");
        assert!(!is_plain(&local));
        assert_eq!(call_for(&local), None);
    }
}
