//! The interface `sysctl`.

use journal::Change;
use kernel::{FirewallRule, KernelError, LinkId, LinkSetting};
use nix::errno::Errno;
use policy::{Call, Object};
use types::{LinkName, Namespace, SettingKey};
use wasmtime::component::Resource;

use super::call::{CallError, Plan, invalid, plan_for_foreign};
use super::links::others_have;
use super::{Gate, Kernel, LinkHandle, bounds};
use crate::driver::wit::sysctl::{Host, IpVersion, ReversePath, RouterAdvertisements};
use crate::driver::wit::types::Namespace as WitNamespace;

/// An argument as the kernel writes it.
trait SettingValue {
    fn value(self) -> &'static str;
}

impl SettingValue for bool {
    fn value(self) -> &'static str {
        if self { ON } else { OFF }
    }
}

impl SettingValue for ReversePath {
    fn value(self) -> &'static str {
        match self {
            Self::Off => OFF,
            Self::Strict => "1",
            Self::Loose => "2",
        }
    }
}

impl SettingValue for RouterAdvertisements {
    fn value(self) -> &'static str {
        match self {
            Self::None => OFF,
            Self::UnlessForwarding => "1",
            Self::All => "2",
        }
    }
}

const OFF: &str = "0";
const ON: &str = "1";

/// The functions that set one setting of a link: the argument, the call, and the
/// setting, or those of both versions of IP.
macro_rules! setters {
    () => {};
    (
        $function:ident(version: IpVersion, $argument:ident: $type:ty) = $call:ident =>
            $ipv4:ident | $ipv6:ident;
        $($rest:tt)*
    ) => {
        fn $function(
            &mut self,
            link: Resource<LinkHandle>,
            version: IpVersion,
            $argument: $type,
        ) -> Result<(), CallError> {
            let setting = match version {
                IpVersion::Ipv4 => LinkSetting::$ipv4,
                IpVersion::Ipv6 => LinkSetting::$ipv6,
            };
            self.set_of_link(Call::$call, &link, setting, $argument.value())
        }
        setters! { $($rest)* }
    };
    (
        $function:ident($argument:ident: $type:ty) = $call:ident => $setting:ident;
        $($rest:tt)*
    ) => {
        fn $function(
            &mut self,
            link: Resource<LinkHandle>,
            $argument: $type,
        ) -> Result<(), CallError> {
            self.set_of_link(Call::$call, &link, LinkSetting::$setting, $argument.value())
        }
        setters! { $($rest)* }
    };
}

impl Gate {
    fn set_of_link(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
        setting: LinkSetting,
        value: &str,
    ) -> Result<(), CallError> {
        match setting {
            LinkSetting::RouteLocalnet if value != OFF && self.leaves_firewall() => {
                return self.leave_loopback_closed(call, link);
            }
            LinkSetting::RouteLocalnet if value != OFF => self.keeps_loopback_closed(call, link)?,
            LinkSetting::AcceptRa if value != OFF => self.keeps_to_hosts_routers(call, link)?,
            _ => {}
        }
        let link = self.link(link)?;
        if setting == LinkSetting::ProxyNdp && self.proxies_by_request(call, &link) {
            return self.set_of_ndp_proxy(call, &link, value);
        }
        if self.uses(&link) && !self.is_spelled_out(call, &link) {
            return self.set_of_used(call, &link, setting, value);
        }
        let plan = plan_for_foreign(&link, self.owns(&link), |kernel, link| {
            Ok(Change::SetLinkSetting {
                link: link.id,
                name: link.name.clone(),
                setting,
                before: kernel.link_setting(link.id, setting)?,
                snapshot: match (setting, value) {
                    (LinkSetting::DisableIpv6, ON) => Some(kernel.snapshot(link.id)?),
                    _ => None,
                },
            })
        });
        let objects = [self.object(&link)];
        let permit = self.decide(call, &objects)?;
        // Ports that are published behind it keep that one safe for others.
        let opens = (setting, value) == (LinkSetting::RouteLocalnet, ON);
        let is_safe = opens && self.publishes_behind(&link);
        let stays = !is_safe && self.is_in_use_by_others(&link)?;
        let result = match stays {
            true => match self
                .rollback
                .guard
                .open(&permit)
                .link_setting(link.id, setting)
            {
                Ok(now) if now == value => Ok(()),
                Ok(_) => Err(others_have(&link)),
                Err(error) => Err(error),
            },
            false => self.perform(&permit, plan, |kernel| {
                kernel.set_link_setting(link.id, setting, value)
            })?,
        };
        if result.is_ok() {
            self.keep_setting(link.id.namespace, setting.path(&link.name), value);
        }
        self.record(permit, &objects, result)
    }
}

