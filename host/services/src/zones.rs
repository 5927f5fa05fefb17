//! The zones of firewalld, as a run uses them.

use std::time::{Duration, Instant};

use ipnet::IpNet;

use crate::firewalld::{Firewalld, FirewalldError};

/// firewalld's zone `trusted`. Where firewalld doesn't run, nothing happens.
pub trait TrustedZone {
    /// Whether a subnet is a source of the zone, or `None` where firewalld doesn't run.
    ///
    /// # Errors
    ///
    /// firewalld doesn't answer, or refuses.
    fn is_trusted(&mut self, subnet: IpNet) -> Result<Option<bool>, FirewalldError>;

    /// Adds a subnet to the zone's sources, at run time only.
    ///
    /// # Errors
    ///
    /// The subnet is a source of another zone; firewalld doesn't answer, or refuses.
    fn trust(&mut self, subnet: IpNet) -> Result<(), FirewalldError>;

    /// Removes a subnet from the zone's sources.
    ///
    /// # Errors
    ///
    /// firewalld doesn't answer, or refuses.
    fn distrust(&mut self, subnet: IpNet) -> Result<(), FirewalldError>;

    /// Whether firewalld forwards only what its own rules allow, so that published ports
    /// of others lead nowhere (`StrictForwardPorts` in firewalld.conf(5)).
    ///
    /// # Errors
    ///
    /// firewalld doesn't answer, or refuses.
    fn is_strict(&mut self) -> Result<bool, FirewalldError>;
}

/// How long firewalld may take as a rule. It answers nothing for about three seconds
/// after its start.
const PATIENCE: Duration = Duration::from_secs(5);

/// The connection to firewalld, made for the first request.
#[derive(Debug)]
pub(crate) struct Zones {
    patience: Duration,
    /// `Some(None)`: firewalld doesn't run.
    firewalld: Option<Option<Firewalld>>,
}

impl Default for Zones {
    fn default() -> Self {
        Self {
            patience: PATIENCE,
            firewalld: None,
        }
    }
}

impl Zones {
    /// Waits for as long as the run may take.
    pub(crate) fn patient() -> Self {
        Self {
            patience: Duration::MAX,
            firewalld: None,
        }
    }

    /// Calls firewalld, or returns the answer where it doesn't run.
    pub(crate) fn ask<T>(
        &mut self,
        deadline: Instant,
        absent: T,
        call: impl FnOnce(&Firewalld, Instant) -> Result<T, FirewalldError>,
    ) -> Result<T, FirewalldError> {
        let soon = Instant::now().checked_add(self.patience);
        let deadline = soon.map_or(deadline, |soon| deadline.min(soon));
        let firewalld = match self.firewalld.take() {
            Some(firewalld) => firewalld,
            None => Firewalld::connect(deadline)?,
        };
        let answer = match &firewalld {
            None => Ok(absent),
            Some(firewalld) => call(firewalld, deadline),
        };
        // After its end, the next request looks for another one.
        if !answer.as_ref().is_err_and(FirewalldError::is_end) {
            self.firewalld = Some(firewalld);
        }
        answer
    }
}
