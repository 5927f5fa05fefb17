//! Kernel settings, below `/proc/sys/net` in their namespace.

use types::{Namespace, SettingKey};

use super::Netlink;
use crate::{KernelError, LinkId, LinkSetting, LinksRead, Settings, SettingsRead, sysctl};

impl SettingsRead for Netlink {
    fn link_setting(&mut self, link: LinkId, setting: LinkSetting) -> Result<String, KernelError> {
        let name = self.link_by_id(link)?.name;
        sysctl::link_setting(self.netns(link.namespace)?, &name, setting)
    }

    fn setting(&mut self, namespace: Namespace, key: &SettingKey) -> Result<String, KernelError> {
        sysctl::setting(self.netns(namespace)?, key)
    }
}

impl Settings for Netlink {
    fn set_link_setting(
        &mut self,
        link: LinkId,
        setting: LinkSetting,
        value: &str,
    ) -> Result<(), KernelError> {
        let name = self.link_by_id(link)?.name;
        let netns = self.netns(link.namespace)?;
        sysctl::set_link_setting(netns, link.namespace, &name, setting, value)
    }

    fn set_setting(
        &mut self,
        namespace: Namespace,
        key: &SettingKey,
        value: &str,
    ) -> Result<(), KernelError> {
        sysctl::set_setting(self.netns(namespace)?, namespace, key, value)
    }
}
