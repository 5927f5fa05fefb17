//! Podman on this machine: its configuration, and its networks. Nothing here changes
//! either.

mod containers_conf;
pub(crate) mod networks;
mod system;

pub(crate) use containers_conf::{ConfError, ContainersConf};
pub(crate) use system::System;
