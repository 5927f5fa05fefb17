//! Kernel settings of links, and which of them are about other hosts' packets
//! (`Documentation/networking/ip-sysctl.rst` in the kernel's source).

use types::SettingKey;

use crate::Call;

/// The settings by which a link answers, takes or forwards packets for others.
const FOR_OTHERS: [&str; 15] = [
    "accept_local",
    "accept_ra",
    "accept_source_route",
    "arp_accept",
    "arp_ignore",
    "bc_forwarding",
    "force_forwarding",
    "forwarding",
    "ip_forward",
    "mc_forwarding",
    "proxy_arp",
    "proxy_arp_pvlan",
    "proxy_ndp",
    "route_localnet",
    "rp_filter",
];

/// Whether a setting is only about the link itself.
pub(super) fn is_plain(key: &SettingKey) -> bool {
    !FOR_OTHERS.contains(&own_name(key))
}

/// Returns the call that sets a setting that isn't plain.
pub(super) fn call_for(key: &SettingKey) -> Option<Call> {
    if is_plain(key) {
        return None;
    }
    let name = own_name(key).replace('_', "-");
    let mut calls = Call::ALL.iter().copied();
    calls.find(|call| call.sets() == Some(&name))
}

/// Returns the last part of a key, which is the same for all links.
fn own_name(key: &SettingKey) -> &str {
    key.parts().last().unwrap_or_default()
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
        for (name, call) in [
            ("accept_ra", Call::SysctlSetAcceptRa),
            ("forwarding", Call::SysctlSetForwarding),
            ("proxy_ndp", Call::SysctlSetProxyNdp),
            ("route_localnet", Call::SysctlSetRouteLocalnet),
            ("rp_filter", Call::SysctlSetRpFilter),
        ] {
            let key = key(&format!("net.ipv4.conf.eth0.{name}"));
            assert_eq!(call_for(&key), Some(call));
        }
        let forward = key("net.ipv4.ip_forward");
        assert_eq!(call_for(&forward), Some(Call::SysctlEnableIpForward));
        let autoconf = key("net.ipv6.conf.eth0.autoconf");
        assert_eq!(call_for(&autoconf), None);
        let local = key("net.ipv4.conf.eth0.accept_local");
        assert!(!is_plain(&local));
        assert_eq!(call_for(&local), None);
    }
}
