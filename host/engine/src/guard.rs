//! The door to the kernel.

use kernel::Kernel;
use policy::{Call, Permit};

/// A call that was allowed. It opens the kernel, and ends with its record in the
/// trail: a run in which one has none doesn't go on.
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

    /// Which call.
    pub(crate) fn call(&self) -> Call {
        self.call
    }

    /// Nothing more is done by it.
    pub(crate) fn end(self) -> Call {
        self.call
    }
}

/// A kernel that opens for allowed calls.
pub(crate) struct Guard {
    kernel: Box<dyn Kernel + Send>,
}

impl Guard {
    pub(crate) fn new(kernel: Box<dyn Kernel + Send>) -> Self {
        Self { kernel }
    }

    /// Opens the kernel for a call of the driver that was allowed.
    pub(crate) fn open(&mut self, _permit: &Permitted) -> &mut dyn Kernel {
        self.kernel.as_mut()
    }

    /// Opens the kernel for the host itself: to read what the driver made, and
    /// to undo it. Nothing that a driver says leads here.
    pub(crate) fn for_host(&mut self) -> &mut dyn Kernel {
        self.kernel.as_mut()
    }
}
