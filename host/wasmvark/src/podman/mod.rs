//! Podman on this machine: its configuration, and its networks. Nothing here changes
//! either.

mod conf_files;
mod containers_conf;
pub(crate) mod networks;
mod pools;
mod storage;
mod system;
mod version;

pub(crate) use containers_conf::HELPER_DIRS;
pub(crate) use containers_conf::{ConfError, ContainersConf};
pub(crate) use pools::{Pool, first_free, first_free_local, random_free};
pub(crate) use system::System;
pub(crate) use version::{Version, find_podman};
