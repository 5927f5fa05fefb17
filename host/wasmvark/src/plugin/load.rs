//! The parts that every run needs before its driver starts: the registration, the
//! grant, the code and the audit trail.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::{Required, Subject, Trail};
use engine::driver::{Code, EngineError, RunError, declared_options};
use engine::gate::{Firewall, Log};
use engine::session::{Driver, Load, Mapped};
use nix::sys::memfd::{MFdFlags, memfd_create};
use policy::{Authority, Grant, GrantError, RequestReach};
use request::Declared;
use trust::Secrets;
use types::Digest;

use super::keeper::Keeper;
use super::{PluginError, tell};
use crate::compile::precompile;
use crate::store::{DriverName, Intact, Layout, Store, StoredCode};

/// A driver that may run.
pub(super) struct Loaded {
    pub(super) store: Store,
    pub(super) name: DriverName,
    pub(super) digest: Digest,
    pub(super) grant: Grant,
}

impl Loaded {
    /// Finds a driver and reads its grant. It does nothing privileged.
    pub(super) fn find(store: Store, name: DriverName) -> Result<Self, PluginError> {
        let digest = store.find(&name)?.digest;
        let path = store.layout().grant(&name);
        let text = store
            .grant_text(&name)?
            .ok_or_else(|| GrantError::Missing {
                driver: name.to_string(),
                path: path.clone(),
            })?;
        let grant = Grant::parse(name.as_str(), &path, &text)?;
        grant.check_digest(&digest)?;
        store.check_component(&name, &digest)?;
        Ok(Self {
            store,
            name,
            digest,
            grant,
        })
    }

    /// Returns the precompiled code. If it is missing, corrupt or from another
    /// engine, the component is compiled again, because that is only slower.
    pub(super) fn code(&self) -> Result<Source, PluginError> {
        self.source(&self.store.code(&self.digest)?)
    }

    /// Returns the code in the same way, and the options that the component declares. They
    /// are kept with the code, so that a run needn't read the component.
    ///
    /// # Errors
    ///
    /// The component's manifest isn't valid, according to this version of the program.
    pub(super) fn code_with_options(&self) -> Result<(Source, Declared), PluginError> {
        let stored = self.store.code(&self.digest)?;
        let source = self.source(&stored)?;
        if let (Intact::Yes, Some(options)) = (stored.intact, stored.options) {
            return Ok((source, options));
        }
        let options = declared_options(&self.store.component(&self.name, &self.digest)?)?;
        // If they can't be kept, the next run reads the component again.
        let _ = self.store.put_options(&self.digest, &options);
        Ok((source, options))
    }

    /// Returns the options that the component declares, and writes nothing.
    ///
    /// # Errors
    ///
    /// The same as of [`Self::code_with_options`].
    pub(super) fn options(&self) -> Result<Declared, PluginError> {
        match self.store.code(&self.digest)?.options {
            Some(options) => Ok(options),
            None => {
                let component = self.store.component(&self.name, &self.digest)?;
                Ok(declared_options(&component)?)
            }
        }
    }

    fn source(&self, stored: &StoredCode) -> Result<Source, PluginError> {
        let why = match stored.intact {
            Intact::Yes => return Ok(Source::File(stored.path.clone())),
            Intact::Missing => "it is missing",
            Intact::Corrupt => "it is corrupt",
            Intact::Foreign => "it is another engine's or processor's",
        };
        tell(&format!(
            "compiling the driver {} because its precompiled code can't be used: {why}",
            self.name
        ));
        let component = self.store.component(&self.name, &self.digest)?;
        let bytes = precompile(&component)?;
        if let Err(error) = self.store.put_code(&self.digest, &component, &bytes) {
            tell(&format!(
                "the compiled code can't be kept for the next run: {error}"
            ));
        }
        Source::compiled(&bytes)
    }

    /// Returns the code like [`Self::code`], but doesn't write it to the store: a plan
    /// changes nothing there.
    pub(super) fn code_unkept(&self) -> Result<Source, PluginError> {
        let stored = self.store.code(&self.digest)?;
        match stored.intact {
            Intact::Yes => Ok(Source::File(stored.path)),
            Intact::Missing | Intact::Corrupt | Intact::Foreign => {
                let component = self.store.component(&self.name, &self.digest)?;
                Source::compiled(&precompile(&component)?)
            }
        }
    }

