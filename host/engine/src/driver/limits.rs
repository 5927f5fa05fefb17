//! The limits that a grant sets for a component's memory, tables and instances.

use policy::Limits;
use wasmtime::ResourceLimiter;

/// The most bytes that a component may pass to the host in one call, even if its grant
/// allows more memory.
const PASSED_MAX: u64 = 16 << 20;
/// The most handles that wasmtime lets a component hold. The gate's own limit is lower
/// and has a better error.
pub(super) const HANDLES_MAX: usize = 4096;

/// Returns the most bytes that a component may pass to the host in one call. They take
/// the host's memory, so the grant's `memory` limits them too.
pub(super) fn passed_max(limits: &Limits) -> usize {
    usize::try_from(limits.memory.min(PASSED_MAX)).unwrap_or(usize::MAX)
}

/// A meter of a component's memory and tables.
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

    /// Returns the limit that stopped the component, in words.
    pub(super) fn exceeded(&self) -> Option<&str> {
        self.exceeded.as_deref()
    }

    /// Returns the bytes of all memories, and the elements of all tables.
    pub(super) fn used(&self) -> (u64, u64) {
        (self.memory, self.table_elements)
    }

    fn count(&self) -> usize {
        usize::try_from(self.limits.instances).unwrap_or(usize::MAX)
    }
}

/// Returns the size of all memories or tables together after one has grown.
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
