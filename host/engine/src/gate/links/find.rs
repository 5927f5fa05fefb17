//! Links, found by a property other than their name.

use std::fmt::Display;
use std::str::FromStr;

use kernel::{self, LinkId, PlacedLink};
use policy::{Call, LinkPattern, Object, Reach, decide, reach_used};
use types::{LinkProperty, Namespace};
use wasmtime::component::Resource;

use super::LinkHandle;
use crate::gate::Gate;
use crate::gate::call::{CallError, invalid};

impl Gate {
    /// Makes the call `links.get-by-index`.
    pub(super) fn link_by_index(
        &mut self,
        namespace: Namespace,
        index: u32,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let property = LinkProperty::Index(index);
        self.link_with(Call::LinksGetByIndex, namespace, &property)
    }

    /// Finds a link of the host by a property in text form.
    pub(super) fn link_by<T: FromStr<Err: Display>>(
        &mut self,
        call: Call,
        text: &str,
        property: impl FnOnce(T) -> LinkProperty,
    ) -> Result<Resource<LinkHandle>, CallError> {
        let value = text.parse().map_err(|error| invalid(call, &error))?;
        self.link_with(call, Namespace::Host, &property(value))
    }

    /// Finds the one link that has a property.
    ///
    /// A search for the property that the request's parent has sees every link, and its
    /// result is the parent. Any other search sees only links in the reach of the call,
    /// so that its result says nothing about other links.
    fn link_with(
        &mut self,
        call: Call,
        namespace: Namespace,
        property: &LinkProperty,
    ) -> Result<Resource<LinkHandle>, CallError> {
        self.check_handle_limit(call, 1)?;
        let own = match property {
            LinkProperty::Index(index) => self.owns_index(LinkId {
                namespace,
                index: *index,
            }),
            _ => false,
        };
        let objects = [Object::LinkWith {
            namespace,
            property,
            own,
        }];
        let permit = self.decide(call, &objects)?;
        let is_parent = self.authority.request.parent_property.as_ref() == Some(property);
        let links = self.rollback.guard.open(&permit).placed_links(namespace);
        let found = links.and_then(|mut links| {
            links.retain(|link| is_parent || self.sees(call, namespace, link));
            kernel::find(&links, property)
        });
        let mut reach = reach_used(&self.authority, call, &objects);
        if let Ok(found) = &found
            && !reach.is_empty()
        {
            let link = LinkPattern::one(namespace, found.name.clone());
            reach = Reach {
                link: vec![link],
                ..Reach::default()
            };
        }
        let state = self.record_with(permit, &objects, &reach, found)?;
        if is_parent {
            self.authority.request.parent = Some(state.name.clone());
        }
        let index = state.index;
        self.hand_out(LinkId { namespace, index }, state.name)
    }

    fn sees(&self, call: Call, namespace: Namespace, link: &PlacedLink) -> bool {
        let name = &link.state.name;
        let index = link.state.index;
        let journal = self.rollback.journal.as_ref();
        let own = journal.is_some_and(|journal| journal.owns(LinkId { namespace, index }, name));
        let object = Object::Link {
            namespace,
            name,
            own,
        };
        decide(&self.authority, call, &[object]).is_ok()
    }

    fn owns_index(&self, link: LinkId) -> bool {
        let journal = self.rollback.journal.as_ref();
        journal.is_some_and(|journal| journal.own_links().any(|(own, _)| own == link))
    }
}
