//! The door to the kernel.

use kernel::Kernel;
use policy::Permit;

/// A kernel that opens for permits.
pub(super) struct Guard {
    kernel: Box<dyn Kernel + Send>,
}

impl Guard {
    pub(super) fn new(kernel: Box<dyn Kernel + Send>) -> Self {
        Self { kernel }
    }

    /// Opens the kernel for a call of the driver that was allowed.
    pub(super) fn open(&mut self, _permit: &Permit) -> &mut dyn Kernel {
        self.kernel.as_mut()
    }

    /// Opens the kernel for the host itself: to read what the driver made, and
    /// to undo it. Nothing that a driver says leads here.
    pub(super) fn for_host(&mut self) -> &mut dyn Kernel {
        self.kernel.as_mut()
    }
}