impl Gate {
    /// Notes a setting of the host, for as long as the container needs it.
    fn keep_setting(&mut self, namespace: Namespace, path: String, value: &str) {
        if namespace == Namespace::Host {
            self.host_settings.insert(path, value.to_owned());
        }
    }

    /// Sets a setting of a used bridge of the host. All containers of the network share
    /// it.
    fn set_of_used(
        &mut self,
        call: Call,
        link: &LinkHandle,
        setting: LinkSetting,
        value: &str,
    ) -> Result<(), CallError> {
        let objects = [self.object(link)];
        let permit = self.decide(call, &objects)?;
        let why = "the host may get its own addresses from a router there";
        let alone = match setting {
            LinkSetting::AcceptRa => self.check_alone(&permit, link, Errno::EBUSY, why)?,
            _ => Ok(()),
        };
        if let Err(error) = alone {
            return Err(self.record_failure(permit, &objects, error));
        }
        let known = self.known(|it| {
            matches!(it, Change::SetLinkSetting { link: of, setting: its, .. }
                if (*of, *its) == (link.id, setting))
        })?;
        let opens = (setting, value) == (LinkSetting::RouteLocalnet, ON);
        let is_safe = opens && self.publishes_behind(link);
        let stays = !is_safe && self.is_in_use_by_others(link)?;
        let plan = |kernel: &mut dyn Kernel| {
            let before = kernel.link_setting(link.id, setting)?;
            let is_so = before == value;
            if stays && !is_so {
                return Err(others_have(link));
            }
            let new = Change::SetLinkSetting {
                link: link.id,
                name: link.name.clone(),
                setting,
                before,
                snapshot: None,
            };
            Ok(known.plan(|| (!is_so).then_some(new)))
        };
        let result = self.perform(&permit, plan, |kernel| {
            kernel.set_link_setting(link.id, setting, value)
        })?;
        if result.is_ok() {
            self.keep_setting(link.id.namespace, setting.path(&link.name), value);
        }
        self.record(permit, &objects, result)
    }

    /// Has the link of the option `ndp_proxy` answer for its proxied neighbours. That
    /// stays on, as forwarding does: other networks and programs may rely on it by then,
    /// and without proxied neighbours it does nothing.
    fn set_of_ndp_proxy(
        &mut self,
        call: Call,
        link: &LinkHandle,
        value: &str,
    ) -> Result<(), CallError> {
        if value == OFF {
            let text = format!("others may need it on {}, so it stays on", link.name);
            return self.refuse(call, link, text);
        }
        let objects = [self.object(link)];
        let plan = |_: &mut dyn Kernel| Ok(Plan::nothing());
        let setting = LinkSetting::ProxyNdp;
        self.change(call, &objects, plan, |kernel| {
            kernel.set_link_setting(link.id, setting, value)
        })?;
        self.keep_setting(link.id.namespace, setting.path(&link.name), value);
        Ok(())
    }

