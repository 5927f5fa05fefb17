//! The calls of `firewall`.
//!
//! - `firewall.masquerade SOURCE [EXCEPT…]`
//! - `firewall.source-address SOURCE ADDRESS [EXCEPT…]`

use wasmvark_guest::firewall;
use wasmvark_guest::links::Link;
use wasmvark_guest::types::Error;

use crate::arguments::{Arguments, invalid};

pub(crate) fn run(
    function: &str,
    arguments: &mut Arguments<'_>,
    _handles: &[Link],
) -> Result<(), Error> {
    match function {
        "masquerade" => {
            let source = arguments.word()?;
            firewall::masquerade(source, &words(arguments))
        }
        "source-address" => {
            let (source, address) = (arguments.word()?, arguments.word()?);
            firewall::source_address(source, &words(arguments), address)
        }
        word => Err(invalid(&format!("unknown word firewall.{word}"))),
    }
}

/// All that's left.
fn words(arguments: &mut Arguments<'_>) -> Vec<String> {
    let words = arguments.rest().split_whitespace();
    words.map(str::to_owned).collect()
}
