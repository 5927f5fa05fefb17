//! The guard of the kernel and the services: it opens only for an allowed call, or for
//! the host itself.

use std::time::Instant;

use kernel::Kernel;
use policy::{Call, Permit};
use services::Services;

/// An allowed call. It opens the guard until its record is in the audit trail. If a
/// call has no record, the run fails.
#[must_use = "record what came of the call"]
pub(crate) struct Permitted {
    call: Call,
    _permit: Permit,
}

impl Permitted {
    pub(crate) fn new(call: Call, permit: Permit) -> Self {
        Self {
            call,
            _permit: permit,
        }
    }

    /// Returns the call.
    pub(crate) fn call(&self) -> Call {
        self.call
    }

    /// Closes the guard for this call, and returns the call.
    pub(crate) fn end(self) -> Call {
        self.call
    }
}

/// The kernel and the services behind the permit.
pub(crate) struct Guard {
    kernel: Box<dyn Kernel + Send>,
    services: Box<dyn Services + Send>,
}

impl Guard {
    pub(crate) fn new(kernel: Box<dyn Kernel + Send>, services: Box<dyn Services + Send>) -> Self {
        Self { kernel, services }
    }

    /// Sets the deadline of all operations.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.kernel.set_deadline(deadline);
        self.services.set_deadline(deadline);
    }

    /// Opens the kernel for an allowed call of the driver.
    pub(crate) fn open(&mut self, _permit: &Permitted) -> &mut dyn Kernel {
        self.kernel.as_mut()
    }

    /// Opens the services for an allowed call of the driver.
    pub(crate) fn open_services(&mut self, _permit: &Permitted) -> &mut dyn Services {
        self.services.as_mut()
    }

    /// Opens the services for the host itself, which undoes the driver's changes.
    pub(crate) fn services_for_host(&mut self) -> &mut dyn Services {
        self.services.as_mut()
    }

    /// Opens the kernel for the host itself, which reads and undoes the driver's
    /// changes. No driver's argument may lead here.
    pub(crate) fn for_host(&mut self) -> &mut dyn Kernel {
        self.kernel.as_mut()
    }
}