    /// On an own link of the host's, what comes in could reach the host's loopback
    /// addresses, until ports are published there: their rules drop it.
    fn keeps_loopback_closed(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        if !self.is_at_containers(call, &link) || self.publishes_behind(&link) {
            return Ok(());
        }
        let text = format!(
            "packets to 127.0.0.0/8 that come in by {} would reach the host: publish ports behind \
             it first, which has them dropped",
            link.name
        );
        self.refuse(call, &link, text)
    }

    /// A container at an own link of the host's could say that it is the host's
    /// router, and get the host's packets (CVE-2020-10749).
    fn keeps_to_hosts_routers(
        &mut self,
        call: Call,
        link: &Resource<LinkHandle>,
    ) -> Result<(), CallError> {
        let link = self.link(link)?;
        if !self.is_at_containers(call, &link) {
            return Ok(());
        }
        let text = format!(
            "a container at {name} could become the host's router: write link = \"{name}\" for \
             this call into the grant if that is wanted",
            name = link.name
        );
        self.refuse(call, &link, text)
    }

    /// Whether a foreign link answers for the container because the option `ndp_proxy`
    /// names it, and not because the grant does.
    pub(super) fn proxies_by_request(&self, call: Call, link: &LinkHandle) -> bool {
        let request = &self.authority.request;
        request.has_ndp_proxy(link.id.namespace, &link.name)
            && !self.owns(link)
            && !self.uses(link)
            && !self.is_spelled_out(call, link)
    }

    /// Whether a link of the host is one of the driver's or a used bridge, and the grant
    /// doesn't name it.
    fn is_at_containers(&self, call: Call, link: &LinkHandle) -> bool {
        let has_containers = self.owns(link) || self.uses(link);
        let is_on_host = link.id.namespace == Namespace::Host;
        is_on_host && has_containers && !self.is_spelled_out(call, link)
    }

    pub(super) fn refuse(
        &mut self,
        call: Call,
        link: &LinkHandle,
        text: String,
    ) -> Result<(), CallError> {
        let objects = [self.object(link)];
        let permit = self.decide(call, &objects)?;
        let errno = Errno::EBUSY;
        Err(self.record_failure(permit, &objects, KernelError::Refused { errno, text }))
    }

    /// Whether the firewall has what keeps a link's packets from loopback addresses.
    fn publishes_behind(&self, link: &LinkHandle) -> bool {
        let is_it = |change: &Change| {
            let rule = change.firewall().map(|entry| &entry.rule);
            matches!(rule, Some(FirewallRule::PublishBehind { link: its }) if *its == link.name)
        };
        self.rollback.journal.as_ref().is_some_and(|journal| {
            let mut entries = journal.entries_of(Namespace::Host);
            entries.any(|entry| is_it(&entry.change))
        })
    }
}

impl Host for Gate {
    fn enable_ip_forward(
        &mut self,
        namespace: WitNamespace,
        version: IpVersion,
    ) -> Result<(), CallError> {
        let namespace = namespace.into();
        let key = match version {
            IpVersion::Ipv4 => SettingKey::ip_forward4(),
            IpVersion::Ipv6 => SettingKey::ip_forward6(),
        };
        let objects = [Object::Key {
            namespace,
            key: &key,
            of_own_link: false,
        }];
        let plan = |_: &mut dyn Kernel| Ok(Plan::nothing());
        self.change(Call::SysctlEnableIpForward, &objects, plan, |kernel| {
            kernel.set_setting(namespace, &key, ON)
        })?;
        self.keep_setting(namespace, key.path(), ON);
        Ok(())
    }

