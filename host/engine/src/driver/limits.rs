//! Holding a component to the limits of its grant.

use policy::Limits;
use wasmtime::ResourceLimiter;

/// Bytes that the host takes over from a component in one call, whatever memory its
/// grant gives it.
const PASSED_MAX: u64 = 16 << 20;
/// Handles that a component holds at once: more than the gate gives out, which says
/// so in better words.
pub(super) const HANDLES_MAX: usize = 4096;

/// Bytes that the host takes over from a component in one call: they are the host's
/// memory then, and count as the component's.
pub(super) fn passed_max(limits: &Limits) -> usize {
    usize::try_from(limits.memory.min(PASSED_MAX)).unwrap_or(usize::MAX)
}

/// Counts what a component takes of memory and tables.
pub(super) struct Meter {
    limits: Limits,
    memory: u64,
    table_elements: u64,
    exceeded: Option<String>,
}

impl Meter {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            memory: 0,
            table_elements: 0,
            exceeded: None,
        }
    }

    /// Which limit stopped the component, in words.
    pub(super) fn exceeded(&self) -> Option<&str> {
        self.exceeded.as_deref()
    }

    fn count(&self) -> usize {
        usize::try_from(self.limits.instances).unwrap_or(usize::MAX)
    }
}

/// What all memories or tables would have together after one grows.
fn grown(total: u64, current: usize, desired: usize) -> u64 {
    let size = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
    total
        .saturating_sub(size(current))
        .saturating_add(size(desired))
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = grown(self.memory, current, desired);
        if total > self.limits.memory {
            let text = format!(
                "it needs more than the {} bytes of memory that `memory` allows",
                self.limits.memory
            );
            self.exceeded = Some(text.clone());
            return Err(wasmtime::Error::msg(text));
        }
        if maximum.is_none_or(|maximum| desired <= maximum) {
            self.memory = total;
            return Ok(true);
        }
        Ok(false)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = grown(self.table_elements, current, desired);
        if total > self.limits.table_elements {
            let text = format!(
                "it needs more than the {} table elements that `table-elements` allows",
                self.limits.table_elements
            );
            self.exceeded = Some(text.clone());
            return Err(wasmtime::Error::msg(text));
        }
        if maximum.is_none_or(|maximum| desired <= maximum) {
            self.table_elements = total;
            return Ok(true);
        }
        Ok(false)
    }

    fn instances(&self) -> usize {
        self.count()
    }

    fn tables(&self) -> usize {
        self.count()
    }

    fn memories(&self) -> usize {
        self.count()
    }
}
