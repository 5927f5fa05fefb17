//! The clocks of WASI. They show the machine's time.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use wasmtime::Result;
use wasmtime::component::{ComponentType, LinkerInstance, Lower};

use super::handles::{self, Pollable};
use super::{State, refusal};

/// The zero of the monotonic clock, which WASI leaves open.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The WASI record `datetime`: a time since the Unix epoch.
#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

pub(super) fn serve_monotonic(
    served: &mut LinkerInstance<'_, State>,
    function: &str,
) -> Result<()> {
    match function {
        "now" => served.func_wrap(function, |_, ()| {
            let nanoseconds = START.elapsed().as_nanos();
            Ok((u64::try_from(nanoseconds).unwrap_or(u64::MAX),))
        }),
        "resolution" => served.func_wrap(function, |_, ()| Ok((1u64,))),
        "subscribe-instant" | "subscribe-duration" => served
            .func_wrap(function, |store, (_,): (u64,)| {
                handles::new::<Pollable>(store)
            }),
        _ => refusal::serve(served, function),
    }
}

pub(super) fn serve_wall(served: &mut LinkerInstance<'_, State>, function: &str) -> Result<()> {
    match function {
        "now" => served.func_wrap(function, |_, ()| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            let since = since.unwrap_or_default();
            let datetime = Datetime {
                seconds: since.as_secs(),
                nanoseconds: since.subsec_nanos(),
            };
            Ok((datetime,))
        }),
        "resolution" => served.func_wrap(function, |_, ()| {
            let datetime = Datetime {
                seconds: 0,
                nanoseconds: 1,
            };
            Ok((datetime,))
        }),
        _ => refusal::serve(served, function),
    }
}
