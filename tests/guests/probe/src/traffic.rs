//! The calls of `traffic`.
//!
//! - `traffic.set-tbf HANDLE RATE BURST LATENCY`: bits per second, bytes,
//!   milliseconds
//! - `traffic.set-htb HANDLE RATE BURST`
//! - `traffic.add-htb-class HANDLE RATE CEILING BURST SOURCE|- DESTINATION|-`
//! - `traffic.redirect-ingress HANDLE HANDLE`
//! - `traffic.clear HANDLE`

use wasmvark_guest::links::Link;
use wasmvark_guest::traffic::{self, HtbClass, Shape, TbfOptions};
use wasmvark_guest::types::Error;

use crate::arguments::{Arguments, invalid};
use crate::calls::handle;

pub(crate) fn run(
    function: &str,
    arguments: &mut Arguments<'_>,
    handles: &[Link],
) -> Result<(), Error> {
    let link = handle(arguments, handles)?;
    match function {
        "set-tbf" => {
            let options = TbfOptions {
                shape: shape(arguments)?,
                latency: arguments.number()?,
            };
            traffic::set_tbf(link, options)
        }
        "set-htb" => traffic::set_htb(link, shape(arguments)?),
        "add-htb-class" => {
            let (rate, ceiling) = (arguments.number()?, arguments.number()?);
            let burst = arguments.number()?;
            let options = HtbClass {
                assured: Shape { rate, burst },
                ceiling: Some(Shape {
                    rate: ceiling,
                    burst,
                }),
                source: arguments.optional()?.map(str::to_owned),
                destination: arguments.optional()?.map(str::to_owned),
            };
            traffic::add_htb_class(link, &options)
        }
        "redirect-ingress" => traffic::redirect_ingress(link, handle(arguments, handles)?),
        "clear" => traffic::clear(link),
        word => Err(invalid(&format!("unknown word traffic.{word}"))),
    }
}

fn shape(arguments: &mut Arguments<'_>) -> Result<Shape, Error> {
    Ok(Shape {
        rate: arguments.number()?,
        burst: arguments.number()?,
    })
}
