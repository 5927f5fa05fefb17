//! The guard of the kernel: it opens only for an allowed call, or for the host itself.

use kernel::Kernel;
use policy::{Call, Permit};

/// An allowed call. It opens the kernel until its record is in the audit trail. If a
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

    /// Closes the kernel for this call, and returns the call.
    pub(crate) fn end(self) -> Call {
        self.call
    }
}

/// The kernel behind the permit.
pub(crate) struct Guard {
    kernel: Box<dyn Kernel + Send>,
}

impl Guard {
    pub(crate) fn new(kernel: Box<dyn Kernel + Send>) -> Self {
        Self { kernel }
    }

    /// Opens the kernel for an allowed call of the driver.
    pub(crate) fn open(&mut self, _permit: &Permitted) -> &mut dyn Kernel {
        self.kernel.as_mut()
    }

    /// Opens the kernel for the host itself, which reads and undoes the driver's
    /// changes. No driver's argument may lead here.
    pub(crate) fn for_host(&mut self) -> &mut dyn Kernel {
        self.kernel.as_mut()
    }
}
