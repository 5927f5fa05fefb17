//! Inert WASI, for components whose language brings it along: no files, no
//! sockets, no environment, no waiting. Clocks and randomness are real;
//! standard output and error become log messages.

use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::run::State;

/// What every import of WASI begins with.
pub(super) const PREFIX: &str = "wasi:";

/// The interface that components wait through, as wasmtime-wasi 48 serves it.
const POLL: &str = "wasi:io/poll@0.2.12";

/// The WASI side of a run.
pub(super) struct Wasi {
    context: WasiCtx,
    table: ResourceTable,
    output: MemoryOutputPipe,
    capacity: usize,
}

impl Wasi {
    /// An inert context whose output may have `log_bytes`.
    pub(super) fn new(log_bytes: u64) -> Self {
        let capacity = usize::try_from(log_bytes).unwrap_or(usize::MAX);
        let output = MemoryOutputPipe::new(capacity);
        let context = WasiCtx::builder()
            .stdout(output.clone())
            .stderr(output.clone())
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        Self {
            context,
            table: ResourceTable::new(),
            output,
            capacity,
        }
    }

    /// Whether the component printed all that it may.
    pub(super) fn is_full(&self) -> bool {
        self.output.contents().len() >= self.capacity
    }

    /// What the component printed.
    pub(super) fn output(&self) -> String {
        String::from_utf8_lossy(&self.output.contents()).into_owned()
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi();
        WasiCtxView {
            ctx: &mut wasi.context,
            table: &mut wasi.table,
        }
    }
}

/// Serves WASI. Waiting returns at once: a host call that sleeps would be
/// beyond the reach of the run's deadline.
pub(super) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    let mut poll = linker.instance(POLL)?;
    poll.func_wrap("poll", |_, (pollables,): (Vec<Resource<DynPollable>>,)| {
        let ready: Vec<u32> = (0u32..).zip(&pollables).map(|(index, _)| index).collect();
        Ok((ready,))
    })?;
    poll.func_wrap(
        "[method]pollable.block",
        |_, (_,): (Resource<DynPollable>,)| Ok(()),
    )?;
    poll.func_wrap(
        "[method]pollable.ready",
        |_, (_,): (Resource<DynPollable>,)| Ok((true,)),
    )?;
    linker.allow_shadowing(false);
    Ok(())
}
