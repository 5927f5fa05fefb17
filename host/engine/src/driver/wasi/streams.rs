//! Standard input, output and error, and `poll`. A wait returns at once, because the
//! run's deadline can't interrupt a host call that sleeps.

use wasmtime::component::{ComponentType, LinkerInstance, Lower, Resource, WasmList};
use wasmtime::{Result, StoreContextMut, bail};

use super::handles::{self, Error, Input, Output, Pollable};
use super::{State, refusal};

/// The number of bytes that `check-write` allows.
const CHUNK: u64 = 64 << 10;
/// The most pollables in one call of `poll`.
const POLLABLES_MAX: usize = 1024;

/// The WASI variant `stream-error`.
#[derive(ComponentType, Lower)]
#[component(variant)]
#[allow(dead_code, reason = "the type has a case that never happens here")]
enum StreamError {
    #[component(name = "last-operation-failed")]
    Failed(Resource<Error>),
    #[component(name = "closed")]
    Closed,
}

type Done<T> = Result<(std::result::Result<T, StreamError>,)>;

pub(super) fn serve(served: &mut LinkerInstance<'_, State>, function: &str) -> Result<()> {
    let (resource, method) = function.split_once('.').unwrap_or(("", function));
    match (resource, method) {
        ("", "get-stdin") => served.func_wrap(function, |store, ()| handles::new::<Input>(store)),
        ("", "get-stdout" | "get-stderr") => {
            served.func_wrap(function, |store, ()| handles::new::<Output>(store))
        }
        ("", "poll") => served.func_wrap(
            function,
            |_, (pollables,): (WasmList<Resource<Pollable>>,)| poll(pollables.len()),
        ),
        ("[method]pollable", "ready") => {
            served.func_wrap(function, |_, (_,): (Resource<Pollable>,)| Ok((true,)))
        }
        ("[method]pollable", "block") => {
            served.func_wrap(function, |_, (_,): (Resource<Pollable>,)| Ok(()))
        }
        ("[method]input-stream", method) => serve_input(served, function, method),
        ("[method]output-stream", method) => serve_output(served, function, method),
        _ => refusal::serve(served, function),
    }
}

/// Returns the indexes of the ready pollables, which are all.
fn poll(count: usize) -> Result<(Vec<u32>,)> {
    match count {
        0 => bail!("it called poll without a pollable"),
        count if count > POLLABLES_MAX => {
            bail!("it called poll with more than {POLLABLES_MAX} pollables")
        }
        count => Ok(((0..).take(count).collect(),)),
    }
}

/// Serves standard input, which is at its end.
fn serve_input(served: &mut LinkerInstance<'_, State>, function: &str, method: &str) -> Result<()> {
    match method {
        "read" | "blocking-read" => served.func_wrap(
            function,
            |_, (_, _): (Resource<Input>, u64)| -> Done<Vec<u8>> {
                Ok((Err(StreamError::Closed),))
            },
        ),
        "skip" | "blocking-skip" => served
            .func_wrap(function, |_, (_, _): (Resource<Input>, u64)| -> Done<u64> {
                Ok((Err(StreamError::Closed),))
            }),
        "subscribe" => served.func_wrap(function, |store, (_,): (Resource<Input>,)| {
            handles::new::<Pollable>(store)
        }),
        _ => refusal::serve(served, function),
    }
}

fn serve_output(
    served: &mut LinkerInstance<'_, State>,
    function: &str,
    method: &str,
) -> Result<()> {
    match method {
        "check-write" => served.func_wrap(function, |_, (_,): (Resource<Output>,)| -> Done<u64> {
            Ok((Ok(CHUNK),))
        }),
        "write" | "blocking-write-and-flush" => served.func_wrap(function, write),
        "write-zeroes" | "blocking-write-zeroes-and-flush" => {
            served.func_wrap(function, write_zeroes)
        }
        "flush" | "blocking-flush" => served
            .func_wrap(function, |_, (_,): (Resource<Output>,)| -> Done<()> {
                Ok((Ok(()),))
            }),
        "splice" | "blocking-splice" => served.func_wrap(
            function,
            |_, (_, _, _): (Resource<Output>, Resource<Input>, u64)| -> Done<u64> {
                Ok((Err(StreamError::Closed),))
            },
        ),
        "subscribe" => served.func_wrap(function, |store, (_,): (Resource<Output>,)| {
            handles::new::<Pollable>(store)
        }),
        _ => refusal::serve(served, function),
    }
}

fn write(
    mut store: StoreContextMut<'_, State>,
    (_, bytes): (Resource<Output>, WasmList<u8>),
) -> Done<()> {
    let remaining = remaining(&mut store);
    let bytes = bytes.as_le_slice(&store);
    let is_cut = bytes.len() > remaining;
    let fitting = bytes.get(..remaining).unwrap_or(bytes).to_vec();
    keep(&mut store, &fitting, is_cut)
}

fn write_zeroes(
    mut store: StoreContextMut<'_, State>,
    (_, count): (Resource<Output>, u64),
) -> Done<()> {
    let remaining = remaining(&mut store);
    let wanted = usize::try_from(count).unwrap_or(usize::MAX);
    keep(
        &mut store,
        &vec![0; wanted.min(remaining)],
        wanted > remaining,
    )
}

/// Returns the number of bytes that the component may still print.
fn remaining(store: &mut StoreContextMut<'_, State>) -> usize {
    let wasi = store.data_mut().wasi();
    wasi.capacity.saturating_sub(wasi.output.len())
}

fn keep(store: &mut StoreContextMut<'_, State>, bytes: &[u8], cut: bool) -> Done<()> {
    store.data_mut().wasi().output.extend_from_slice(bytes);
    match cut {
        true => bail!("its output exceeds the limit"),
        false => Ok((Ok(()),)),
    }
}
