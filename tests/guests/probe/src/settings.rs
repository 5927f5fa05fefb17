//! The calls of `sysctl`.
//!
//! - `sysctl.enable-ip-forward host|container ipv4|ipv6`
//! - `sysctl.set-rp-filter HANDLE off|strict|loose`
//! - `sysctl.set-forwarding HANDLE ipv4|ipv6 on|off`
//! - `sysctl.set-accept-ra HANDLE none|unless-forwarding|all`
//! - `sysctl.set host|container KEY VALUE…`
//! - `sysctl.set-… HANDLE on|off`: all others

use wasmvark_guest::links::Link;
use wasmvark_guest::sysctl::{self, ReversePath, RouterAdvertisements};
use wasmvark_guest::types::Error;

use crate::arguments::{Arguments, invalid};
use crate::calls::handle;
use crate::rules::version;

pub(crate) fn run(
    setting: &str,
    arguments: &mut Arguments<'_>,
    handles: &[Link],
) -> Result<(), Error> {
    match setting {
        "enable-ip-forward" => {
            sysctl::enable_ip_forward(arguments.namespace()?, version(arguments.word()?)?)
        }
        "set-rp-filter" => {
            let link = handle(arguments, handles)?;
            let mode = match arguments.word()? {
                "off" => ReversePath::Off,
                "strict" => ReversePath::Strict,
                "loose" => ReversePath::Loose,
                word => return Err(invalid(&format!("no mode {word}"))),
            };
            sysctl::set_rp_filter(link, mode)
        }
        "set-forwarding" => {
            let link = handle(arguments, handles)?;
            sysctl::set_forwarding(link, version(arguments.word()?)?, arguments.switch()?)
        }
        "set-accept-ra" => {
            let link = handle(arguments, handles)?;
            let accept = match arguments.word()? {
                "none" => RouterAdvertisements::None,
                "unless-forwarding" => RouterAdvertisements::UnlessForwarding,
                "all" => RouterAdvertisements::All,
                word => return Err(invalid(&format!("no mode {word}"))),
            };
            sysctl::set_accept_ra(link, accept)
        }
        "set" => {
            let (namespace, key) = (arguments.namespace()?, arguments.word()?);
            sysctl::set(namespace, key, arguments.rest())
        }
        setting => {
            let link = handle(arguments, handles)?;
            switch(setting, link, arguments.switch()?)
        }
    }
}

fn switch(setting: &str, link: &Link, on: bool) -> Result<(), Error> {
    let set = match setting {
        "set-autoconf" => sysctl::set_autoconf,
        "set-arp-notify" => sysctl::set_arp_notify,
        "set-ndisc-notify" => sysctl::set_ndisc_notify,
        "set-route-localnet" => sysctl::set_route_localnet,
        "set-accept-dad" => sysctl::set_accept_dad,
        "set-disable-ipv6" => sysctl::set_disable_ipv6,
        "set-keep-addr-on-down" => sysctl::set_keep_addr_on_down,
        "set-proxy-arp" => sysctl::set_proxy_arp,
        "set-proxy-ndp" => sysctl::set_proxy_ndp,
        word => return Err(invalid(&format!("unknown word sysctl.{word}"))),
    };
    set(link, on)
}
