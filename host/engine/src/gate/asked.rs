//! What a driver asked for last, for the text of a crash.

use std::fmt;

use policy::Call;

/// A call with its objects.
#[derive(Debug)]
pub(super) struct Asked {
    call: Call,
    objects: String,
    end: End,
}

/// What came of a call.
#[derive(Debug)]
enum End {
    /// The host didn't come to its end.
    Open,
    Denied,
    Succeeded,
    Failed(String),
}

impl Asked {
    pub(super) fn new(call: Call, objects: String) -> Self {
        Self {
            call,
            objects,
            end: End::Open,
        }
    }

    pub(super) fn deny(&mut self) {
        self.end = End::Denied;
    }

    pub(super) fn end<T>(&mut self, result: &Result<T, impl fmt::Display>) {
        self.end = match result {
            Ok(_) => End::Succeeded,
            Err(error) => End::Failed(error.to_string()),
        };
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.call.name())?;
        if !self.objects.is_empty() {
            write!(f, " {}", self.objects)?;
        }
        match &self.end {
            End::Open => Ok(()),
            End::Denied => f.write_str(", which was denied"),
            End::Succeeded => f.write_str(", which succeeded"),
            End::Failed(error) => write!(f, ", which failed: {error}"),
        }
    }
}
