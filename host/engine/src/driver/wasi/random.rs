//! Random numbers. All are the kernel's, even those that WASI calls insecure.

use wasmtime::component::LinkerInstance;
use wasmtime::{Error, Result, bail};

use super::{State, refusal};

/// The most random bytes in one call.
const MAX: usize = 64 << 10;

pub(super) fn serve(served: &mut LinkerInstance<'_, State>, function: &str) -> Result<()> {
    match function {
        "get-random-bytes" | "get-insecure-random-bytes" => {
            served.func_wrap(function, |_, (count,): (u64,)| Ok((bytes(count)?,)))
        }
        "get-random-u64" | "get-insecure-random-u64" => {
            served.func_wrap(function, |_, ()| Ok((number()?,)))
        }
        "insecure-seed" => served.func_wrap(function, |_, ()| Ok(((number()?, number()?),))),
        _ => refusal::serve(served, function),
    }
}

fn bytes(count: u64) -> Result<Vec<u8>> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > MAX {
        bail!("it wants more than {MAX} random bytes at once");
    }
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn number() -> Result<u64> {
    getrandom::u64().map_err(failed)
}

fn failed(error: getrandom::Error) -> Error {
    Error::msg(format!("there are no random numbers: {error}"))
}
