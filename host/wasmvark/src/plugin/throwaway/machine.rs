//! Making a machine that somebody imagined.

use std::collections::BTreeMap;

use kernel::kinds::{Bridge, Dummy, Vrf};
use kernel::{
    Addresses, KernelError, LinkChange, LinkId, LinkKind, LinkState, Links, Netlink, NewAddress,
    NewLink, NewVeth, Routes, Settings, SettingsRead, TableRoute, VethEnd,
};
use sim::{Imagined, ImaginedLink, ImaginedNamespace};
use types::{InvalidSettingKey, LinkName, Namespace, SettingKey};

/// The index of each namespace's loopback link (LOOPBACK_IFINDEX).
const LOOPBACK: u32 = 1;
/// RTPROT_STATIC (`linux/rtnetlink.h`)
const BY_HAND: u8 = 4;

/// Why a machine can't be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MakeError {
    /// A link is of a kind that needs more than the case says.
    #[error(
        "{0} is of the kind {1}: leave the kind out to have a card, which is one end of a veth \
         pair; bridge, dummy and vrf can be made, too"
    )]
    Kind(LinkName, String),
    /// A setting's name can't be.
    #[error(transparent)]
    Setting(#[from] InvalidSettingKey),
    /// The kernel refuses something.
    #[error("{what}: {error}")]
    Kernel {
        /// What was to be made.
        what: String,
        /// The kernel's answer.
        error: KernelError,
    },
}

/// Makes the links, addresses, routes and settings of both namespaces. `network` has the
/// namespace of the host's network in the place of the container's.
pub(super) fn make(
    kernel: &mut Netlink,
    network: &mut Netlink,
    wanted: &Imagined,
) -> Result<(), MakeError> {
    for (namespace, wanted) in [
        (Namespace::Host, &wanted.host),
        (Namespace::Container, &wanted.container),
    ] {
        Making {
            kernel: &mut *kernel,
            network: &mut *network,
            namespace,
            made: BTreeMap::from([(LOOPBACK, LOOPBACK)]),
        }
        .make(wanted)?;
    }
    Ok(())
}

/// A namespace that is filled.
struct Making<'a> {
    kernel: &'a mut Netlink,
    network: &'a mut Netlink,
    namespace: Namespace,
    /// The indexes of the links, by those that were imagined.
    made: BTreeMap<u32, u32>,
}

impl Making<'_> {
    fn make(&mut self, wanted: &ImaginedNamespace) -> Result<(), MakeError> {
        self.up(LOOPBACK, "lo")?;
        let links: Vec<&ImaginedLink> = wanted
            .links
            .iter()
            .filter(|link| link.link.info.state.index != LOOPBACK)
            .collect();
        for link in &links {
            self.create(link)?;
        }
        for link in &links {
            self.finish(link)?;
        }
        let by_hand = wanted.routes.iter().filter(|it| it.protocol == BY_HAND);
        for found in by_hand {
            let link = found.route.link.and_then(|index| self.made.get(&index));
            let route = TableRoute {
                link: link.copied(),
                ..found.route.clone()
            };
            let what = format!("the route to {}", route.route.destination);
            let added = self.kernel.add_route(self.namespace, &route);
            added.map_err(kernel(what))?;
        }
        wanted
            .settings
            .iter()
            .try_for_each(|(path, value)| self.set(path, value))
    }

    /// Sets a setting that has another value. Its path is one below `/proc/sys/net`.
    fn set(&mut self, path: &str, value: &str) -> Result<(), MakeError> {
        let name = format!("net.{}", path.replace('/', "."));
        let key: SettingKey = name.parse()?;
        if self
            .kernel
            .setting(self.namespace, &key)
            .is_ok_and(|now| now == value)
        {
            return Ok(());
        }
        let set = self.kernel.set_setting(self.namespace, &key, value);
        set.map_err(kernel(format!("the setting {key}")))
    }

    fn create(&mut self, wanted: &ImaginedLink) -> Result<(), MakeError> {
        let info = &wanted.link.info;
        let state = &info.state;
        let made = match (&info.kind, self.namespace) {
            (None, Namespace::Host) => self.create_card(state),
            _ => self.kernel.create_link(&NewLink {
                namespace: self.namespace,
                name: state.name.clone(),
                mac: state.mac,
                mtu: Some(state.mtu),
                kind: kind(wanted)?,
            }),
        };
        let made = made.map_err(kernel(format!("the link {}", state.name)))?;
        self.made.insert(state.index, made);
        Ok(())
    }

    /// Makes a link of the host that carries packets, because its other end is up in the
    /// network's namespace.
    fn create_card(&mut self, wanted: &LinkState) -> Result<u32, KernelError> {
        let (far, card) = self.network.create_veth(&NewVeth {
            container: VethEnd {
                name: wanted.name.clone(),
                mac: None,
            },
            host: VethEnd {
                name: wanted.name.clone(),
                mac: wanted.mac,
            },
            mtu: Some(wanted.mtu),
        })?;
        let far = LinkId {
            namespace: Namespace::Container,
            index: far,
        };
        self.network.change_link(far, &LinkChange::Up(true))?;
        Ok(card)
    }

    /// Gives a link its master and its addresses, and sets it up.
    fn finish(&mut self, wanted: &ImaginedLink) -> Result<(), MakeError> {
        let state = &wanted.link.info.state;
        let Some(index) = self.made.get(&state.index).copied() else {
            return Ok(());
        };
        let what = |part: &str| format!("{part} of the link {}", state.name);
        let link = self.id(index);
        if let Some(master) = state.master.and_then(|index| self.made.get(&index)) {
            let change = LinkChange::Master(Some(*master));
            let changed = self.kernel.change_link(link, &change);
            changed.map_err(kernel(what("the master")))?;
        }
        for found in &wanted.addresses {
            let address = NewAddress {
                address: found.address,
                no_dad: true,
                no_prefix_route: false,
            };
            let added = self.kernel.add_address(link, &address);
            added.map_err(kernel(what(&format!("the address {}", found.address))))?;
        }
        if state.up {
            self.up(index, state.name.as_str())?;
        }
        Ok(())
    }

    fn up(&mut self, index: u32, name: &str) -> Result<(), MakeError> {
        let up = self
            .kernel
            .change_link(self.id(index), &LinkChange::Up(true));
        up.map_err(kernel(format!("the link {name}")))
    }

    fn id(&self, index: u32) -> LinkId {
        LinkId {
            namespace: self.namespace,
            index,
        }
    }
}

/// Returns the kind of a link to make.
fn kind(wanted: &ImaginedLink) -> Result<LinkKind, MakeError> {
    let info = &wanted.link.info;
    match (info.kind.as_deref(), wanted.link.table) {
        (None | Some("dummy"), _) => Ok(Dummy.into()),
        (Some("bridge"), _) => Ok(Bridge {
            vlan_filtering: info.vlan_filtering.unwrap_or_default(),
        }
        .into()),
        (Some("vrf"), Some(table)) => Ok(Vrf { table }.into()),
        (Some(kind), _) => Err(MakeError::Kind(info.state.name.clone(), kind.to_owned())),
    }
}

fn kernel(what: String) -> impl FnOnce(KernelError) -> MakeError {
    |error| MakeError::Kernel { what, error }
}
