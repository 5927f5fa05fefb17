//! The checks of each installed driver: its link, component, code, grant and kernel
//! features.

use std::collections::BTreeSet;
use std::path::Path;

use engine::driver::Description;
use policy::{Call, Grant};

use super::files;
use super::finding::Finding;
use super::kernel::{self, Kernel};
use crate::cli::{CliError, program};
use crate::convert::quoted;
use crate::podman::ContainersConf;
use crate::podman::System;
use crate::store::{DriverName, Intact, Registration, Store};

const DRIVERS: &str = "drivers";
const LINK: &str = "link";
const COMPONENT: &str = "component";
const CODE: &str = "code";
const GRANT: &str = "grant";

/// Checks all installed drivers.
pub(super) fn check(
    system: &System,
    store: &Store,
    conf: Option<&ContainersConf>,
) -> Result<Vec<Finding>, CliError> {
    let names = store.names()?;
    if names.is_empty() {
        return Ok(vec![Finding::warning(
            DRIVERS,
            format!("none is installed in {}", store.layout().lib.display()),
            "wasmvark install FILE",
        )]);
    }
    let program = program()?;
    let kernel = Kernel::read(system);
    let mut findings = Vec::new();
    for name in &names {
        let registration = match store.find(name) {
            Ok(registration) => registration,
            Err(error) => {
                findings.push(Finding::problem(
                    DRIVERS,
                    format!("{name}: {error}"),
                    files::remedy(&error, format!("wasmvark install FILE --name {name}")),
                ));
                continue;
            }
        };
        let driver = Driver {
            store,
            name,
            registration: &registration,
        };
        findings.push(driver.link(&program, system, conf));
        let grant = driver.grant();
        let granted = grant.as_ref().ok().map(granted).unwrap_or_default();
        findings.push(driver.component());
        findings.push(driver.code());
        findings.push(grant.map_or_else(
            |finding| finding,
            |grant| Finding::ok(GRANT, format!("{name}: {} calls", grant.calls().len())),
        ));
        findings.extend(driver.kernel(&kernel, &granted));
    }
    Ok(findings)
}

struct Driver<'a> {
    store: &'a Store,
    name: &'a DriverName,
    registration: &'a Registration,
}

