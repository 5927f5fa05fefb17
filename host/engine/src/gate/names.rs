//! The names of a namespace's links, by their indices.

use std::cell::RefCell;
use std::collections::BTreeMap;

use kernel::LinkId;
use types::{LinkName, Namespace};

use super::Kernel;

/// The names of links. Each is read when it is asked for, because a host can have a
/// thousand links of which one is in the way.
pub(super) struct Names<'a> {
    kernel: RefCell<Option<&'a mut dyn Kernel>>,
    namespace: Namespace,
    known: RefCell<BTreeMap<u32, Option<LinkName>>>,
}

impl<'a> Names<'a> {
    /// Returns the names of a namespace's links.
    pub(super) fn of(kernel: &'a mut dyn Kernel, namespace: Namespace) -> Self {
        Self {
            kernel: RefCell::new(Some(kernel)),
            namespace,
            known: RefCell::default(),
        }
    }

    /// Returns a link's name. A link that is gone, or that can't be read, has none: it
    /// counts as foreign then.
    pub(super) fn get(&self, index: u32) -> Option<LinkName> {
        let mut known = self.known.borrow_mut();
        let name = known.entry(index).or_insert_with(|| self.read(index));
        name.clone()
    }

    fn read(&self, index: u32) -> Option<LinkName> {
        let mut kernel = self.kernel.borrow_mut();
        let id = LinkId {
            namespace: self.namespace,
            index,
        };
        let link = kernel.as_mut()?.link_by_id(id);
        link.ok().map(|link| link.name)
    }
}

#[cfg(test)]
impl Names<'static> {
    /// Returns these names of the host's links, and no others.
    pub(super) fn known<const N: usize>(names: [(u32, &str); N]) -> Self {
        let name = |(index, name): (u32, &str)| (index, name.parse().ok());
        Self {
            kernel: RefCell::new(None),
            namespace: Namespace::Host,
            known: RefCell::new(names.into_iter().map(name).collect()),
        }
    }

    /// Gives a link another name.
    pub(super) fn insert(&mut self, index: u32, name: &str) {
        self.known.get_mut().insert(index, name.parse().ok());
    }
}
