//! Operations on routes over rtnetlink.

use netlink_packet_route::route::{RouteAttribute, RouteMessage, RouteScope};
use nix::errno::Errno;
use types::{IpVersion, Namespace};

use super::snapshot::{bytes, parse, renumber, unless_existing};
use super::{Netlink, route};
use crate::{
    FoundRoute, KernelError, KnownLink, LinkId, LinksRead, Routes, RoutesRead, SavedRoutes,
    TableRoute,
};

impl RoutesRead for Netlink {
    fn default_route_link(&mut self) -> Result<u32, KernelError> {
        for question in route::all_routes_questions() {
            let answers = self.host.handle.route().get(question).execute();
            let link = self.collect(answers)?.iter().find_map(route::default_link);
            if let Some(index) = link {
                return Ok(index);
            }
        }
        Err(KernelError::NotFound(
            "failed to get default route interface".to_owned(),
        ))
    }

    fn routes(
        &mut self,
        namespace: Namespace,
        table: u32,
        version: IpVersion,
    ) -> Result<Vec<FoundRoute>, KernelError> {
        let answers = self.routes_of(namespace, table, version)?;
        let found = answers.iter().filter_map(route::found);
        Ok(found.filter(|found| found.route.table == table).collect())
    }

    fn has_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<bool, KernelError> {
        Ok(!self.same_routes(namespace, route)?.is_empty())
    }

    fn save_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError> {
        let same = self.same_routes(namespace, route)?;
        self.save_messages(namespace, &same)
    }

    fn save_rivals(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<SavedRoutes, KernelError> {
        let rivals = self.rival_routes(namespace, route)?;
        self.save_messages(namespace, &rivals)
    }
}

impl Routes for Netlink {
    fn add_route(&mut self, namespace: Namespace, route: &TableRoute) -> Result<(), KernelError> {
        let handle = self.handle(namespace)?.clone();
        self.wait(route::add(handle, route::message(route)))
    }

    fn replace_route(
        &mut self,
        namespace: Namespace,
        route: &TableRoute,
    ) -> Result<(), KernelError> {
        let handle = self.handle(namespace)?.clone();
        self.wait(route::replace(handle, route::message(route)))
    }

    fn remove_route(
        &mut self,
        namespace: Namespace,
        wanted: &TableRoute,
    ) -> Result<(), KernelError> {
        let mut message = route::message(wanted);
        if wanted.scope.is_none() {
            message.header.scope = RouteScope::NoWhere;
        }
        let routes = self.handle(namespace)?.route();
        self.wait(routes.del(message).execute())
    }

    fn remove_saved(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError> {
        for (done, message) in saved.messages.iter().enumerate() {
            let mut message: RouteMessage = parse(message)?;
            renumber(&mut message, 0, 0);
            let routes = self.handle(namespace)?.route();
            let removed = self.wait(routes.del(message).execute());
            removed.map_err(|error| error.after(done))?;
        }
        Ok(())
    }

    // Passes over a route whose gateway can't be reached any more. The kernel
    // would have removed it too.
    fn put_back_routes(
        &mut self,
        namespace: Namespace,
        saved: &SavedRoutes,
    ) -> Result<(), KernelError> {
        let handle = self.handle(namespace)?;
        for message in &saved.messages {
            let mut message: RouteMessage = parse(message)?;
            renumber(&mut message, 0, 0);
            let result = unless_existing(|| self.wait(route::add(handle.clone(), message.clone())));
            match result {
                Err(error) if is_unreachable(&error) => {}
                result => result?,
            }
        }
        Ok(())
    }
}

impl Netlink {
    /// Returns a table's routes of one version of IP, and before Linux 4.20 those of the
    /// other tables, too. A table without a route needn't exist.
    fn routes_of(
        &self,
        namespace: Namespace,
        table: u32,
        version: IpVersion,
    ) -> Result<Vec<RouteMessage>, KernelError> {
        let question = route::question(version, Some(table));
        let handle = self.handle(namespace)?;
        match self.collect(handle.route().get(question).execute()) {
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            result => result,
        }
    }

    /// Returns the routes that may be a wanted one, or stand in its place.
    fn routes_beside(
        &self,
        namespace: Namespace,
        wanted: &TableRoute,
    ) -> Result<Vec<RouteMessage>, KernelError> {
        let version = IpVersion::of(&wanted.route.destination);
        self.routes_of(namespace, wanted.table, version)
    }

    /// Returns the kernel's routes that are the wanted one, or one of its next
    /// hops.
    pub(super) fn same_routes(
        &self,
        namespace: Namespace,
        wanted: &TableRoute,
    ) -> Result<Vec<RouteMessage>, KernelError> {
        let wanted_hops = match wanted.route.destination.addr().is_ipv6() {
            true => wanted.by_next_hop(),
            false => vec![wanted.clone()],
        };
        let answers = self.routes_beside(namespace, wanted)?;
        let mut found: Vec<RouteMessage> = answers.iter().flat_map(route::by_next_hop).collect();
        found.retain(|one| wanted_hops.iter().any(|hop| route::is_same(one, hop)));
        Ok(found)
    }

    /// Returns the kernel's routes that the wanted one would replace.
    pub(super) fn rival_routes(
        &self,
        namespace: Namespace,
        wanted: &TableRoute,
    ) -> Result<Vec<RouteMessage>, KernelError> {
        let mut answers = self.routes_beside(namespace, wanted)?;
        answers.retain(|answer| route::is_rival(answer, wanted));
        Ok(answers)
    }

    /// Saves routes for restoring them.
    pub(super) fn save_messages(
        &mut self,
        namespace: Namespace,
        messages: &[RouteMessage],
    ) -> Result<SavedRoutes, KernelError> {
        let mut indexes: Vec<u32> = messages.iter().flat_map(links_of).collect();
        indexes.sort_unstable();
        indexes.dedup();
        let mut links = Vec::new();
        for index in indexes {
            let name = self.link_by_id(LinkId { namespace, index })?.name;
            links.push(KnownLink { index, name });
        }
        Ok(SavedRoutes {
            messages: messages.iter().map(bytes).collect(),
            links,
        })
    }
}

fn is_unreachable(error: &KernelError) -> bool {
    matches!(
        error.errno(),
        Some(Errno::ENETUNREACH | Errno::EHOSTUNREACH | Errno::ENETDOWN)
    )
}

fn links_of(message: &RouteMessage) -> Vec<u32> {
    let links = message
        .attributes
        .iter()
        .flat_map(|attribute| match attribute {
            RouteAttribute::Oif(index) => vec![*index],
            RouteAttribute::MultiPath(hops) => hops.iter().map(|hop| hop.interface_index).collect(),
            _ => Vec::new(),
        });
    links.collect()
}
