//! The refusal of functions that aren't served. The function's type says how it can be
//! refused.

use wasmtime::component::types::{ComponentFunc, Type};
use wasmtime::component::{LinkerInstance, Val};
use wasmtime::{Result, bail};

use super::State;

/// The error codes of WASI for a forbidden attempt, the best one first.
const REFUSALS: [&str; 4] = [
    "access-denied",
    "not-permitted",
    "not-supported",
    "unsupported",
];

/// Serves a function that refuses every call.
pub(super) fn serve(served: &mut LinkerInstance<'_, State>, function: &str) -> Result<()> {
    let name = function.to_owned();
    served.func_new(function, move |_, function, _, results| {
        match (refusal(&function), results.first_mut()) {
            (Some(value), Some(result)) => {
                *result = value;
                Ok(())
            }
            (None, None) => Ok(()),
            _ => bail!("it called WASI's {name}, which drivers can't use"),
        }
    })
}

/// Serves a function that ends the run.
pub(super) fn end(served: &mut LinkerInstance<'_, State>, function: &str) -> Result<()> {
    served.func_new(function, |_, _, _, _| bail!("it ended itself"))
}

/// Returns the empty value, or the error, of a function's result type.
fn refusal(function: &ComponentFunc) -> Option<Val> {
    match function.results().next()? {
        Type::List(_) => Some(Val::List(Vec::new())),
        Type::Option(_) => Some(Val::Option(None)),
        Type::String => Some(Val::String(String::new())),
        Type::Bool => Some(Val::Bool(false)),
        Type::Result(result) => match result.err() {
            Some(Type::Enum(codes)) => {
                let mut best = REFUSALS.into_iter();
                let code = best.find(|word| codes.names().any(|name| name == *word))?;
                let code = Val::Enum(code.to_owned());
                Some(Val::Result(Err(Some(Box::new(code)))))
            }
            Some(_) => None,
            None => Some(Val::Result(Err(None))),
        },
        _ => None,
    }
}
