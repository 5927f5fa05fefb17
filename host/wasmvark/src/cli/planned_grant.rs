//! A component's file that may become a driver.

use std::collections::BTreeMap;
use std::path::Path;

use engine::driver::Description;
use policy::{Call, Grant, Limits, Reach};
use types::Digest;

use super::CliError;
use crate::compile::precompile;
use crate::store::{DriverName, Intact, Store};

/// The largest component, in bytes. One with an interpreter has tens of MiB.
const COMPONENT_LIMIT: u64 = 256 << 20;

/// A component from a file, read but not run.
pub(super) struct Candidate {
    bytes: Vec<u8>,
    pub(super) digest: Digest,
    pub(super) description: Description,
}

impl Candidate {
    /// Reads a component's file.
    pub(super) fn read(path: &Path) -> Result<Self, CliError> {
        let bytes = read(path)?;
        Ok(Self {
            digest: Digest::of(&bytes),
            description: Description::read(&bytes)?,
            bytes,
        })
    }

    /// Returns the component's bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Compiles the component, which must fit the world, and returns the code for the
    /// store, unless the store has it. What a test or a plan has compiled isn't compiled
    /// again.
    pub(super) fn compile(&self, store: &Store) -> Result<Option<Vec<u8>>, CliError> {
        match store.code(&self.digest)?.intact {
            Intact::Yes => Ok(None),
            Intact::Missing | Intact::Corrupt | Intact::Foreign => {
                Ok(Some(code(store, &self.digest, &self.bytes)?))
            }
        }
    }

    /// Reads the grant in an operator's file, which must be for this component.
    pub(super) fn grant_from(&self, name: &DriverName, path: &Path) -> Result<String, CliError> {
        let text = String::from_utf8(read(path)?).map_err(|error| CliError::Read {
            path: path.to_owned(),
            error: std::io::Error::new(std::io::ErrorKind::InvalidData, error),
        })?;
        match Grant::parse(name.as_str(), path, &text) {
            Err(_) if self.is_unpinned(name, path, &text) => Err(CliError::Unpinned {
                path: path.to_owned(),
                digest: self.digest.clone(),
            }),
            grant => {
                grant?.check_digest(&self.digest)?;
                Ok(text)
            }
        }
    }

    /// Whether a grant lacks nothing but the digest.
    fn is_unpinned(&self, name: &DriverName, path: &Path, text: &str) -> bool {
        Grant::parse_for(&self.digest, name.as_str(), path, text).is_ok()
    }
}

/// Returns the code of a component that isn't installed: the kept one, or else it's
/// compiled.
pub(super) fn code(store: &Store, digest: &Digest, bytes: &[u8]) -> Result<Vec<u8>, CliError> {
    let kept = store.kept_code(digest);
    match kept.and_then(|path| std::fs::read(path).ok()) {
        Some(code) => Ok(code),
        None => Ok(precompile(bytes)?),
    }
}

/// Reads a file that isn't larger than the largest component.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |error| CliError::Read {
        path: path.to_owned(),
        error,
    };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > COMPONENT_LIMIT {
        let text = format!("it is larger than {COMPONENT_LIMIT} bytes");
        return Err(failed(std::io::Error::other(text)));
    }
    std::fs::read(path).map_err(failed)
}

/// Returns the calls that a component imports and that need a grant, without any reach.
pub(super) fn importable(description: &Description) -> BTreeMap<Call, Reach> {
    let imports = description.imports.iter().copied();
    let imports = imports.filter(|call| call.needs_grant());
    imports.map(|call| (call, Reach::default())).collect()
}

/// Returns the calls that a driver's manifest asks for, that it can make and that need a
/// grant, or `None` without a manifest.
pub(super) fn requested(description: &Description) -> Option<BTreeMap<Call, Reach>> {
    let wishes = description.manifest.as_ref()?.calls.iter();
    let wishes = wishes.filter(|(call, _)| description.can_make(**call) && call.needs_grant());
    Some(
        wishes
            .map(|(call, wish)| (*call, wish.reach.clone()))
            .collect(),
    )
}

/// Returns the calls to grant: what the component imports, or what it asks for.
///
/// # Errors
///
/// It has no manifest, so it asks for nothing of what it imports.
pub(super) fn to_grant(
    description: &Description,
    imports: bool,
) -> Result<BTreeMap<Call, Reach>, CliError> {
    let importable = importable(description);
    match imports || importable.is_empty() {
        true => Ok(importable),
        false => requested(description).ok_or(CliError::NothingRequested {
            imports: importable.len(),
        }),
    }
}

/// Returns the manifest's reason for a call.
pub(super) fn reason(description: &Description, call: Call) -> Option<&str> {
    let manifest = description.manifest.as_ref()?;
    Some(manifest.calls.get(&call)?.reason.as_str())
}

/// Makes a grant that is in no file. Its path is that of an installed driver's grant,
/// because a denial says to write there.
pub(super) fn made(
    store: &Store,
    name: &DriverName,
    digest: &Digest,
    calls: &BTreeMap<Call, Reach>,
) -> Result<Grant, CliError> {
    let text = Grant::text(name.as_str(), digest, &Limits::default(), calls);
    let path = store.layout().grant(name);
    Ok(Grant::parse(name.as_str(), &path, &text)?)
}

/// Returns the name of a driver that isn't installed: the manifest's, or the file's.
pub(super) fn name(path: &Path, description: &Description) -> Result<DriverName, CliError> {
    if let Some(manifest) = &description.manifest {
        return Ok(manifest.name.parse()?);
    }
    let stem = path.file_stem().unwrap_or_default();
    Ok(stem.to_string_lossy().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Layout;

    #[test]
    fn kept_code_is_not_compiled_again() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(Layout::choose(Some(root.path())).unwrap());
        let bytes = b"a component".to_vec();
        let candidate = Candidate {
            digest: Digest::of(&bytes),
            description: Description {
                version: None,
                imports: std::collections::BTreeSet::new(),
                wasi: false,
                manifest: None,
            },
            bytes,
        };
        store.keep_code(&candidate.digest, b"code").unwrap();
        let code = candidate.compile(&store).unwrap();
        assert_eq!(code.as_deref(), Some(&b"code"[..]));
    }
}
