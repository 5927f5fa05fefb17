//! The watch that ends a driver at its deadline or on a signal.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use policy::Limits;

/// The longest timeout of one poll(2).
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The deadline of a run, and the signals that end it early.
pub struct Watch {
    deadline: Instant,
    signals: Option<SignalFd>,
    caught: Arc<AtomicI32>,
}

impl Watch {
    /// Makes a watch that ends the run at the deadline of its limits, counted from now.
    /// The compilation and the wait for a lock don't count, so both come before.
    pub fn begin(limits: &Limits) -> Self {
        Self {
            deadline: Instant::now() + limits.deadline(),
            signals: None,
            caught: Arc::new(AtomicI32::new(0)),
        }
    }

    /// Makes the watch end the run on SIGINT and SIGTERM too. From then on they don't
    /// end the process, because the run's changes must be undone first.
    pub fn and_signals(mut self) -> Result<Self, Errno> {
        let signals = signals();
        signals.thread_block()?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        self.signals = Some(SignalFd::with_flags(&signals, flags)?);
        Ok(self)
    }

    /// Returns the deadline of the run.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Starts the thread that interrupts the component. Host calls aren't interrupted;
    /// each keeps the deadline itself.
    pub(super) fn start(self, engine: wasmtime::Engine) -> Caught {
        let caught = Caught(self.caught.clone());
        std::thread::spawn(move || {
            self.wait();
            engine.increment_epoch();
        });
        caught
    }

    fn wait(&self) {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let Some(signals) = &self.signals else {
                std::thread::sleep(left);
                continue;
            };
            let timeout = PollTimeout::try_from(left.min(WAIT_MAX)).unwrap_or(PollTimeout::MAX);
            // If poll fails, the deadline still ends the run.
            let _ = poll(
                &mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)],
                timeout,
            );
            if let Ok(Some(signal)) = signals.read_signal() {
                let number = i32::try_from(signal.ssi_signo).unwrap_or_default();
                self.caught.store(number, Ordering::SeqCst);
                return;
            }
        }
    }
}

/// The signal that ended a run, if one did.
#[derive(Clone)]
pub(super) struct Caught(Arc<AtomicI32>);

impl Caught {
    /// Returns the signal.
    pub(super) fn signal(&self) -> Option<Signal> {
        Signal::try_from(self.0.load(Ordering::SeqCst)).ok()
    }
}

/// Blocks SIGINT and SIGTERM, because a teardown must finish. netavark ignores them in
/// its teardown too.
pub fn ignore_signals() -> Result<(), Errno> {
    signals().thread_block()
}

fn signals() -> SigSet {
    SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM])
}