    setters! {
        set_autoconf(on: bool) = SysctlSetAutoconf => Autoconf;
        set_arp_notify(on: bool) = SysctlSetArpNotify => ArpNotify;
        set_ndisc_notify(on: bool) = SysctlSetNdiscNotify => NdiscNotify;
        set_arp_ignore(on: bool) = SysctlSetArpIgnore => ArpIgnore;
        set_rp_filter(mode: ReversePath) = SysctlSetRpFilter => RpFilter;
        set_route_localnet(on: bool) = SysctlSetRouteLocalnet => RouteLocalnet;
        set_forwarding(version: IpVersion, on: bool) = SysctlSetForwarding =>
            Forwarding4 | Forwarding6;
        set_accept_ra(accept: RouterAdvertisements) = SysctlSetAcceptRa => AcceptRa;
        set_accept_dad(on: bool) = SysctlSetAcceptDad => AcceptDad;
        set_disable_ipv6(on: bool) = SysctlSetDisableIpv6 => DisableIpv6;
        set_keep_addr_on_down(on: bool) = SysctlSetKeepAddrOnDown => KeepAddrOnDown;
        set_proxy_arp(on: bool) = SysctlSetProxyArp => ProxyArp;
        set_proxy_ndp(on: bool) = SysctlSetProxyNdp => ProxyNdp;
    }

    fn set(
        &mut self,
        namespace: WitNamespace,
        key: String,
        value: String,
    ) -> Result<(), CallError> {
        let call = Call::SysctlSet;
        let namespace = namespace.into();
        bounds::SETTING.text(call, &key)?;
        bounds::SETTING_VALUE.text(call, &value)?;
        let key: SettingKey = key.parse().map_err(|error| invalid(call, &error))?;
        if value.chars().any(char::is_control) {
            return Err(invalid(call, &"a value is one line"));
        }
        let journal = self.rollback.journal.as_ref();
        let name = key.link();
        let inside = journal.filter(|_| namespace == Namespace::Container);
        let own = inside.zip(name.as_ref()).and_then(|(journal, name)| {
            let link = journal.own_link(namespace, name)?;
            Some((link, name))
        });
        let objects = [Object::Key {
            namespace,
            key: &key,
            of_own_link: own.is_some(),
        }];
        let plan = |kernel: &mut dyn Kernel| {
            if let Some((link, name)) = own {
                return match kernel.link_by_id(link)? {
                    now if now.name == *name => Ok(Plan::nothing()),
                    _ => Err(Errno::ENODEV.into()),
                };
            }
            let before = kernel.setting(namespace, &key)?;
            if before == value {
                return Ok(Plan::nothing());
            }
            if namespace == Namespace::Host && key.path() == OF_EVERY_LINK {
                return Err(of_every_link());
            }
            if let Some(name) = &name
                && key.path() == LinkSetting::DisableIpv6.path(name)
            {
                return Ok(Plan::of([without_ipv6(kernel, namespace, name, &before)?]));
            }
            Ok(Plan::of([Change::SetSetting {
                namespace,
                key: key.clone(),
                before,
            }]))
        };
        self.change(call, &objects, plan, |kernel| {
            kernel.set_setting(namespace, &key, &value)
        })?;
        self.keep_setting(namespace, key.path(), &value);
        Ok(())
    }
}

/// What turns IPv6 off for every link; on the host that is also others'.
const OF_EVERY_LINK: &str = "/proc/sys/net/ipv6/conf/all/disable_ipv6";

fn of_every_link() -> KernelError {
    KernelError::Refused {
        errno: Errno::EBUSY,
        text: "this sets it for every link, and the kernel forgets how each was: set it for one \
               link"
            .to_owned(),
    }
}

/// What turning a link's IPv6 off by the setting's name takes: it loses more than
/// the value.
fn without_ipv6(
    kernel: &mut dyn Kernel,
    namespace: Namespace,
    name: &LinkName,
    before: &str,
) -> Result<Change, KernelError> {
    let index = kernel.link_by_name(namespace, name)?.index;
    let link = LinkId { namespace, index };
    Ok(Change::SetLinkSetting {
        link,
        name: name.clone(),
        setting: LinkSetting::DisableIpv6,
        before: before.to_owned(),
        snapshot: Some(kernel.snapshot(link)?),
    })
}
