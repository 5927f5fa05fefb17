//! The interface `routes`.

mod parse;

use std::collections::BTreeMap;

use journal::{Change, Entry};
use kernel::{KernelError, KnownLink, LinkId, MAIN_TABLE, TableRoute};
use nix::errno::Errno;
use policy::{Call, Object};
use types::{IpVersion, LinkName, Namespace, Route};

use self::parse::Draft;
use super::call::{CallError, Plan, invalid};
use super::clash;
use super::{Gate, Kernel, bounds};
use crate::driver::wit::routes::{Host, RouteInfo, RouteOptions};
use crate::driver::wit::types::{Namespace as WitNamespace, Route as WitRoute};
use crate::guard::Permitted;

/// The indexes of links by name, as they were read for one call.
type Links = BTreeMap<LinkName, u32>;

impl Host for Gate {
    fn add(
        &mut self,
        namespace: WitNamespace,
        route: WitRoute,
        options: Option<RouteOptions>,
    ) -> Result<(), CallError> {
        let namespace = namespace.into();
        // An equal foreign route is an error, because the undo would remove it.
        let plan = |kernel: &mut dyn Kernel, route: &TableRoute, links| {
            if kernel.has_route(namespace, route)? {
                return Err(Errno::EEXIST.into());
            }
            Ok(Plan::of([Change::AddRoute {
                namespace,
                route: route.clone(),
                links,
            }]))
        };
        let call = Call::RoutesAdd;
        let draft = draft(call, route, options)?;
        self.set_route(call, namespace, &draft, plan, |kernel, route| {
            kernel.add_route(namespace, route)
        })
    }

    fn replace(
        &mut self,
        namespace: WitNamespace,
        route: WitRoute,
        options: Option<RouteOptions>,
    ) -> Result<(), CallError> {
        let namespace = namespace.into();
        let plan = |kernel: &mut dyn Kernel, route: &TableRoute, links| {
            let before = kernel.save_rivals(namespace, route)?;
            Ok(Plan::of([Change::ReplaceRoute {
                namespace,
                route: route.clone(),
                links,
                before,
            }]))
        };
        let call = Call::RoutesReplace;
        let draft = draft(call, route, options)?;
        self.set_route(call, namespace, &draft, plan, |kernel, route| {
            kernel.replace_route(namespace, route)
        })
    }

    fn remove(
        &mut self,
        namespace: WitNamespace,
        route: WitRoute,
        options: Option<RouteOptions>,
    ) -> Result<(), CallError> {
        let call = Call::RoutesRemove;
        let namespace = namespace.into();
        let draft = draft(call, route, options)?;
        // The links only identify the route, so they aren't objects of the decision.
        let own = self.find_record(namespace, &draft);
        let hops = by_next_hop(&draft);
        let mut objects = self.route_objects(namespace, &hops, own.is_some());
        if own.is_none() {
            objects.extend(self.table_objects(namespace, draft.route.table));
        }
        let permit = self.decide(call, &objects)?;
        let result = match own {
            Some(entry) => self.remove_own(&permit, namespace, &entry)?,
            None => self.remove_foreign(&permit, namespace, &draft)?,
        };
        self.record(permit, &objects, result)
    }

    fn list(
        &mut self,
        namespace: WitNamespace,
        table: Option<u32>,
    ) -> Result<Vec<RouteInfo>, CallError> {
        let namespace = Namespace::from(namespace);
        let objects = [Object::AllRoutes(namespace)];
        let (routes, links) = self.read(Call::RoutesList, &objects, |kernel| {
            let table = table.unwrap_or(MAIN_TABLE);
            let mut routes = Vec::new();
            for version in IpVersion::ALL {
                routes.extend(kernel.routes(namespace, table, version)?);
            }
            Ok((routes, kernel.links(namespace, None)?))
        })?;
        let names = links.into_iter().map(|link| (link.index, link.name));
        let names = names.collect();
        let routes = routes.into_iter();
        Ok(routes.map(|route| parse::to_wit(route, &names)).collect())
    }
}

impl Gate {
    /// Adds a route, or replaces others by it.
    fn set_route(
        &mut self,
        call: Call,
        namespace: Namespace,
        draft: &Draft,
        plan: impl FnOnce(&mut dyn Kernel, &TableRoute, Vec<KnownLink>) -> Result<Plan, KernelError>,
        operation: impl FnOnce(&mut dyn Kernel, &TableRoute) -> Result<(), KernelError>,
    ) -> Result<(), CallError> {
        let hops = by_next_hop(draft);
        let links = draft.links();
        let mut objects = self.route_objects(namespace, &hops, false);
        objects.extend(links.iter().map(|name| Object::Link {
            namespace,
            name,
            own: self.own_link(namespace, name).is_some(),
        }));
        objects.extend(self.table_objects(namespace, draft.route.table));
        let permit = self.decide(call, &objects)?;
        let own = self.own_objects(namespace)?;
        let replaces = call == Call::RoutesReplace;
        let result = match self.resolve(&permit, namespace, &links) {
            Err(error) => Err(error),
            Ok(indexes) => {
                let route = draft.resolve(&indexes);
                let known = known_links(indexes);
                self.perform(
                    &permit,
                    |kernel| {
                        clash::check_route(kernel, namespace, &route, replaces, &own)?;
                        plan(kernel, &route, known)
                    },
                    |kernel| operation(kernel, &route),
                )?
            }
        };
        self.record(permit, &objects, result)
    }

