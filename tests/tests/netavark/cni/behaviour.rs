//! What rules do: CNI's are in iptables, ours in nftables.

use wasmvark_tests::harness::Suite;

pub(crate) fn register(_: &mut Suite) {}
