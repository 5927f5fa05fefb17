//! The firewall of the host and of the container's namespace: the real kernel's entries
//! with the changes to them.

use kernel::{Firewall, FirewallEntry, FirewallRead, FirewallRule, KernelError, MissingFirewall};
use nix::errno::Errno;
use types::Namespace;

use super::Simulation;
use super::machine::Machine;

impl FirewallRead for Simulation {
    fn free_for_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        self.in_time()?.free_for_firewall(entries)
    }

    fn has_firewall(&mut self, entry: &FirewallEntry) -> Result<bool, KernelError> {
        self.in_time()?.has_firewall(entry)
    }

    fn missing_firewall(
        &mut self,
        entries: &[FirewallEntry],
    ) -> Result<Vec<MissingFirewall>, KernelError> {
        let machine = &mut *self.in_time()?;
        let mut missing = Vec::new();
        for entry in entries {
            if !machine.has_firewall(entry)? {
                missing.push(MissingFirewall::Rule(entry.rule.clone()));
            }
        }
        Ok(missing)
    }
}

impl Firewall for Simulation {
    fn add_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        self.in_time()?.add_firewall(entries)
    }

    fn restore_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        self.in_time()?.add_firewall(entries)
    }

    fn remove_firewall(&mut self, entry: &FirewallEntry) -> Result<(), KernelError> {
        let machine = &mut *self.in_time()?;
        let added = machine.firewall_added.iter().position(|it| it == entry);
        if let Some(place) = added {
            machine.firewall_added.remove(place);
            return Ok(());
        }
        if machine.has_firewall(entry)? {
            machine.firewall_removed.push(entry.clone());
        }
        Ok(())
    }

    fn remove_empty_firewall(&mut self, _entry: &FirewallEntry) -> Result<(), KernelError> {
        // Tables aren't simulated.
        Ok(())
    }
}

impl Machine {
    pub(super) fn add_firewall(&mut self, entries: &[FirewallEntry]) -> Result<(), KernelError> {
        self.free_for_firewall(entries)?;
        for entry in entries {
            let removed = &mut self.firewall_removed;
            removed.retain(|removed| removed != entry);
            // An entry of the real kernel isn't added again.
            if !self.has_firewall(entry)? {
                self.firewall_added.push(entry.clone());
            }
        }
        Ok(())
    }

    /// Checks that nobody else has the ports.
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
        if self.firewall_removed.contains(entry) || !self.is_real(entry.namespace()) {
            return Ok(false);
        }
        let real = self.reader.has_firewall(entry);
        self.unless_hidden(real, false)
    }

    /// Returns the rules of a namespace that were added, and those that were removed.
    pub(super) fn firewall_changes(&self, namespace: Namespace) -> [Vec<FirewallRule>; 2] {
        [&self.firewall_added, &self.firewall_removed].map(|entries| {
            let there = entries
                .iter()
                .filter(|entry| entry.namespace() == namespace);
            there.map(|entry| entry.rule.clone()).collect()
        })
    }

    /// Assumes an answer if the firewall can't be read. Only root can read it.
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
