//! Clients of the services that networks live with: aardvark-dns, netavark's DHCP proxy
//! and firewalld. This crate knows nothing of grants, journals or the WIT, and speaks no
//! netlink.
//!
//! On a driver's behalf, only the gate calls it.

#![deny(unsafe_code)]

mod absent;
pub mod dhcp;
pub mod dns;
pub mod firewalld;
mod relayed;
mod services;
mod zones;

pub use absent::AbsentServices;
pub use relayed::{Relayed, RelayedCause};
pub use services::{LocalServices, Services, SimulatedServices};
pub use zones::TrustedZone;
