//! The conversion of policy routing rules between the WIT's and the kernel's types.

use ipnet::IpNet;
use kernel::FoundRule;
use types::{IpVersion, LinkName, Mark, Rule};

use crate::driver::wit::rules::{Rule as WitRule, RuleInfo, RuleMark};
use crate::driver::wit::types::IpVersion as WitVersion;

/// Converts a rule of a driver, and checks it.
pub(super) fn rule(rule: WitRule) -> Result<Rule, String> {
    if rule.table == 0 {
        return Err("there is no table 0".to_owned());
    }
    let source = network(rule.source)?;
    let destination = network(rule.destination)?;
    let given = rule.version.map(IpVersion::from);
    let versions = [source, destination].into_iter().flatten();
    let versions = given
        .into_iter()
        .chain(versions.map(|network| IpVersion::of(&network)));
    Ok(Rule {
        version: only_version(versions)?,
        source: source.filter(is_somewhere),
        destination: destination.filter(is_somewhere),
        incoming: name(rule.incoming_link)?,
        outgoing: name(rule.outgoing_link)?,
        mark: rule.mark.map(mark).transpose()?,
        priority: rule.priority,
        table: rule.table,
    })
}

fn network(text: Option<String>) -> Result<Option<IpNet>, String> {
    let parse = |text: String| match text.parse::<IpNet>() {
        Ok(network) => Ok(network.trunc()),
        Err(_) => Err(format!("{text:?} is no network")),
    };
    text.map(parse).transpose()
}

/// Whether a network is a real condition. One that contains every address isn't.
fn is_somewhere(network: &IpNet) -> bool {
    network.prefix_len() > 0
}

fn only_version(mut versions: impl Iterator<Item = IpVersion>) -> Result<IpVersion, String> {
    let first = versions
        .next()
        .ok_or("a rule without a source and a destination needs a version of IP")?;
    match versions.all(|version| version == first) {
        true => Ok(first),
        false => Err("the rule mixes IPv4 and IPv6".to_owned()),
    }
}

fn name(text: Option<String>) -> Result<Option<LinkName>, String> {
    text.map(LinkName::try_from)
        .transpose()
        .map_err(|error| error.to_string())
}

fn mark(mark: RuleMark) -> Result<Mark, String> {
    let RuleMark { value, mask } = mark;
    if mask == 0 {
        return Err("a mask of 0 lets every mark pass: leave the mark out".to_owned());
    }
    if value & !mask != 0 {
        return Err(format!(
            "the mark {value:#x} has bits beside its mask {mask:#x}"
        ));
    }
    Ok(Mark { value, mask })
}

/// Converts a rule of the kernel.
pub(super) fn to_wit(found: FoundRule) -> RuleInfo {
    let FoundRule { rule, protocol } = found;
    let text = |network: IpNet| network.to_string();
    RuleInfo {
        rule: WitRule {
            version: Some(match rule.version {
                IpVersion::Ipv4 => WitVersion::Ipv4,
                IpVersion::Ipv6 => WitVersion::Ipv6,
            }),
            source: rule.source.map(text),
            destination: rule.destination.map(text),
            incoming_link: rule.incoming.map(String::from),
            outgoing_link: rule.outgoing.map(String::from),
            mark: rule
                .mark
                .map(|Mark { value, mask }| RuleMark { value, mask }),
            priority: rule.priority,
            table: rule.table,
        },
        protocol,
    }
}
