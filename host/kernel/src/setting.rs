//! Kernel settings of links.

use std::fmt;

use serde::{Deserialize, Serialize};
use types::{LinkName, Namespace, SettingKey};

use super::{KernelError, LinkId};

macro_rules! settings {
    ($($variant:ident = $family:literal $name:literal;)*) => {
        /// A setting of a link (`Documentation/networking/ip-sysctl.rst` in the
        /// kernel's source).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum LinkSetting {
            $(
                #[doc = concat!("`net.", $family, ".conf.LINK.", $name, "`")]
                $variant,
            )*
        }

        impl LinkSetting {
            /// Its family and its name there.
            const fn parts(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$variant => ($family, $name),)*
                }
            }
        }
    };
}

settings! {
    Autoconf = "ipv6" "autoconf";
    ArpNotify = "ipv4" "arp_notify";
    NdiscNotify = "ipv6" "ndisc_notify";
    ArpIgnore = "ipv4" "arp_ignore";
    RpFilter = "ipv4" "rp_filter";
    RouteLocalnet = "ipv4" "route_localnet";
    Forwarding4 = "ipv4" "forwarding";
    Forwarding6 = "ipv6" "forwarding";
    AcceptRa = "ipv6" "accept_ra";
    AcceptDad = "ipv6" "accept_dad";
    DisableIpv6 = "ipv6" "disable_ipv6";
    KeepAddrOnDown = "ipv6" "keep_addr_on_down";
    ProxyArp = "ipv4" "proxy_arp";
    ProxyNdp = "ipv6" "proxy_ndp";
}

impl LinkSetting {
    /// Its file.
    pub fn path(self, link: &LinkName) -> String {
        let (family, name) = self.parts();
        format!("/proc/sys/net/{family}/conf/{link}/{name}")
    }

    /// Its key, as sysctl(8) writes it: a dot in a link's name is `/`.
    pub(super) fn key(self, link: &LinkName) -> String {
        let (family, name) = self.parts();
        let link = link.as_str().replace('.', "/");
        format!("net.{family}.conf.{link}.{name}")
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
