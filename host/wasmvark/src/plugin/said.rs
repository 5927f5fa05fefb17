//! The reach of a request: the objects that are named both in the request and in the
//! user's `network create`.

use policy::RequestReach;
use request::{KeptNetwork, Request, Said};

use super::{PluginError, setup};
use crate::store::{KeptNetworks, Layout};

/// Returns the reach of a request, according to the kept network.
pub(super) fn reach(layout: &Layout, request: &Request) -> Result<RequestReach, PluginError> {
    let kept = KeptNetworks::new(layout).find(&request.network.id)?;
    beside(kept.as_ref(), request)
}

/// Returns the reach of a request on an imagined machine, which has kept no network.
pub(super) fn imagined(request: &Request) -> Result<RequestReach, PluginError> {
    beside(None, request)
}

fn beside(kept: Option<&KeptNetwork>, request: &Request) -> Result<RequestReach, PluginError> {
    let said = request.said(kept)?;
    let unsaid = hint(&request.network.name, &said);
    Ok(RequestReach {
        chosen: said.chosen,
        parent_differs: said.parent_differs,
        unsaid,
        ..setup::reach(&said.request)
    })
}

/// Returns the hint for denials, if the network has parts that aren't the user's word.
fn hint(network: &str, said: &Said) -> Option<String> {
    if said.unsaid.is_empty() {
        return None;
    }
    Some(format!(
        "the network {network} has what its user didn't give when it was created: {}; if that is \
         meant, `wasmvark adopt {network}` makes it the user's word",
        said.unsaid.join(", ")
    ))
}
