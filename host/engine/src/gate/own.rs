//! The driver's own links, addresses and routes in a namespace, according to its journals.

use std::sync::{Arc, OnceLock};

use ipnet::IpNet;
use journal::{Change, Entry, JournalError, Others};
use kernel::{KernelError, TableRoute};
use nix::errno::Errno;
use policy::RequestReach;
use types::{LinkName, Namespace};

use super::around::Around;

/// What the driver made in a namespace.
#[derive(Debug, Clone, Default)]
pub(super) struct Own {
    pub(super) made: Made,
    /// What it made for the network's other containers.
    pub(super) others: Option<OfOthers>,
    /// The foreign link into whose networks the user put the subnets.
    pub(super) around: Option<Around>,
}

/// The objects of some journals.
#[derive(Debug, Clone, Default)]
pub(super) struct Made {
    pub(super) links: Vec<(u32, LinkName)>,
    pub(super) addresses: Vec<(u32, IpNet)>,
    pub(super) routes: Vec<TableRoute>,
}

/// What the driver made on the host for the network's other containers. It is read once
/// something else than the container's own objects is in the way, which takes the longer,
/// the more containers there are. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct OfOthers {
    journals: Others,
    made: Arc<OnceLock<Result<Made, JournalError>>>,
}

impl Made {
    fn of<'a>(namespace: Namespace, entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut made = Self::default();
        for entry in entries {
            if let Some((link, name)) = entry.own_link()
                && link.namespace == namespace
            {
                made.links.push((link.index, name.clone()));
            }
            if let Change::AddAddress { link, address, .. } = &entry.change
                && link.namespace == namespace
            {
                made.addresses.push((link.index, *address));
            }
            if let Some((place, route, _)) = entry.change.added_route()
                && place == namespace
            {
                made.routes.push(route.clone());
            }
        }
        made
    }
}

impl OfOthers {
    pub(super) fn on_host(journals: Others) -> Self {
        Self {
            journals,
            made: Arc::default(),
        }
    }

    fn made(&self) -> &Result<Made, JournalError> {
        self.made.get_or_init(|| {
            let entries = self.journals.entries()?;
            Ok(Made::of(Namespace::Host, &entries))
        })
    }
}

impl Own {
    pub(super) fn of<'a>(
        namespace: Namespace,
        entries: impl IntoIterator<Item = &'a Entry>,
    ) -> Self {
        Self {
            made: Made::of(namespace, entries),
            ..Self::default()
        }
    }

    /// Adds what is on the host for the network's other containers.
    pub(super) fn and(self, others: OfOthers, request: &RequestReach) -> Self {
        Self {
            others: Some(others),
            around: Around::of(request),
            ..self
        }
    }

    /// Whether a link is the driver's. Its name is asked for if it has the index of one.
    pub(super) fn has_link(&self, index: u32, name: impl Fn() -> Option<LinkName>) -> bool {
        self.has(|made| {
            let mut links = made.links.iter().filter(|(own, _)| *own == index);
            links.any(|(_, own)| name().as_ref() == Some(own))
        })
    }

    /// Whether an address of a link is the driver's.
    pub(super) fn has_address(&self, index: u32, address: IpNet) -> bool {
        self.has(|made| made.addresses.contains(&(index, address)))
    }

    /// Whether a route is the driver's.
    pub(super) fn has_route(&self, found: &TableRoute) -> bool {
        self.has(|made| made.routes.iter().any(|own| found.is_told_by(own)))
    }

    fn has(&self, matches: impl Fn(&Made) -> bool) -> bool {
        let of_others = || {
            let made = self.others.as_ref().map(OfOthers::made);
            made.is_some_and(|made| made.as_ref().is_ok_and(&matches))
        };
        matches(&self.made) || of_others()
    }

    /// Returns the error for journals of others that were asked for and can't be read.
    pub(super) fn failure(&self) -> Option<KernelError> {
        let made = self.others.as_ref()?.made.get()?;
        let error = made.as_ref().err()?;
        Some(KernelError::Refused {
            errno: Errno::EIO,
            text: error.to_string(),
        })
    }
}
