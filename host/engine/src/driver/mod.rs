//! Components: their imports and manifests, their compilation, and their runs within
//! limits. This module knows nothing of netlink.

mod answer;
mod bindings;
mod component;
mod convert;
mod crash;
mod engine;
mod exports;
mod limits;
mod link;
mod manifest;
mod manifest_section;
mod previous;
mod run;
mod usage;
mod version;
mod wasi;
mod watch;

pub use bindings::wasmvark::driver as wit;
pub use component::{ComponentError, Description, declared_options};
pub use engine::{Code, ENGINE, EngineError};
pub use manifest::{Manifest, ManifestError};
pub use manifest_section::with_manifest;
pub(crate) use run::run;
pub use run::{Answer, Run, RunError};
pub use usage::Usage;
pub use version::Version;
pub use watch::{Watch, ignore_signals};

pub use answer::check_changes_made;
pub(crate) use bindings::wasmvark::driver::types::Error as GuestError;
pub use bindings::wasmvark::driver::types::NetworkChange;
