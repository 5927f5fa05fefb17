//! The host's firewall: entries that are added to what the real kernel has.

use kernel::{FirewallEntry, FirewallRule, KernelError, MissingFirewall};
use nix::errno::Errno;

use super::machine::Machine;

impl Machine {
    pub(super) fn add_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        self.free_for_firewall(entries)?;
        for entry in entries {
            let removed = &mut self.firewall_removed;
            removed.retain(|removed| removed != entry);
            // What the real kernel has is added to nothing.
            if !self.has_firewall(entry)? {
                self.firewall_added.push(entry.clone());
            }
        }
        Ok(())
    }

    /// Whether nobody else has the ports.
    pub(super) fn free_for_firewall(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<(), KernelError> {
        let gone = &self.firewall_removed;
        let asked: Vec<FirewallEntry> = entries
            .iter()
            .filter(|entry| !gone.contains(entry))
            .cloned()
            .collect();
        let real = self.reader.free_for_firewall(&asked);
        self.unless_hidden(real, ())
    }

    pub(super) fn has_firewall(&mut self, entry: &FirewallEntry) -> Result<bool, KernelError> {
        if self.firewall_added.contains(entry) {
            return Ok(true);
        }
        if self.firewall_removed.contains(entry) {
            return Ok(false);
        }
        let real = self.reader.has_firewall(entry);
        self.unless_hidden(real, false)
    }

    /// What isn't there, whatever its order.
    pub(super) fn missing_firewall(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError> {
        let mut missing = Vec::new();
        for entry in entries {
            if !self.has_firewall(entry)? {
                missing.push(MissingFirewall::Rule(entry.rule.clone()));
            }
        }
        Ok(missing)
    }

    pub(super) fn remove_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError> {
        let added = self.firewall_added.iter().position(|it| it == entry);
        if let Some(place) = added {
            self.firewall_added.remove(place);
            return Ok(());
        }
        if self.has_firewall(entry)? {
            self.firewall_removed.push(entry.clone());
        }
        Ok(())
    }

    /// The rules that there are more of, and less.
    pub(super) fn firewall_changes(&self) -> [Vec<FirewallRule>; 2] {
        [&self.firewall_added, &self.firewall_removed]
            .map(|entries| entries.iter().map(|entry| entry.rule.clone()).collect())
    }

    /// Who isn't root can't read the firewall.
    fn unless_hidden<T>(
        &mut self,
        result: Result<T, KernelError>,
        otherwise: T,
    ) -> Result<T, KernelError> {
        match result {
            Err(error) if matches!(error.errno(), Some(Errno::EPERM | Errno::EACCES)) => {
                self.assume(
                    "the firewall, which only root can read, has nothing of this driver's, and \
                     the ports are free"
                        .to_owned(),
                );
                Ok(otherwise)
            }
            result => result,
        }
    }
}
