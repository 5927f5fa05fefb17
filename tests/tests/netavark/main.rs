//! Tests of the drivers under real netavark. The kernel's state is read with `ip`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so and end"
)]

mod advertisements;
mod announce;
mod behaviours;
mod beside_host;
mod bridge;
mod bridge_ports;
mod bridge_senders;
mod cni;
mod create;
mod dad;
mod dhcp;
mod differential;
mod dns;
mod driver;
mod dummy;
mod families;
mod filter;
mod grants;
mod host_device;
mod ipvlan;
mod leftovers;
mod macvlan;
mod mistakes;
mod mtu;
mod names;
mod nat;
mod ndp_proxy;
mod parents;
mod plan;
mod ptp;
mod reasons;
mod reload;
mod routes;
mod sources;
mod sriov;
mod subnets;
mod tap;
mod teardown;
mod used_bridge;
mod values;
mod versions;
mod vlan;
mod vlan_parents;
mod vrf;
mod vxlan;
mod wireguard;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::proofs::{Column, Proofs};

fn main() {
    let mut suite = Suite::default();
    for driver in driver::ALL {
        macvlan::register(&mut suite, driver);
        names::register(&mut suite, driver);
        routes::register(&mut suite, driver);
        teardown::register(&mut suite, driver);
    }
    for driver in driver::OURS {
        differential::register(&mut suite, driver);
        mistakes::register(&mut suite, driver);
        create::register(&mut suite, driver);
        parents::register(&mut suite, driver);
    }
    advertisements::register(&mut suite);
    announce::register(&mut suite);
    ndp_proxy::register(&mut suite);
    beside_host::register(&mut suite);
    vlan_parents::register(&mut suite);
    behaviours::register(&mut suite);
    bridge::register(&mut suite);
    bridge_ports::register(&mut suite);
    bridge_senders::register(&mut suite);
    cni::register(&mut suite);
    host_device::register(&mut suite);
    wireguard::register(&mut suite);
    ipvlan::register(&mut suite);
    ptp::register(&mut suite);
    reasons::register(&mut suite);
    sources::register(&mut suite);
    sriov::register(&mut suite);
    subnets::register(&mut suite);
    used_bridge::register(&mut suite);
    versions::register(&mut suite);
    vlan::register(&mut suite);
    mtu::register(&mut suite);
    nat::register(&mut suite);
    reload::register(&mut suite);
    vrf::register(&mut suite);
    dad::register(&mut suite);
    dhcp::register(&mut suite);
    dns::register(&mut suite);
    dns::register(&mut suite);
    dummy::register(&mut suite);
    families::register(&mut suite);
    filter::register(&mut suite);
    vxlan::register(&mut suite);
    tap::register(&mut suite);
    values::register(&mut suite);
    grants::register(&mut suite);
    leftovers::register(&mut suite);
    parents::register_host_device(&mut suite);
    plan::register(&mut suite);
    Proofs::compare(&mut suite, &[Column::Test, Column::Vm]);
    suite.has_its_rows("netavark");
    suite.run();
}
