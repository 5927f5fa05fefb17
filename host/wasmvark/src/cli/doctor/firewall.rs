//! The check of other firewalls. A packet must pass the tables of all, so a chain that
//! drops what it doesn't know stops the packets of containers, whatever their own
//! table accepts.

use std::time::{Duration, Instant};

use kernel::{DroppingChain, KernelError, Netlink, Netns, Timed};
use nix::errno::Errno;

use super::finding::Finding;

const CHECK: &str = "firewall";
/// The time that the look may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Finds chains that drop forwarded packets. There is nothing to say if there is none.
pub(super) fn check() -> Vec<Finding> {
    match chains() {
        Ok(chains) => chains.iter().map(warning).collect(),
        // Only root sees the firewall, and `rights` says whether this process may.
        Err(error) if matches!(error.errno(), Some(Errno::EPERM | Errno::EACCES)) => Vec::new(),
        // Without nftables there are no chains.
        Err(error) if error.errno() == Some(Errno::EOPNOTSUPP) => Vec::new(),
        Err(error) => vec![Finding::unknown(
            CHECK,
            format!("the chains of other firewalls can't be read: {error}"),
            "look at them with: nft list chains",
        )],
    }
}

fn chains() -> Result<Vec<DroppingChain>, KernelError> {
    let open = || Netlink::open(Netns::current().ok()?, None).ok();
    let Some(mut kernel) = open() else {
        return Ok(Vec::new());
    };
    kernel.set_deadline(Instant::now() + PATIENCE);
    kernel.chains_that_drop()
}

fn warning(chain: &DroppingChain) -> Finding {
    Finding::warning(
        CHECK,
        format!("the chain {chain} drops forwarded packets that it doesn't accept"),
        format!(
            "packets of containers on networks of bridge and ptp pass only if it accepts them: \
             for LINK, the network's bridge or the container's link on the host, run `nft insert \
             rule {chain} iifname LINK accept` and `nft insert rule {chain} oifname LINK accept`; \
             Docker leaves its chain DOCKER-USER to such rules"
        ),
    )
}
