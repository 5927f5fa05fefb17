//! The calls of `rules`.
//!
//! - `rules.add|remove host|container PRIORITY TABLE`: keys `version` (`ipv4`
//!   or `ipv6`), `from`, `to`, `iif`, `oif`, and `mark`: `VALUE,MASK`
//! - `rules.list host|container [tell]`

use wasmvark_guest::rules::{self, Rule, RuleInfo, RuleMark};
use wasmvark_guest::types::{Error, IpVersion};

use crate::arguments::{Arguments, invalid, number};
use crate::calls::tell;
use crate::create::Keys;

/// Makes a call.
pub(crate) fn run(function: &str, arguments: &mut Arguments<'_>) -> Result<(), Error> {
    let namespace = arguments.namespace()?;
    match function {
        "add" => rules::add(namespace, &rule(arguments)?),
        "remove" => rules::remove(namespace, &rule(arguments)?),
        "list" => {
            let rules = rules::list(namespace)?;
            let rules: Vec<String> = rules.iter().map(describe).collect();
            tell(arguments, "rules", &rules.join(", "))
        }
        word => Err(invalid(&format!("unknown word rules.{word}"))),
    }
}

fn rule(arguments: &mut Arguments<'_>) -> Result<Rule, Error> {
    let (priority, table) = (arguments.number()?, arguments.number()?);
    let keys = Keys::parse(arguments)?;
    Ok(Rule {
        version: keys.get("version").map(version).transpose()?,
        source: keys.text("from"),
        destination: keys.text("to"),
        incoming_link: keys.text("iif"),
        outgoing_link: keys.text("oif"),
        mark: keys.get("mark").map(mark).transpose()?,
        priority,
        table,
    })
}

/// `ipv4` or `ipv6`.
pub(crate) fn version(word: &str) -> Result<IpVersion, Error> {
    match word {
        "ipv4" => Ok(IpVersion::Ipv4),
        "ipv6" => Ok(IpVersion::Ipv6),
        word => Err(invalid(&format!("ipv4 or ipv6, not {word}"))),
    }
}

fn mark(word: &str) -> Result<RuleMark, Error> {
    let (value, mask) = word
        .split_once(',')
        .ok_or_else(|| invalid(&format!("not VALUE,MASK: {word}")))?;
    Ok(RuleMark {
        value: number(value)?,
        mask: number(mask)?,
    })
}

/// As the script writes it, with the version and who made it.
fn describe(info: &RuleInfo) -> String {
    let RuleInfo { rule, protocol } = info;
    let mut words = vec![rule.priority.to_string(), rule.table.to_string()];
    let mark = rule
        .mark
        .map(|mark| format!("{},{}", mark.value, mark.mask));
    for (key, value) in [
        ("from", &rule.source),
        ("to", &rule.destination),
        ("iif", &rule.incoming_link),
        ("oif", &rule.outgoing_link),
        ("mark", &mark),
    ] {
        words.extend(value.as_ref().map(|value| format!("{key}={value}")));
    }
    words.extend(rule.version.map(|version| format!("{version:?}")));
    words.push(format!("proto {protocol}"));
    words.join(" ")
}
