//! Kernel settings below `/proc/sys/net`.

use std::collections::BTreeMap;

use kernel::{KernelError, LinkId, LinkSetting, Settings, SettingsRead};
use nix::errno::Errno;
use types::{LinkName, Namespace, SettingKey};

use super::Simulation;
use super::link::{Link, Number};
use super::machine::Machine;

/// The families of links' settings, and the start of their paths.
const OF_LINKS: [(&str, &str); 2] = [
    ("ipv4", "/proc/sys/net/ipv4/conf/"),
    ("ipv6", "/proc/sys/net/ipv6/conf/"),
];

/// The setting that ends IPv6 on a link.
pub(super) const DISABLE_IPV6: &str = "ipv6/disable_ipv6";
const ADDR_GEN_MODE: &str = "ipv6/addr_gen_mode";

impl SettingsRead for Simulation {
    fn link_setting(&mut self, at: LinkId, setting: LinkSetting) -> Result<String, KernelError> {
        let machine = &mut *self.in_time()?;
        let (number, link) = machine.find(at)?;
        let path = setting.path(&link.state.name);
        let Some((_, key)) = of_link(&path) else {
            return Err(Errno::ENOENT.into());
        };
        machine.read_of_link(number, &key)
    }

    fn setting(&mut self, namespace: Namespace, key: &SettingKey) -> Result<String, KernelError> {
        self.in_time()?.setting(namespace, key)
    }
}

impl Settings for Simulation {
    fn set_link_setting(
        &mut self,
        at: LinkId,
        setting: LinkSetting,
        value: &str,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let (number, link) = machine.find(at)?;
        let path = setting.path(&link.state.name);
        let Some((_, key)) = of_link(&path) else {
            return Err(Errno::ENOENT.into());
        };
        machine.write_of_link(number, &key, value)
    }

    fn set_setting(
        &mut self,
        namespace: Namespace,
        key: &SettingKey,
        value: &str,
    ) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let path = key.path();
        if let Some((name, key)) = of_link(&path) {
            let number = machine.named(namespace, &name)?;
            return machine.write_of_link(number, &key, value);
        }
        let before = machine.setting(namespace, key)?;
        if before == value {
            return Ok(());
        }
        machine.mark_default(namespace, &path);
        check_value(&before, value)?;
        machine.keep_setting(namespace, key, value)?;
        machine.spread_setting(namespace, &path, value)
    }
}

impl Machine {
    pub(super) fn setting(
        &mut self,
        namespace: Namespace,
        key: &SettingKey,
    ) -> Result<String, KernelError> {
        let path = key.path();
        if let Some((name, key)) = of_link(&path) {
            let number = self.named(namespace, &name)?;
            return self.read_of_link(number, &key);
        }
        if let Some(value) = self.room_ref(namespace).settings.get(&path) {
            return Ok(value.clone());
        }
        self.read_setting(namespace, key)
    }

    /// Notes a setting that isn't a link's.
    pub(super) fn keep_setting(
        &mut self,
        namespace: Namespace,
        key: &SettingKey,
        value: &str,
    ) -> Result<(), KernelError> {
        self.assume_value();
        let is_as_before = self.read_setting(namespace, key)? == value;
        let path = key.path();
        let settings = &mut self.room(namespace).settings;
        match is_as_before {
            true => settings.remove(&path),
            false => settings.insert(path, value.to_owned()),
        };
        Ok(())
    }

    fn assume_value(&mut self) {
        self.assume("kernel settings take the values that are set".to_owned());
    }

    /// Returns the setting of a namespace in which nothing was written. A new
    /// namespace is assumed to have the host's settings.
    fn read_setting(
        &mut self,
        namespace: Namespace,
        key: &SettingKey,
    ) -> Result<String, KernelError> {
        if self.is_real(namespace) {
            return self.reader.setting(namespace, key);
        }
        self.assume(
            "kernel settings of a new namespace are as on the host, where nothing sets them"
                .to_owned(),
        );
        self.reader.setting(Namespace::Host, key)
    }

    fn named(&self, namespace: Namespace, name: &LinkName) -> Result<Number, KernelError> {
        // Files have no alternative names.
        let link = self.by_name(namespace, name);
        let link = link.filter(|link| link.state.name == *name);
        Ok(self
            .number(link.ok_or(Errno::ENOENT)?.at)
            .ok_or(Errno::ENOENT)?)
    }

