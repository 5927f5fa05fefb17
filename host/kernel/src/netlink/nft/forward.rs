//! Foreign chains that drop forwarded packets, whatever the drivers' tables say: a
//! packet must pass all base chains of a hook.

use std::fmt;

use netlink_packet_netfilter::nftables::{
    ChainAttribute, ChainMessage, Hook, HookNumber, InetHookNumber, NfTablesMessage,
};
use netlink_packet_netfilter::{NetfilterMessage, NetfilterMessageInner, NetfilterProtoFamily};
use types::Namespace;

use super::socket::header;
use super::{LACKING, without_nftables};
use crate::KernelError;
use crate::netlink::Netlink;

/// NF_DROP
const NF_DROP: u32 = 0;

/// A base chain whose policy drops forwarded packets that it doesn't accept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DroppingChain {
    /// The family of the table, as nft(8) names it.
    pub family: &'static str,
    /// The table's name.
    pub table: String,
    /// The chain's name.
    pub chain: String,
}

impl fmt::Display for DroppingChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.family, self.table, self.chain)
    }
}

impl Netlink {
    /// Lists the base chains for forwarded packets whose policy is to drop, of all
    /// tables of IPv4 and IPv6. Chains of iptables are among them, unless it is the
    /// legacy one.
    ///
    /// # Errors
    ///
    /// The kernel has no nftables, or refuses to list them.
    #[track_caller]
    pub fn chains_that_drop(&mut self) -> Result<Vec<DroppingChain>, KernelError> {
        let all = ChainMessage {
            attributes: Vec::new(),
        };
        let question = NetfilterMessage::new(
            header(NetfilterProtoFamily::Unspec),
            NfTablesMessage::GetChain(all),
        );
        let answers = self.netfilter(Namespace::Host, async |netfilter| {
            netfilter.list(&question).await
        });
        let answers = answers.map_err(|error| without_nftables(error, &LACKING))?;
        let mut chains = Vec::new();
        for answer in &answers {
            let message = answer.decode::<NetfilterMessage>()?;
            if let NetfilterMessageInner::NfTables(NfTablesMessage::NewChain(chain)) = message.inner
            {
                chains.extend(dropping(message.header.family, &chain.attributes));
            }
        }
        chains.sort();
        Ok(chains)
    }
}

fn dropping(family: NetfilterProtoFamily, chain: &[ChainAttribute]) -> Option<DroppingChain> {
    let family = match family {
        NetfilterProtoFamily::Inet => "inet",
        NetfilterProtoFamily::IPv4 => "ip",
        NetfilterProtoFamily::IPv6 => "ip6",
        _ => return None,
    };
    let (mut table, mut name) = (None, None);
    let (mut is_forward, mut drops) = (false, false);
    for attribute in chain {
        match attribute {
            ChainAttribute::Table(text) => table = Some(text.clone()),
            ChainAttribute::Name(text) => name = Some(text.clone()),
            ChainAttribute::Policy(policy) => drops = *policy == NF_DROP,
            ChainAttribute::Hook(hook) => is_forward = hook.iter().any(is_forward_hook),
            _ => {}
        }
    }
    let chain = DroppingChain {
        family,
        table: table?,
        chain: name?,
    };
    (is_forward && drops).then_some(chain)
}

fn is_forward_hook(hook: &Hook) -> bool {
    let forward = u32::from(InetHookNumber::Forward);
    match hook {
        Hook::Number(HookNumber::Inet(number)) => u32::from(*number) == forward,
        Hook::Number(HookNumber::Other(number)) => *number == forward,
        _ => false,
    }
}
