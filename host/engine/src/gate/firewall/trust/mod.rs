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

use super::super::call::CallError;
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
    /// already and that none of them added is the user's, and stays. A firewalld that
    /// can't be asked rejects packets at most, so that is told only, as by netavark.
    fn add_source(
        &mut self,
        permit: &Permitted,
        source: IpNet,
    ) -> Result<Result<(), KernelError>, CallError> {
        let services = self.rollback.guard.open_services(permit);
        let is_there = match services.is_trusted(source) {
            Ok(is_there) => is_there == Some(true),
            Err(error) => return Ok(self.unless_absent(&error)),
        };
        let change = Change::TrustSource { source };
        if is_there && !self.has_shared_record(&change) && !self.others_share(&change)? {
            return Ok(Ok(()));
        }
        let entries = match self.begin_service(change, true)? {
            Err(error) => return Ok(Err(error)),
            Ok(entries) => entries,
        };
        let services = self.rollback.guard.open_services(permit);
        let result = match is_there {
            true => Ok(()),
            false => services.trust(source),
        };
        let result = result.or_else(|error| self.unless_absent(&error));
        self.confirm(&entries, &result)?;
        Ok(result)
    }

    /// Returns the error of firewalld itself. That it can't be asked is only told.
    fn unless_absent(&self, error: &FirewalldError) -> Result<(), KernelError> {
        if error.is_absence() || error.is_late() {
            self.log.warn(&error.to_string());
            return Ok(());
        }
        Err(KernelError::Unfinished(Box::new(KernelError::Refused {
            errno: Errno::EIO,
            text: error.to_string(),
        })))
    }

    fn others_share(&mut self, change: &Change) -> Result<bool, CallError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(false);
        };
        let shared = journal.others_share(change);
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
            Err(error) => self.unless_absent(&error),
        }
    }
}