    /// Reads a link's setting: the written value, or the real kernel's, or else
    /// the one of new links.
    pub(super) fn read_of_link(
        &mut self,
        number: Number,
        key: &str,
    ) -> Result<String, KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        let has_family = match key.starts_with("ipv4/") {
            true => link.has_ipv4(),
            false => link.has_ipv6(),
        };
        if !has_family {
            return Err(Errno::ENOENT.into());
        }
        if let Some(value) = link.settings.get(key) {
            return Ok(value.clone());
        }
        let (namespace, real_name) = (link.at.namespace, unmoved(link));
        let real_name = match real_name {
            Some(at) => Some(self.reader.link_by_id(at)?.name),
            None => None,
        };
        let key = real_key(key, real_name.as_ref())?;
        self.read_setting(namespace, &key)
    }

    pub(super) fn write_of_link(
        &mut self,
        number: Number,
        key: &str,
        value: &str,
    ) -> Result<(), KernelError> {
        let before = self.read_of_link(number, key)?;
        if before == value {
            return Ok(());
        }
        let link = self.links.get_mut(&number).ok_or(Errno::ENODEV)?;
        // `devinet_conf_proc`: a value that is refused counts as set, too.
        link.set_settings.insert(key.to_owned());
        check_value(&before, value)?;
        self.assume_value();
        let link = self.links.get_mut(&number).ok_or(Errno::ENODEV)?;
        let before_it = link.settings.remove(key);
        let is_as_before = before_it.is_some() && self.read_of_link(number, key)? == value;
        self.edit(number, |link| {
            if !is_as_before {
                link.settings.insert(key.to_owned(), value.to_owned());
            }
        });
        match key {
            DISABLE_IPV6 => self.turn_ipv6(number, is_on(&before), is_on(value)),
            // `addrconf_init_auto_addrs`, whether or not the link is up
            ADDR_GEN_MODE => self.address_loopback6(number),
            _ => {}
        }
        Ok(())
    }

    /// Has a new link on the host ignore router advertisements.
    pub(super) fn ignore_advertisements(&mut self, number: Number) -> Result<(), KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        if link.at.namespace == Namespace::Container || !link.has_ipv6() {
            return Ok(());
        }
        match self.write_of_link(number, "ipv6/accept_ra", "0") {
            Err(error) if error.is_not_found() => Ok(()),
            result => result,
        }
    }

    /// Whether a link can have IPv6 addresses.
    pub(super) fn may_have_ipv6(&mut self, number: Number) -> Result<bool, KernelError> {
        let link = self.links.get(&number).ok_or(Errno::ENODEV)?;
        if !link.has_ipv6() {
            return Ok(false);
        }
        match self.read_of_link(number, "ipv6/disable_ipv6") {
            Ok(value) => Ok(value == "0"),
            // The kernel has no IPv6.
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns all settings of a link, by `FAMILY/KEY`.
    pub(super) fn settings_of(
        &mut self,
        at: LinkId,
    ) -> Result<BTreeMap<String, String>, KernelError> {
        let (_, link) = self.find(at)?;
        let written = link.settings.clone();
        let mut settings = match unmoved(link) {
            Some(real) => self.reader.snapshot(real)?.settings().clone(),
            None => BTreeMap::new(),
        };
        settings.extend(written);
        Ok(settings)
    }
}

/// What is a number stays one (`proc_dointvec`).
fn check_value(before: &str, value: &str) -> Result<(), KernelError> {
    let is_number = |text: &str| text.parse::<i32>().is_ok();
    match is_number(before) && !is_number(value) {
        true => Err(Errno::EINVAL.into()),
        false => Ok(()),
    }
}

/// Whether a setting is on.
pub(super) fn is_on(value: &str) -> bool {
    value != "0"
}

/// Returns the id of a link in the real kernel, unless it has moved.
pub(super) fn unmoved(link: &Link) -> Option<LinkId> {
    link.real().filter(|real| *real == link.at)
}

/// Returns the name of the link that a setting belongs to, and `FAMILY/KEY`.
fn of_link(path: &str) -> Option<(LinkName, String)> {
    OF_LINKS.iter().find_map(|(family, prefix)| {
        let (name, key) = path.strip_prefix(prefix)?.split_once('/')?;
        Some((name.parse().ok()?, format!("{family}/{key}")))
    })
}

/// Returns the real kernel's key for a link's setting. Without a name it's the
/// key for new links.
fn real_key(key: &str, name: Option<&LinkName>) -> Result<SettingKey, KernelError> {
    let (family, key) = key.split_once('/').ok_or(Errno::ENOENT)?;
    let name = name.map_or("default".to_owned(), |name| name.as_str().replace('.', "/"));
    let text = format!("net.{family}.conf.{name}.{key}");
    Ok(text.parse().map_err(|_| Errno::ENOENT)?)
}
