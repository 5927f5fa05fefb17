//! The interface `state`.

use journal::{Change, State, StateError};
use kernel::KernelError;
use nix::errno::Errno;
use policy::{Call, Object};
use types::text;

use super::call::{CallError, invalid};
use super::{Gate, bounds};
use crate::driver::wit::state::Host;

/// The longest key in bytes.
const KEY_MAX: usize = 64;
/// The length of all keys and values of a network, in bytes.
const TOTAL_MAX: usize = 1 << 20;

impl Host for Gate {
    fn get(&mut self, key: String) -> Result<Option<Vec<u8>>, CallError> {
        let call = Call::StateGet;
        check_key(call, &key)?;
        self.with_state(call, Some(&key), |state| {
            Ok(state.get(&key).map(<[u8]>::to_vec))
        })
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), CallError> {
        let call = Call::StateSet;
        check_key(call, &key)?;
        bounds::STATE_VALUE.check(call, value.len())?;
        self.with_state(call, Some(&key), |state| {
            let total = state.size_without(&key) + key.len() + value.len();
            if total > TOTAL_MAX {
                return Err(full(total));
            }
            state.set(key.clone(), value);
            Ok(())
        })
    }

    fn remove(&mut self, key: String) -> Result<(), CallError> {
        let call = Call::StateRemove;
        check_key(call, &key)?;
        self.with_state(call, Some(&key), |state| {
            state.remove(&key);
            Ok(())
        })
    }

    fn keys(&mut self) -> Result<Vec<String>, CallError> {
        self.with_state(Call::StateKeys, None, |state| {
            Ok(state.keys().map(str::to_owned).collect())
        })
    }
}

impl Gate {
    /// Makes a call on this run's copy of the state.
    fn with_state<T>(
        &mut self,
        call: Call,
        key: Option<&str>,
        work: impl FnOnce(&mut State) -> Result<T, KernelError>,
    ) -> Result<T, CallError> {
        let objects = [Object::State { key }];
        let permit = self.decide(call, &objects)?;
        if matches!(call, Call::StateSet | Call::StateRemove) {
            self.record_use()?;
        }
        let result = match self.open_state() {
            Ok(Some(state)) => work(state),
            Ok(None) => Err(KernelError::Refused {
                errno: Errno::EOPNOTSUPP,
                text: "a network has no state before its first container".to_owned(),
            }),
            Err(error) => return Err(self.host_failed(&error)),
        };
        self.record(permit, &objects, result)
    }

    /// Writes a record that keeps the state. The state exists as long as any journal of
    /// the network does, so a driver without other changes needs a journal too.
    fn record_use(&mut self) -> Result<(), CallError> {
        let Some(journal) = &mut self.rollback.journal else {
            return Ok(());
        };
        let mut entries = journal.entries().iter();
        if entries.any(|entry| entry.change == Change::KeepState) {
            return Ok(());
        }
        let begun = journal.begin(Change::KeepState, false);
        let done = begun.and_then(|number| journal.done(number, None));
        done.map_err(|error| self.host_failed(&error))
    }

    fn open_state(&mut self) -> Result<Option<&mut State>, StateError> {
        let Some(journal) = &self.rollback.journal else {
            return Ok(None);
        };
        if self.rollback.state.is_none() {
            self.rollback.state = Some(State::open(journal, self.authority.grant.driver())?);
        }
        Ok(self.rollback.state.as_mut())
    }
}

fn check_key(call: Call, key: &str) -> Result<(), CallError> {
    let plain = key
        .bytes()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c));
    if plain && (1..=KEY_MAX).contains(&key.len()) {
        return Ok(());
    }
    let key = text::shortened(key, KEY_MAX);
    let text = format!(
        "{key:?} can't be a key: it takes 1 to {KEY_MAX} of the characters a-z, 0-9, '.', '_' and \
         '-'"
    );
    Err(invalid(call, &text))
}

fn full(total: usize) -> KernelError {
    KernelError::Refused {
        errno: Errno::ENOSPC,
        text: format!(
            "the state of a network has at most {TOTAL_MAX} bytes, and would have {total}: remove \
             some of it first"
        ),
    }
}