    fn route_objects<'a>(
        &self,
        namespace: Namespace,
        hops: &'a [(Route, Option<LinkName>)],
        own: bool,
    ) -> Vec<Object<'a>> {
        let object = |(route, link): &'a (Route, Option<LinkName>)| {
            let link = link.as_ref();
            Object::Route {
                namespace,
                route,
                through_own_link: link.is_some_and(|name| self.own_link(namespace, name).is_some()),
                own,
            }
        };
        hops.iter().map(object).collect()
    }

    /// Returns a route's table as an object of a decision. The main table is always
    /// allowed, so it's `None`.
    fn table_objects(&self, namespace: Namespace, table: u32) -> Option<Object<'static>> {
        (table != MAIN_TABLE).then(|| self.table_object(namespace, table))
    }

    /// Returns a routing table as an object of a decision.
    pub(super) fn table_object(&self, namespace: Namespace, table: u32) -> Object<'static> {
        let journal = self.rollback.journal.as_ref();
        Object::Table {
            namespace,
            table,
            own: namespace == Namespace::Host
                && journal.is_some_and(|journal| journal.owns_table(table)),
        }
    }

    /// Returns the own link with a name.
    pub(super) fn own_link(&self, namespace: Namespace, name: &LinkName) -> Option<LinkId> {
        let journal = self.rollback.journal.as_ref();
        journal.and_then(|journal| journal.own_link(namespace, name))
    }

    /// Finds the indexes of links.
    fn resolve(
        &mut self,
        permit: &Permitted,
        namespace: Namespace,
        names: &[LinkName],
    ) -> Result<Links, KernelError> {
        let mut links = Links::new();
        for name in names {
            let own = self.own_link(namespace, name);
            let index = find_link(self.rollback.guard.open(permit), own, namespace, name)?;
            links.insert(name.clone(), index);
        }
        Ok(links)
    }

    /// Returns the undo record of an added route.
    fn find_record(&self, namespace: Namespace, draft: &Draft) -> Option<Entry> {
        let is_it = |entry: &&Entry| {
            let Some((place, route, links)) = entry.change.added_route() else {
                return false;
            };
            let links: Links = links
                .iter()
                .map(|link| (link.name.clone(), link.index))
                .collect();
            let has_links = draft.links().iter().all(|name| links.contains_key(name));
            place == namespace && has_links && route.is_told_by(&draft.resolve(&links))
        };
        let mut entries = self.rollback.journal.as_ref()?.entries_of(namespace);
        entries.find(is_it).cloned()
    }

    /// Removes a route that the driver added. If it replaced others, its removal gets
    /// an undo record, so that the rollback goes back step by step.
    fn remove_own(
        &mut self,
        permit: &Permitted,
        namespace: Namespace,
        entry: &Entry,
    ) -> Result<Result<(), KernelError>, CallError> {
        let route = match &entry.change {
            Change::AddRoute { route, .. } => route,
            Change::ReplaceRoute { route, .. } => {
                return self.remove_with_record(permit, namespace, route);
            }
            _ => return Ok(Err(Errno::ESRCH.into())),
        };
        let result = self
            .rollback
            .guard
            .open(permit)
            .remove_route(namespace, route);
        if result.is_ok() {
            self.forget(entry.number)?;
        }
        Ok(result)
    }

    fn remove_foreign(
        &mut self,
        permit: &Permitted,
        namespace: Namespace,
        draft: &Draft,
    ) -> Result<Result<(), KernelError>, CallError> {
        let links = match self.resolve(permit, namespace, &draft.links()) {
            Ok(links) => links,
            Err(error) => return Ok(Err(error)),
        };
        self.remove_with_record(permit, namespace, &draft.resolve(&links))
    }

    fn remove_with_record(
        &mut self,
        permit: &Permitted,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<Result<(), KernelError>, CallError> {
        let save = |kernel: &mut dyn Kernel| match kernel.save_route(namespace, route)? {
            before if before.is_empty() => Err(Errno::ESRCH.into()),
            before => Ok(before),
        };
        let change = |before| Change::RemoveRoute {
            namespace,
            route: route.clone(),
            before,
        };
        self.remove_saved(
            permit,
            save,
            |before| Some(change(before)),
            |kernel, before| kernel.remove_saved(namespace, before),
        )
    }
}

/// Converts a driver's route, and checks it and the lengths of its texts.
fn draft(call: Call, route: WitRoute, options: Option<RouteOptions>) -> Result<Draft, CallError> {
    bounds::address(call, &route.destination)?;
    bounds::addresses(call, [&route.gateway])?;
    if let Some(options) = &options {
        bounds::addresses(call, [&options.source])?;
        bounds::names(call, [&options.link])?;
        bounds::next_hops(call, &options.next_hops)?;
    }
    parse::draft(route, options).map_err(|error| invalid(call, &error))
}

/// Returns a route for each next hop, with the next hop's link. Each one must be in
/// reach.
fn by_next_hop(draft: &Draft) -> Vec<(Route, Option<LinkName>)> {
    let links = match draft.hop_links.is_empty() {
        true => vec![draft.link.clone()],
        false => draft.hop_links.clone(),
    };
    let hops = draft.route.by_next_hop().into_iter().map(|hop| hop.route);
    hops.zip(links).collect()
}

fn known_links(links: Links) -> Vec<KnownLink> {
    let links = links.into_iter();
    links
        .map(|(name, index)| KnownLink { index, name })
        .collect()
}

/// Returns the index of a link. An own link must have its index and its name, because
/// another link may have taken either.
pub(super) fn find_link(
    kernel: &mut dyn Kernel,
    own: Option<LinkId>,
    namespace: Namespace,
    name: &LinkName,
) -> Result<u32, KernelError> {
    let Some(own) = own else {
        return Ok(kernel.link_by_name(namespace, name)?.index);
    };
    match kernel.link_by_id(own)? {
        state if state.name == *name => Ok(state.index),
        _ => Err(KernelError::NotFound(format!("{name} is gone"))),
    }
}
