//! Names of links that requests give.

use types::LinkName;

use super::RequestError;

/// Checks the name of a link.
pub(super) fn parse(what: &'static str, name: &str) -> Result<LinkName, RequestError> {
    name.parse()
        .map_err(|error| RequestError::LinkName { what, error })
}
