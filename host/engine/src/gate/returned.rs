//! The decisions on a driver's return values.
//!
//! A DNS server in an answer or another parent in a network has as much effect as a
//! call. So return values are decided on and recorded like calls.

use kernel::KernelError;
use policy::{Call, Object};
use types::{LinkName, Namespace};

use super::Gate;
use super::call::{CallError, Stop};
use crate::driver::GuestError;

/// The reason why a return value isn't passed on.
#[derive(Debug, thiserror::Error)]
pub enum ReturnedError {
    /// The grant doesn't allow it.
    #[error("{0}")]
    Denied(String),
    /// The host failed.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// The links of the host can't be read.
    #[error("can't look for a free name: {0}")]
    Kernel(KernelError),
}

impl Gate {
    /// Decides on a return value.
    ///
    /// # Errors
    ///
    /// The grant doesn't allow the value, or the decision can't be recorded.
    pub fn allow_returned(
        &mut self,
        call: Call,
        objects: &[Object<'_>],
    ) -> Result<(), ReturnedError> {
        let decided = self
            .decide(call, objects)
            .and_then(|permit| self.record(permit, objects, Ok(())));
        decided.map_err(|error| match error {
            CallError::Guest(GuestError::Denied(text)) => ReturnedError::Denied(text),
            CallError::Guest(error) => ReturnedError::Denied(format!("{error:?}")),
            CallError::Stop(stop) => ReturnedError::Stop(stop),
        })
    }

    /// Records a change of the network's document, in words. Such a change has no
    /// effect by itself.
    ///
    /// # Errors
    ///
    /// The change can't be recorded.
    pub fn record_change(&mut self, change: &str) -> Result<(), ReturnedError> {
        let recorded = self.rollback.trail.change(change);
        recorded.map_err(|error| Stop::Host(error.to_string()).into())
    }

    /// Returns the first name that no link of the host has.
    ///
    /// # Errors
    ///
    /// The links of the host can't be read.
    pub fn free_name(
        &mut self,
        names: impl IntoIterator<Item = LinkName>,
    ) -> Result<Option<LinkName>, ReturnedError> {
        let kernel = self.rollback.guard.for_host();
        for name in names {
            match kernel.link_by_name(Namespace::Host, &name) {
                Ok(_) => {}
                Err(error) if error.is_not_found() => return Ok(Some(name)),
                Err(error) => return Err(ReturnedError::Kernel(error)),
            }
        }
        Ok(None)
    }
}
