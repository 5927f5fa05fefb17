//! The interface `rules`.

mod parse;

use ipnet::IpNet;
use journal::Change;
use kernel::LinkId;
use nix::errno::Errno;
use policy::{Call, Object};
use types::{LinkName, Namespace, Rule};

use super::call::{CallError, Plan, invalid};
use super::clash::View;
use super::routes::find_link;
use super::{Gate, Kernel, bounds};
use crate::driver::wit::rules::{Host, Rule as WitRule, RuleInfo};
use crate::driver::wit::types::Namespace as WitNamespace;

impl Host for Gate {
    fn add(&mut self, namespace: WitNamespace, rule: WitRule) -> Result<(), CallError> {
        let call = Call::RulesAdd;
        check(call, &rule)?;
        let namespace = namespace.into();
        let rule = parse::rule(rule).map_err(|error| invalid(call, &error))?;
        let own_links = self.own_links_of(namespace, &rule);
        let objects = [
            self.rule_object(namespace, &rule, !own_links.is_empty(), false),
            self.table_object(namespace, rule.table),
        ];
        // The rule applies only to packets of an own link or of the container.
        let request = &self.authority.request;
        let mut networks = rule.source.iter().chain(&rule.destination);
        let has_own = networks.any(|network| request.is_containers(*network));
        let is_narrow = has_own || !own_links.is_empty();
        let own = self.own_objects(Namespace::Host)?;
        let plan = |kernel: &mut dyn Kernel| {
            if namespace == Namespace::Host {
                let networks = rule.source.iter().chain(&rule.destination);
                let networks: Vec<IpNet> = networks.copied().collect();
                let view = View::of_host(kernel, &networks, own)?;
                networks.iter().try_for_each(|network| match is_narrow {
                    true => view.check_packets(*network),
                    false => view.check_network(*network),
                })?;
            }
            for (name, link) in &own_links {
                find_link(kernel, Some(*link), namespace, name)?;
            }
            // An equal foreign rule is an error, because the undo would remove it.
            if kernel.has_rule(namespace, &rule)? {
                return Err(Errno::EEXIST.into());
            }
            Ok(Plan::of([Change::AddRule {
                namespace,
                rule: rule.clone(),
            }]))
        };
        self.change(call, &objects, plan, |kernel| {
            kernel.add_rule(namespace, &rule)
        })
    }

    fn remove(&mut self, namespace: WitNamespace, rule: WitRule) -> Result<(), CallError> {
        let call = Call::RulesRemove;
        check(call, &rule)?;
        let namespace = namespace.into();
        let rule = parse::rule(rule).map_err(|error| invalid(call, &error))?;
        if let Some(number) = self.added_rule(namespace, &rule) {
            return self.remove_own_rule(namespace, &rule, number);
        }
        let objects = [
            self.rule_object(namespace, &rule, false, false),
            self.table_object(namespace, rule.table),
        ];
        let permit = self.decide(call, &objects)?;
        let change = |before| Change::RemoveRule {
            namespace,
            rule: rule.clone(),
            before,
        };
        let result = self.remove_saved(
            &permit,
            |kernel| kernel.save_rule(namespace, &rule),
            |before| Some(change(before)),
            |kernel, before| kernel.remove_saved_rule(namespace, before),
        )?;
        self.record(permit, &objects, result)
    }

    fn list(&mut self, namespace: WitNamespace) -> Result<Vec<RuleInfo>, CallError> {
        let namespace = Namespace::from(namespace);
        let objects = [Object::AllRules(namespace)];
        let rules = self.read(Call::RulesList, &objects, |kernel| kernel.rules(namespace))?;
        Ok(rules.into_iter().map(parse::to_wit).collect())
    }
}

impl Gate {
    /// Returns the own links that a rule names.
    fn own_links_of(&self, namespace: Namespace, rule: &Rule) -> Vec<(LinkName, LinkId)> {
        let own = rule.links().filter_map(|name| {
            let link = self.own_link(namespace, name)?;
            Some((name.clone(), link))
        });
        own.collect()
    }

    /// Returns the number of the undo record of an added rule.
    fn added_rule(&self, namespace: Namespace, rule: &Rule) -> Option<u32> {
        let is_it = |change: &Change| {
            matches!(change, Change::AddRule { namespace: place, rule: added }
                if *place == namespace && added == rule)
        };
        let mut entries = self.rollback.journal.as_ref()?.entries_of(namespace);
        entries
            .find(|entry| is_it(&entry.change))
            .map(|entry| entry.number)
    }

    fn remove_own_rule(
        &mut self,
        namespace: Namespace,
        rule: &Rule,
        number: u32,
    ) -> Result<(), CallError> {
        let call = Call::RulesRemove;
        let objects = [self.rule_object(namespace, rule, false, true)];
        let permit = self.decide(call, &objects)?;
        let result = self
            .rollback
            .guard
            .open(&permit)
            .remove_rule(namespace, rule);
        if result.is_ok() {
            self.forget(number)?;
        }
        self.record(permit, &objects, result)
    }

    fn rule_object<'a>(
        &self,
        namespace: Namespace,
        rule: &'a Rule,
        names_own_link: bool,
        own: bool,
    ) -> Object<'a> {
        Object::Rule {
            namespace,
            rule,
            names_own_link,
            is_shared: self.has_shared_link(),
            own,
        }
    }
}

/// Checks the lengths of a rule's texts.
fn check(call: Call, rule: &WitRule) -> Result<(), CallError> {
    bounds::addresses(call, [&rule.source, &rule.destination])?;
    bounds::names(call, [&rule.incoming_link, &rule.outgoing_link])
}
