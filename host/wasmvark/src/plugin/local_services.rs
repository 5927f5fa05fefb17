//! The services of a run, as netavark's own drivers would use them.

use std::path::PathBuf;
use std::time::Instant;

use services::dhcp::DhcpProxy;
use services::dns::AardvarkConfig;
use services::{LocalServices, Services};
use types::user::rootless_user;

use super::netavark::Netavark;
use crate::store::Layout;

/// The DNS server's program.
const AARDVARK: &str = "aardvark-dns";
/// The program that netavark starts if it was called without one.
const NETAVARKS_AARDVARK: &str = "/usr/libexec/podman/aardvark-dns";
/// The variable with the DNS server's port, which plugins get as netavark does.
const DNS_PORT: &str = "NETAVARK_DNS_PORT";

/// Opens the services.
pub(super) fn open(layout: &Layout) -> Box<dyn Services + Send> {
    Box::new(local(layout))
}

/// The same, which waits for firewalld while that starts.
pub(super) fn patient(layout: &Layout) -> Box<dyn Services + Send> {
    Box::new(local(layout).patient())
}

fn local(layout: &Layout) -> LocalServices {
    let dhcp = DhcpProxy::at(layout.dhcp_proxy.clone());
    // Each run sets its deadline before it uses them.
    LocalServices::new(aardvark(layout), dhcp, Instant::now())
}

/// Returns where the DNS server's files are, and how it is started.
pub(super) fn aardvark(layout: &Layout) -> AardvarkConfig {
    let rootless = rootless_user().is_some();
    let netavark = Netavark::parent();
    let program = match &netavark {
        Some(netavark) => netavark
            .aardvark
            .clone()
            .unwrap_or_else(|| NETAVARKS_AARDVARK.into()),
        None => default_program(&layout.helpers),
    };
    let netavark = netavark.unwrap_or_default();
    AardvarkConfig {
        config: netavark.config.unwrap_or_else(|| layout.netavark.clone()),
        program,
        port: dns_port(),
        rootless: netavark.rootless.unwrap_or(rootless),
    }
}

/// Returns the first program that is there, or the path where it would be.
fn default_program(folders: &[PathBuf]) -> PathBuf {
    let mut programs = folders.iter().map(|folder| folder.join(AARDVARK));
    let there = programs.clone().find(|program| program.exists());
    there.or_else(|| programs.next()).unwrap_or_default()
}

/// Returns the DNS server's port. netavark itself refuses one that is no number.
fn dns_port() -> u16 {
    let port = std::env::var(DNS_PORT).ok();
    let port = port.and_then(|port| port.parse().ok());
    port.unwrap_or(AardvarkConfig::PORT)
}