impl Driver<'_> {
    /// Checks that Podman finds this program under the driver's name.
    fn link(&self, program: &Path, system: &System, conf: Option<&ContainersConf>) -> Finding {
        let name = self.name;
        let link = &self.registration.link;
        let shown = link.display();
        let again = self.install_again();
        let Ok(target) = std::fs::read_link(link) else {
            return match link.exists() {
                true => Finding::problem(
                    LINK,
                    format!("{name}: {shown} isn't a link to wasmvark, but another program"),
                    format!("remove it, then: {again}"),
                ),
                false => Finding::problem(LINK, format!("{name}: {shown} is gone"), again),
            };
        };
        let real = std::fs::canonicalize(link);
        let own = std::fs::canonicalize(program);
        if real.is_err() || own.is_err() || real.ok() != own.ok() {
            return Finding::problem(
                LINK,
                format!(
                    "{name}: {shown} leads to {}, which isn't this program, {}",
                    target.display(),
                    program.display()
                ),
                format!("remove it, then: {again}"),
            );
        }
        let Some(conf) = conf else {
            return Finding::unknown(
                LINK,
                format!("{name}: {shown}; where Podman looks can't be read"),
                "see the check plugin-dirs",
            );
        };
        // netavark takes the first directory that has the name.
        let mut folders = conf.plugin_dirs.iter();
        let first = folders.find(|folder| system.has(folder.join(name.as_str())));
        match (first, link.parent()) {
            (Some(first), Some(own)) if first == own => {
                Finding::ok(LINK, format!("{name}: {shown}"))
            }
            (Some(first), _) => Finding::problem(
                LINK,
                format!(
                    "{name}: Podman runs {} instead of {shown}",
                    first.join(name.as_str()).display()
                ),
                "remove the one that isn't meant, or install the driver under another --name",
            ),
            (None, folder) => Finding::problem(
                LINK,
                format!(
                    "{name}: Podman doesn't look for plugins in {}",
                    folder.unwrap_or(link).display()
                ),
                "see the check plugin-dirs, or install the driver with another --plugin-dir",
            ),
        }
    }

    fn component(&self) -> Finding {
        let name = self.name;
        let digest = &self.registration.digest;
        match self.store.check_component(name, digest) {
            Ok(()) => Finding::ok(COMPONENT, format!("{name}: {digest}")),
            Err(error) => Finding::problem(
                COMPONENT,
                error.to_string(),
                format!("wasmvark install FILE --name {name}, with the file that it came from"),
            ),
        }
    }

    /// Checks that the precompiled code is present and intact, that this engine made
    /// it, and that nobody else can write it.
    fn code(&self) -> Finding {
        let name = self.name;
        let slower = |why: &str| {
            Finding::warning(
                CODE,
                format!("{name}: {why}, so the next run compiles it and takes longer"),
                self.install_again(),
            )
        };
        match self
            .store
            .code(&self.registration.digest)
            .map(|code| code.intact)
        {
            Err(error) => Finding::problem(
                CODE,
                format!("{name}: {error}"),
                files::remedy(&error, self.install_again()),
            ),
            Ok(Intact::Missing) => slower("its precompiled code is missing"),
            Ok(Intact::Corrupt) => slower("its precompiled code is corrupt"),
            Ok(Intact::Foreign) => {
                slower("its precompiled code is another engine's or processor's")
            }
            Ok(Intact::Yes) => Finding::ok(CODE, format!("{name}: precompiled by this engine")),
        }
    }

    /// Returns the grant, or the finding about it if it can't be used.
    fn grant(&self) -> Result<Grant, Finding> {
        let name = self.name;
        let path = self.store.layout().grant(name);
        let shown = path.display();
        let mend = format!("mend {shown}: until then all is denied");
        let problem =
            |what: String, remedy| Finding::problem(GRANT, format!("{name}: {what}"), remedy);
        let text = match self.store.grant_text(name) {
            Err(error) => {
                return Err(problem(error.to_string(), files::remedy(&error, mend)));
            }
            Ok(None) => {
                return Err(Finding::warning(
                    GRANT,
                    format!("{name}: there is no {shown}, so it may do nothing"),
                    format!("see `wasmvark inspect {name}`, then write that file"),
                ));
            }
            Ok(Some(text)) => text,
        };
        Grant::parse(name.as_str(), &path, &text)
            .and_then(|grant| {
                grant
                    .check_digest(&self.registration.digest)
                    .map(|()| grant)
            })
            .map_err(|error| problem(error.to_string(), mend))
    }

    /// Checks that the kernel has the features for the driver's granted calls.
    fn kernel(&self, kernel: &Kernel, granted: &BTreeSet<Call>) -> Vec<Finding> {
        let bytes = self.store.component(self.name, &self.registration.digest);
        // A faulty component has a finding of its own.
        let Some(description) = bytes.ok().and_then(|bytes| Description::read(&bytes).ok()) else {
            return Vec::new();
        };
        let calls: Vec<Call> = description.imports.intersection(granted).copied().collect();
        kernel::check(kernel, self.name, &calls)
    }

    /// Returns the command that makes the link and the code again. It keeps the grant.
    fn install_again(&self) -> String {
        let layout = self.store.layout();
        let component = self.store.component_path(&self.registration.digest);
        let mut command = format!(
            "wasmvark install {} --name {}",
            quoted(&component.to_string_lossy()),
            self.name
        );
        match self.registration.link.parent() {
            Some(folder) if folder != layout.plugins => {
                command.push_str(&format!(
                    " --plugin-dir {}",
                    quoted(&folder.to_string_lossy())
                ));
            }
            _ => {}
        }
        command
    }
}

fn granted(grant: &Grant) -> BTreeSet<Call> {
    grant.calls().keys().copied().collect()
}
