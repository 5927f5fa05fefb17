//! Kernel settings of links.

use std::fmt;

use serde::{Deserialize, Serialize};
use types::{LinkName, Namespace, SettingKey};

use super::{KernelError, LinkId};

/// A setting of a link (`Documentation/networking/ip-sysctl.rst` in the
/// kernel's source).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkSetting {
    /// `net.ipv6.conf.LINK.autoconf`
    Autoconf,
    /// `net.ipv4.conf.LINK.arp_notify`
    ArpNotify,
    /// `net.ipv6.conf.LINK.ndisc_notify`
    NdiscNotify,
    /// `net.ipv4.conf.LINK.rp_filter`
    RpFilter,
    /// `net.ipv4.conf.LINK.route_localnet`
    RouteLocalnet,
    /// `net.ipv4.conf.LINK.forwarding`
    Forwarding4,
    /// `net.ipv6.conf.LINK.forwarding`
    Forwarding6,
    /// `net.ipv6.conf.LINK.accept_ra`
    AcceptRa,
    /// `net.ipv6.conf.LINK.accept_dad`
    AcceptDad,
    /// `net.ipv6.conf.LINK.disable_ipv6`
    DisableIpv6,
    /// `net.ipv6.conf.LINK.keep_addr_on_down`
    KeepAddrOnDown,
    /// `net.ipv4.conf.LINK.proxy_arp`
    ProxyArp,
    /// `net.ipv6.conf.LINK.proxy_ndp`
    ProxyNdp,
}

impl LinkSetting {
    /// Its family and its name there.
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Autoconf => ("ipv6", "autoconf"),
            Self::ArpNotify => ("ipv4", "arp_notify"),
            Self::NdiscNotify => ("ipv6", "ndisc_notify"),
            Self::RpFilter => ("ipv4", "rp_filter"),
            Self::RouteLocalnet => ("ipv4", "route_localnet"),
            Self::Forwarding4 => ("ipv4", "forwarding"),
            Self::Forwarding6 => ("ipv6", "forwarding"),
            Self::AcceptRa => ("ipv6", "accept_ra"),
            Self::AcceptDad => ("ipv6", "accept_dad"),
            Self::DisableIpv6 => ("ipv6", "disable_ipv6"),
            Self::KeepAddrOnDown => ("ipv6", "keep_addr_on_down"),
            Self::ProxyArp => ("ipv4", "proxy_arp"),
            Self::ProxyNdp => ("ipv6", "proxy_ndp"),
        }
    }

    /// Its file.
    pub fn path(self, link: &LinkName) -> String {
        let (family, name) = self.parts();
        format!("/proc/sys/net/{family}/conf/{link}/{name}")
    }
}

impl fmt::Display for LinkSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, name) = self.parts();
        write!(f, "net.{family}.conf.LINK.{name}")
    }
}

/// Reading kernel settings.
pub trait SettingsRead {
    /// Reads a setting of a link.
    fn link_setting(&mut self, link: LinkId, setting: LinkSetting) -> Result<String, KernelError>;
    /// Reads a setting by its key. Equivalent to `sysctl KEY`.
    fn setting(&mut self, namespace: Namespace, key: &SettingKey) -> Result<String, KernelError>;
}

/// Writing kernel settings.
pub trait Settings {
    /// Writes a setting of a link.
    fn set_link_setting(
        &mut self,
        link: LinkId,
        setting: LinkSetting,
        value: &str,
    ) -> Result<(), KernelError>;
    /// Writes a setting by its key. Equivalent to `sysctl --write KEY=VALUE`.
    fn set_setting(
        &mut self,
        namespace: Namespace,
        key: &SettingKey,
        value: &str,
    ) -> Result<(), KernelError>;
}
