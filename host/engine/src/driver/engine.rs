//! The WebAssembly engine, and the precompiled code of components.

use std::path::Path;

use wasmtime::component::Component;
use wasmtime::{Config, Engine};

use super::version;

/// The engine's name and version.
pub const ENGINE: &str = "wasmtime 48.0.8";

/// The number of the settings with which code is compiled. Code of other settings is
/// compiled anew.
const SETTINGS: u32 = 3;

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

    /// Says which engine makes code, and for which processor. Code of another maker can't
    /// be used.
    pub fn maker() -> String {
        format!(
            "{ENGINE}, wasmvark {}, settings {SETTINGS}, {}",
            env!("CARGO_PKG_VERSION"),
            processor()
        )
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

/// Returns the processor with the features that code may use.
#[cfg(target_arch = "x86_64")]
fn processor() -> String {
    let has = [
        ("sse3", std::is_x86_feature_detected!("sse3")),
        ("ssse3", std::is_x86_feature_detected!("ssse3")),
        ("sse4.1", std::is_x86_feature_detected!("sse4.1")),
        ("sse4.2", std::is_x86_feature_detected!("sse4.2")),
        ("popcnt", std::is_x86_feature_detected!("popcnt")),
        ("lzcnt", std::is_x86_feature_detected!("lzcnt")),
        ("bmi1", std::is_x86_feature_detected!("bmi1")),
        ("bmi2", std::is_x86_feature_detected!("bmi2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("avx", std::is_x86_feature_detected!("avx")),
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("avx512f", std::is_x86_feature_detected!("avx512f")),
        ("avx512dq", std::is_x86_feature_detected!("avx512dq")),
        ("avx512vl", std::is_x86_feature_detected!("avx512vl")),
        (
            "avx512bitalg",
            std::is_x86_feature_detected!("avx512bitalg"),
        ),
        ("avx512vbmi", std::is_x86_feature_detected!("avx512vbmi")),
        ("cmpxchg16b", std::is_x86_feature_detected!("cmpxchg16b")),
    ];
    let names = has.into_iter().filter(|(_, has)| *has);
    let names: Vec<&str> = names.map(|(name, _)| name).collect();
    format!("x86_64 with {}", names.join(" "))
}

#[cfg(not(target_arch = "x86_64"))]
fn processor() -> String {
    std::env::consts::ARCH.to_owned()
}

/// Returns the settings with which code is compiled and run. Both must use the same
/// ones, except that a run needs no compiler.
fn config(compiler: bool) -> Config {
    let mut config = Config::new();
    config
        .enable_compiler(compiler)
        .epoch_interruption(true)
        // Nothing unwinds through a driver: a trap leaves it at once.
        .native_unwind_info(false)
        .concurrency_support(false)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false);
    if compiler {
        config.generate_address_map(false);
    }
    config
}
