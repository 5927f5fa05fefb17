//! The calls of `neighbours`.
//!
//! - `neighbours.add HANDLE ADDRESS MAC`, `neighbours.remove HANDLE ADDRESS`
//! - `neighbours.add-proxy HANDLE ADDRESS`, `neighbours.remove-proxy HANDLE ADDRESS`
//! - `neighbours.list HANDLE [tell]`

use wasmvark_guest::links::Link;
use wasmvark_guest::neighbours;
use wasmvark_guest::types::Error;

use crate::arguments::{Arguments, invalid};
use crate::calls::{handle, tell};

/// Makes a call.
pub(crate) fn run(
    function: &str,
    arguments: &mut Arguments<'_>,
    handles: &[Link],
) -> Result<(), Error> {
    let link = handle(arguments, handles)?;
    match function {
        "add" => neighbours::add(link, arguments.word()?, arguments.word()?),
        "remove" => neighbours::remove(link, arguments.word()?),
        "add-proxy" => neighbours::add_proxy(link, arguments.word()?),
        "remove-proxy" => neighbours::remove_proxy(link, arguments.word()?),
        "list" => {
            let neighbours = neighbours::list(link)?;
            tell(arguments, "neighbours", &format!("{neighbours:?}"))
        }
        word => Err(invalid(&format!("unknown word neighbours.{word}"))),
    }
}
