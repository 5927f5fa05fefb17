//! Names of links in requests.

use types::LinkName;

use super::RequestError;

/// Parses the name of a link. `what` says in the error what the name is for.
pub(super) fn parse(what: &'static str, name: &str) -> Result<LinkName, RequestError> {
    name.parse()
        .map_err(|error| RequestError::LinkName { what, error })
}
