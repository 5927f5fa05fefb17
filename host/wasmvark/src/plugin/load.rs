//! What every run needs before a driver starts: its registration, its grant,
//! its code, and the trail.

use audit::{Required, Subject, Trail};
use engine::driver::{Code, EngineError};
use engine::gate::Log;
use engine::session::Driver;
use policy::{Authority, Grant, GrantError, RequestReach};
use trust::Secrets;
use types::Digest;

use super::{PluginError, tell};
use crate::store::{DriverName, Intact, Layout, Store};

/// A driver that may run.
pub(super) struct Loaded {
    pub(super) store: Store,
    pub(super) name: DriverName,
    pub(super) digest: Digest,
    pub(super) grant: Grant,
}

impl Loaded {
    /// Finds a driver and reads its grant. Nothing privileged happens here.
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

    /// The precompiled code; compiled anew where it's missing, corrupt or from
    /// another engine, which is slower but no failure.
    pub(super) fn code(&self) -> Result<Code, PluginError> {
        let why = match mapped(&self.store, &self.digest)? {
            Ok(code) => return Ok(code),
            Err(why) => why,
        };
        tell(&format!(
            "compiling the driver {} because its precompiled code can't be used: {why}",
            self.name
        ));
        let (code, bytes) = compile(&self.store.component(&self.name, &self.digest)?)?;
        if let Err(error) = self.store.put_code(&self.digest, &bytes) {
            tell(&format!(
                "the compiled code can't be kept for the next run: {error}"
            ));
        }
        Ok(code)
    }

    /// The same for a run that leaves no file behind.
    pub(super) fn code_unkept(&self) -> Result<Code, PluginError> {
        if let Ok(code) = mapped(&self.store, &self.digest)? {
            return Ok(code);
        }
        let (code, _) = compile(&self.store.component(&self.name, &self.digest)?)?;
        Ok(code)
    }

    /// Whom a run is for.
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

    /// Opens the audit trail.
    pub(super) fn trail(&self, subject: Subject) -> Result<Trail, PluginError> {
        Ok(Trail::open(
            &self.store.trail(),
            self.requires_trail(),
            subject,
        )?)
    }

    /// What happens to a run whose trail can't be written, as the grant says.
    pub(super) fn requires_trail(&self) -> Required {
        match self.grant.requires_trail() {
            true => Required::Yes,
            false => Required::No,
        }
    }

    /// The secrets of this installation.
    pub(super) fn secrets(&self) -> Secrets {
        Secrets::new(self.store.layout().secrets.clone())
    }

    /// The driver for one request.
    pub(super) fn driver<'a>(
        &self,
        code: &'a Code,
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
        }
    }

    /// The log of the driver's messages.
    fn log(&self) -> Log {
        let filter = std::env::var("RUST_LOG").ok();
        let bytes = self.grant.limits().log_bytes;
        Log::new(self.name.to_string(), bytes, filter.as_deref())
    }
}

/// A component's precompiled code, or why it can't be used.
#[allow(unsafe_code, reason = "precompiled code is mapped; see the comments")]
pub(crate) fn mapped(store: &Store, digest: &Digest) -> Result<Result<Code, String>, PluginError> {
    let (path, intact) = store.code(digest)?;
    let why = match intact {
        // SAFETY: the file is what this program wrote into a folder that
        // only root and this user can write to: `Store::code` has checked
        // its content against the stamp and the owners and modes.
        Intact::Yes => match unsafe { Code::map(&path) } {
            Ok(code) => return Ok(Ok(code)),
            Err(EngineError::Load(error)) => format!("{error:#}"),
            Err(error) => return Err(error.into()),
        },
        Intact::Missing => "it is missing".to_owned(),
        Intact::Corrupt => "it is corrupt".to_owned(),
    };
    Ok(Err(why))
}

/// Compiles a component; returns the code as it could be kept, too.
#[allow(unsafe_code, reason = "code that was just made is loaded")]
pub(super) fn compile(component: &[u8]) -> Result<(Code, Vec<u8>), PluginError> {
    let bytes = Code::precompile(component)?;
    // SAFETY: `bytes` comes from `Code::precompile` just above.
    let code = unsafe { Code::load(&bytes) }?;
    Ok((code, bytes))
}

/// The store of this installation and the driver's name in it.
pub(super) fn store(driver: &str) -> Result<(Store, DriverName), PluginError> {
    let name: DriverName = driver.parse()?;
    let store = Store::new(Layout::choose(None)?);
    store.check_runtime()?;
    Ok((store, name))
}
