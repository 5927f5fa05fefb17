//! The WebAssembly engine, and the precompiled code of components.

use std::path::Path;

use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use super::version;

/// The engine's name and version.
pub const ENGINE: &str = "wasmtime 48.0.8";

/// The reason why code can't be compiled or loaded.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine can't start.
    #[error("the WebAssembly engine can't start: {0:#}")]
    Start(wasmtime::Error),
    /// The component can't be compiled.
    #[error("the component can't be compiled: {0:#}")]
    Compile(wasmtime::Error),
    /// The precompiled code can't be loaded, because it's for another engine or
    /// processor.
    #[error("{0:#}")]
    Load(wasmtime::Error),
}

/// A component ready to run, with the engine that it runs on. Clones are the same code.
#[derive(Clone)]
pub struct Code {
    pub(super) engine: Engine,
    pub(super) component: Component,
}

impl Code {
    /// Compiles a component to code for [`Code::load`] and [`Code::map`].
    pub fn precompile(component: &[u8]) -> Result<Vec<u8>, EngineError> {
        let engine = Engine::new(&config(true)).map_err(EngineError::Start)?;
        let component = version::with_current_names(component)
            .map_err(|error| EngineError::Compile(error.into()))?;
        engine
            .precompile_component(&component)
            .map_err(EngineError::Compile)
    }

    /// Maps a file of precompiled code.
    ///
    /// # Safety
    ///
    /// The file must hold the result of [`Code::precompile`], because the code runs
    /// with the rights of this process.
    #[allow(
        unsafe_code,
        reason = "mapping code is unsafe by nature; the caller vouches for it"
    )]
    pub unsafe fn map(file: &Path) -> Result<Self, EngineError> {
        let engine = Engine::new(&config(false)).map_err(EngineError::Start)?;
        // SAFETY: the caller's promise is the one that wasmtime asks for.
        let component =
            unsafe { Component::deserialize_file(&engine, file) }.map_err(EngineError::Load)?;
        Ok(Self { engine, component })
    }

    /// Loads code that this process has just compiled.
    ///
    /// # Safety
    ///
    /// The bytes must be the result of [`Code::precompile`].
    #[allow(
        unsafe_code,
        reason = "loading code is unsafe by nature; the caller vouches for it"
    )]
    pub unsafe fn load(code: &[u8]) -> Result<Self, EngineError> {
        let engine = Engine::new(&config(false)).map_err(EngineError::Start)?;
        // SAFETY: the caller's promise is the one that wasmtime asks for.
        let component =
            unsafe { Component::deserialize(&engine, code) }.map_err(EngineError::Load)?;
        Ok(Self { engine, component })
    }
}

/// Returns the settings with which code is compiled and run. Both must use the same
/// ones, except that a run needs no compiler.
fn config(compiler: bool) -> Config {
    let mut config = Config::new();
    config
        .enable_compiler(compiler)
        .epoch_interruption(true)
        .concurrency_support(false)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false);
    if compiler {
        config.generate_address_map(false);
    }
    config
}
