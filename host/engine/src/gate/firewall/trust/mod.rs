//! Sources of firewalld's zone `trusted`.

#[cfg(test)]
mod tests;

use ipnet::IpNet;
use journal::Change;
use kernel::KernelError;
use nix::errno::Errno;
use policy::Call;
use services::firewalld::FirewalldError;
use types::Namespace;

use super::super::call::{CallError, Plan};
use super::{Gate, Subject, arguments};
use crate::guard::Permitted;

/// netavark's sentence.
const STRICT: &str = "Port forwarding not possible as firewalld StrictForwardPorts enabled";

impl Gate {
    pub(super) fn trust_source(&mut self, source: &str) -> Result<(), CallError> {
        let call = Call::FirewallTrust;
        let source = arguments::network(call, source)?;
        let objects = [self.source_object(source)];
        let permit = self.decide(call, &objects)?;
        if self.leaves_firewall() {
            return self.record_left_alone(permit, &objects, Ok(()));
        }
        let own = self.own_objects(Namespace::Host)?;
        let subject = Subject::Packets(source);
        let result = match subject.check(self.rollback.guard.open(&permit), own) {
            Err(error) => Err(error),
            Ok(()) => self.add_source(&permit, source)?,
        };
        self.record(permit, &objects, result)
    }

    /// Adds a source, which all containers of the network share. One that is there
    /// already and that none of them added is the user's, and stays.
    fn add_source(
        &mut self,
        permit: &Permitted,
        source: IpNet,
    ) -> Result<Result<(), KernelError>, CallError> {
        let services = self.rollback.guard.open_services(permit);
        let is_there = match services.is_trusted(source) {
            Ok(is_there) => is_there == Some(true),
            Err(error) => return Ok(Err(refused(&error))),
        };
        let change = Change::TrustSource { source };
        if self.has_shared_record(&change) {
            return Ok(self.add_if_missing(permit, source, is_there));
        }
        let entries = self.begin(Plan::shared(change))?;
        if is_there && !self.others_share(&entries)? {
            entries.iter().try_for_each(|number| self.forget(*number))?;
            return Ok(Ok(()));
        }
        let result = self.add_if_missing(permit, source, is_there);
        self.confirm(&entries, &result)?;
        Ok(result)
    }

    fn add_if_missing(
        &mut self,
        permit: &Permitted,
        source: IpNet,
        is_there: bool,
    ) -> Result<(), KernelError> {
        if is_there {
            return Ok(());
        }
        let services = self.rollback.guard.open_services(permit);
        services.trust(source).map_err(|error| failed(&error))
    }

    /// Whether another container of the network has the change of a new record too.
    fn others_share(&mut self, entries: &[u32]) -> Result<bool, CallError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(false);
        };
        let mut ours = journal.entries().iter();
        let Some(entry) = ours.find(|entry| entries.contains(&entry.number)) else {
            return Ok(false);
        };
        let shared = journal.is_shared(entry);
        shared.map_err(|error| self.host_failed(&error))
    }

    /// Refuses published ports where firewalld would forward nothing to them.
    pub(in crate::gate) fn check_forwards(
        &mut self,
        permit: &Permitted,
    ) -> Result<(), KernelError> {
        let services = self.rollback.guard.open_services(permit);
        match services.is_strict() {
            Ok(false) => Ok(()),
            Ok(true) => Err(KernelError::Refused {
                errno: Errno::EOPNOTSUPP,
                text: format!(
                    "{STRICT}: set it to no in firewalld.conf and restart firewalld, or publish no \
                     ports"
                ),
            }),
            Err(error) => Err(refused(&error)),
        }
    }
}

fn refused(error: &FirewalldError) -> KernelError {
    match error {
        FirewalldError::Deadline { .. } => KernelError::Deadline,
        error => KernelError::Refused {
            errno: Errno::EIO,
            text: error.to_string(),
        },
    }
}

/// Returns the error of a change, which may have been made.
fn failed(error: &FirewalldError) -> KernelError {
    match refused(error) {
        KernelError::Deadline => KernelError::Deadline,
        error => KernelError::Unfinished(Box::new(error)),
    }
}
