//! Tables in the container's namespace that a program there has put in place of the
//! host's. Nobody else may change a table with an owner (NFT_TABLE_F_OWNER), and the
//! host's rules went with the table that it replaced.

use netlink_packet_netfilter::nftables::{NfTablesMessage, TableAttribute};
use nix::errno::Errno;

use super::batch::Table;
use crate::netlink::Netlink;
use crate::{FirewallFamily, KernelError};

impl Netlink {
    /// Passes over the error of a removal if the table has an owner.
    #[track_caller]
    pub(super) fn unless_taken_over(
        &mut self,
        table: Table<'_>,
        removed: Result<(), KernelError>,
    ) -> Result<(), KernelError> {
        let may_be = table.family == FirewallFamily::Container;
        match removed {
            Err(error) if may_be && error.errno() == Some(Errno::EPERM) => {
                match self.has_owner(table) {
                    Ok(true) => Ok(()),
                    Ok(false) | Err(_) => Err(error),
                }
            }
            removed => removed,
        }
    }

    #[track_caller]
    fn has_owner(&mut self, table: Table<'_>) -> Result<bool, KernelError> {
        let answers = self.ask_nft(table.namespace(), &table.get())?.into_iter();
        let attributes = answers.filter_map(|answer| match answer {
            NfTablesMessage::NewTable(message) => Some(message.attributes),
            _ => None,
        });
        let mut attributes = attributes.flatten();
        Ok(attributes.any(|attribute| matches!(attribute, TableAttribute::Owner(_))))
    }
}