    /// Returns the subject of a run, for the audit trail.
    pub(super) fn subject(
        &self,
        command: &'static str,
        network: &str,
        container: Option<&str>,
    ) -> Subject {
        Subject {
            command,
            driver: self.name.to_string(),
            digest: self.digest.to_string(),
            network: network.to_owned(),
            container: container.map(str::to_owned),
        }
    }

    /// Opens the audit trail. The keeper opens its newest file once the run is confined.
    pub(super) fn trail(&self, subject: Subject, keeper: &Keeper) -> Result<Trail, PluginError> {
        let mut trail = Trail::open(&self.store.trail(), self.requires_trail(), subject)?;
        if let Some(newest) = keeper.newest_of_trail() {
            trail.set_newest(newest);
        }
        Ok(trail)
    }

    /// Returns whether a run ends if its trail can't be written, according to the
    /// grant.
    pub(super) fn requires_trail(&self) -> Required {
        match self.grant.requires_trail() {
            true => Required::Yes,
            false => Required::No,
        }
    }

    /// Returns the secrets of this installation.
    pub(super) fn secrets(&self) -> Secrets {
        Secrets::new(self.store.layout().secrets.clone())
    }

    /// Returns the driver for one request.
    pub(super) fn driver<'a>(
        &self,
        code: Load<'a>,
        request: RequestReach,
        secrets: Secrets,
    ) -> Driver<'a> {
        Driver {
            code,
            authority: Authority {
                grant: self.grant.clone(),
                request,
            },
            log: self.log(),
            secrets,
            pools: None,
            firewall: firewall(),
            names: None,
            dhcp: None,
        }
    }

    /// Returns the log for the driver's messages.
    fn log(&self) -> Log {
        let filter = std::env::var("RUST_LOG").ok();
        let bytes = self.grant.limits().log_bytes;
        Log::new(self.name.to_string(), bytes, filter.as_deref())
    }
}

/// Returns who makes the firewall's rules. Podman says it to netavark, and netavark's
/// plugins have its environment.
pub(super) fn firewall() -> Firewall {
    match std::env::var_os("NETAVARK_FW").is_some_and(|driver| driver == "none") {
        true => Firewall::LeftAlone,
        false => Firewall::Ours,
    }
}

/// Precompiled code that isn't mapped yet.
#[derive(Clone)]
pub(super) enum Source {
    /// A file that [`Loaded::code`] has returned.
    File(PathBuf),
    /// What `precompile` has returned, in a file without a name.
    Compiled(Arc<OwnedFd>),
}

impl Source {
    /// Returns the code that `precompile` has returned. A confined run can make no file for
    /// it, and the engine maps files only.
    ///
    /// # Errors
    ///
    /// Memory is short.
    pub(super) fn compiled(code: &[u8]) -> Result<Self, PluginError> {
        let file = memfd_create(c"code", MFdFlags::MFD_CLOEXEC).map_err(io::Error::from);
        let file = file.and_then(|file| {
            let mut file = File::from(file);
            file.write_all(code)?;
            Ok(file)
        });
        let file = file.map_err(PluginError::Memory)?;
        Ok(Self::Compiled(Arc::new(file.into())))
    }

    /// Returns what maps the code, in a process that is confined already.
    pub(super) fn load_again<'a>(self) -> Load<'a> {
        Box::new(move |_| {
            let code = self.load();
            let code = code.map_err(|error| RunError::Host(error.to_string()))?;
            Ok(Mapped {
                code,
                started: confine::no_more_threads,
            })
        })
    }

    /// Maps the code.
    #[allow(unsafe_code, reason = "precompiled code is mapped; see the comments")]
    pub(super) fn load(&self) -> Result<Code, EngineError> {
        match self {
            // SAFETY: this program wrote the file into a folder that only root and this
            // user can write to, and `Store::code` has checked its content, owners and
            // modes.
            Self::File(path) => unsafe { Code::map(path) },
            // SAFETY: this program's compiler has just made the code, and nobody else can
            // open the file.
            Self::Compiled(code) => unsafe {
                Code::map(Path::new(&format!("/proc/self/fd/{}", code.as_raw_fd())))
            },
        }
    }
}

/// Returns the store of this installation, and the driver's name in it.
pub(super) fn store(driver: &str) -> Result<(Store, DriverName), PluginError> {
    let name: DriverName = driver.parse()?;
    let store = Store::new(Layout::choose(None)?);
    store.check_runtime()?;
    Ok((store, name))
}
