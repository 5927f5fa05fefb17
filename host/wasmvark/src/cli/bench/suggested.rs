//! Limits that leave a driver some room.

use engine::driver::Usage;
use policy::Limits;

/// How many times as much as in the cases a driver may use.
const ROOM: u64 = 4;
/// The least limits that are suggested: below them nothing is gained.
const MEMORY: u64 = 1 << 20;
const TABLE_ELEMENTS: u64 = 1 << 10;
const LOG_BYTES: u64 = 4 << 10;
const CALLS: u64 = 64;

/// Returns the limits for what a driver used. The deadline and the instances stay: a kernel
/// takes time that no case has, and the instances are the component's own.
pub(super) fn limits(used: &Usage, granted: &Limits) -> Limits {
    let calls = roomy(u64::from(used.calls), CALLS);
    Limits {
        memory: roomy(used.memory, MEMORY),
        table_elements: roomy(used.table_elements, TABLE_ELEMENTS),
        log_bytes: roomy(used.log_bytes, LOG_BYTES),
        calls: u32::try_from(calls).unwrap_or(u32::MAX),
        ..granted.clone()
    }
}

/// Returns a power of two with room.
fn roomy(used: u64, least: u64) -> u64 {
    let wanted = used.saturating_mul(ROOM).max(least);
    wanted.checked_next_power_of_two().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_leave_room() {
        assert_eq!(roomy(0, CALLS), 64);
        assert_eq!(roomy(17, CALLS), 128);
        assert_eq!(roomy(1_114_112, MEMORY), 8 << 20);
        assert_eq!(roomy(u64::MAX, MEMORY), u64::MAX);
        let granted = Limits::default();
        let used = Usage {
            calls: 100,
            ..Usage::default()
        };
        let limits = limits(&used, &granted);
        assert_eq!((limits.calls, limits.memory), (512, 1 << 20));
        assert_eq!(limits.deadline_ms, granted.deadline_ms);
    }
}
