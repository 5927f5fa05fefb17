//! What a request makes reachable: what stands in it and in what its user gave
//! to `network create`.

use policy::RequestReach;
use request::{Request, Said};

use super::{PluginError, setup};
use crate::store::{KeptNetworks, Layout};

/// The reach of a request, by what is kept of its network.
pub(super) fn reach(layout: &Layout, request: &Request) -> Result<RequestReach, PluginError> {
    let kept = KeptNetworks::new(layout).find(&request.network.id)?;
    let said = request.said(kept.as_ref())?;
    let unsaid = hint(&request.network.name, &said);
    Ok(RequestReach {
        chosen: said.chosen,
        parent_differs: said.parent_differs,
        unsaid,
        ..setup::reach(&said.request)
    })
}

/// What a denial says of a network that has more than its user gave.
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
