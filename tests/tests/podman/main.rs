//! Tests of the installed program with real Podman on whole Debian systems. The effects
//! are read from the kernel.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that can't go on should say so and end"
)]

mod address;
mod behaviours;
mod case;
mod convert;
mod dhcp;
mod dns;
mod doctor;
mod driver;
mod edition;
mod firewalld;
mod info;
mod install;
mod killed;
mod life;
mod machine;
mod network;
mod package;
mod pages;
mod podman;
mod rootless;
mod several;

use wasmvark_tests::harness::Suite;
use wasmvark_tests::proofs::{Column, Proofs};

use case::Cases;

fn main() {
    killed::hold_if_asked();
    let mut suite = Suite::default();
    for edition in edition::ALL {
        let mut cases = Cases {
            suite: &mut suite,
            edition,
        };
        info::register(&mut cases);
        network::register(&mut cases);
        address::register(&mut cases);
        several::register(&mut cases);
        behaviours::register(&mut cases);
        life::register(&mut cases);
        doctor::register(&mut cases);
        driver::register(&mut cases);
        dns::register(&mut cases);
        dhcp::register(&mut cases);
        firewalld::register(&mut cases);
        rootless::register(&mut cases);
        install::register(&mut cases);
        package::register(&mut cases);
        pages::register(&mut cases);
        convert::register(&mut cases);
    }
    killed::register(&mut suite);
    Proofs::compare(&mut suite, &[Column::Podman]);
    suite.run();
}
