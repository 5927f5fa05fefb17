//! The interface `routes`.

use ipnet::IpNet;
use nix::errno::Errno;

use super::perform::{CallError, Plan, invalid};
use super::{Gate, Kernel};
use crate::driver::wit::routes::Host;
use crate::driver::wit::types::{Namespace as WitNamespace, Route as WitRoute, RouteKind as Kind};
use crate::grant::{Call, Object};
use crate::journal::Change;
use crate::net::{Namespace, Route, RouteKind};

impl Host for Gate {
    fn add(&mut self, namespace: WitNamespace, route: WitRoute) -> Result<(), CallError> {
        let call = Call::RoutesAdd;
        let namespace = Namespace::from(namespace);
        let route = parse(route).map_err(|error| invalid(call, &error))?;
        let objects = [Object::Route {
            namespace,
            route: &route,
        }];
        // Before the journal says that a route that looks like this is own.
        let plan = |kernel: &mut dyn Kernel| match kernel.has_route(namespace, &route)? {
            true => Err(Errno::EEXIST.into()),
            false => Ok(Plan::of([Change::AddRoute {
                namespace,
                route: route.clone(),
            }])),
        };
        self.change(call, &objects, plan, |kernel| {
            kernel.add_route(namespace, &route)
        })
    }
}

fn parse(route: WitRoute) -> Result<Route, String> {
    let destination: IpNet = route
        .destination
        .parse()
        .map_err(|_| format!("{:?} is no network", route.destination))?;
    let gateway = route
        .gateway
        .map(|text| {
            text.parse()
                .map_err(|_| format!("{text:?} is no IP address"))
        })
        .transpose()?;
    let kind = match route.kind {
        Kind::Unicast => RouteKind::Unicast,
        Kind::Blackhole => RouteKind::Blackhole,
        Kind::Unreachable => RouteKind::Unreachable,
        Kind::Prohibit => RouteKind::Prohibit,
    };
    let route = Route {
        destination: destination.trunc(),
        gateway,
        metric: route.metric,
        kind,
    };
    check(&route)?;
    Ok(route)
}

fn check(route: &Route) -> Result<(), String> {
    match (route.kind, route.gateway) {
        (RouteKind::Unicast, None) => Err(format!("the route {route} needs a gateway")),
        (RouteKind::Unicast, Some(gateway))
            if gateway.is_ipv4() != route.destination.addr().is_ipv4() =>
        {
            Err(format!("the route {route} mixes IPv4 and IPv6"))
        }
        (RouteKind::Unicast, Some(_)) | (_, None) => Ok(()),
        (_, Some(_)) => Err(format!("the route {route} can't have a gateway")),
    }
}
