//! The script language: lines separated by `;`, each a word and its arguments.
//!
//! | line | what it does |
//! |---|---|
//! | `interface.function ARGUMENT…` | a call (see [`crate::calls`]) |
//! | `change …` | a change of the network (see [`crate::changes`]) |
//! | `name HANDLE tell` | the name of a link |
//! | `dns ADDRESS` | a DNS server for the answer |
//! | `fail TEXT` | fails with `error.other` |
//! | `alloc MIB`, `flood LINES`, `loop`, `panic`, `recurse`, `trap` | misbehaves (see [`crate::hostile`]) |
//! | `bomb …`, `hoard …`, `pile …` | asks for too much (see [`crate::excess`]) |
//!
//! A line that fails ends the run with its error. Where `?` precedes a line,
//! the run goes on, and its result becomes a search domain of the answer to
//! setup: `links.get.ok`, `links.get.denied`.

use wasmvark_guest::links::Link;
use wasmvark_guest::types::{Error, NetworkChange};

use crate::arguments::Arguments;
use crate::{calls, changes, excess, hostile};

/// A script's state, and what it leaves.
#[derive(Default)]
pub(crate) struct Run {
    /// The handles so far; a line names one by its number, from 0.
    pub(crate) handles: Vec<Link>,
    pub(crate) changes: Vec<NetworkChange>,
    pub(crate) dns_servers: Vec<String>,
    pub(crate) results: Vec<String>,
}

impl Run {
    /// Runs all lines.
    pub(crate) fn all(&mut self, script: &str) -> Result<(), Error> {
        for line in script
            .split(';')
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            match line.strip_prefix('?') {
                None => self.line(line)?,
                Some(line) => {
                    let word = line.split_whitespace().next().unwrap_or_default();
                    let result = self.line(line);
                    self.results.push(format!("{word}.{}", case(&result)));
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), Error> {
        let mut arguments = Arguments::new(line);
        let word = arguments.word()?;
        match word {
            "change" => self.changes.push(changes::parse(&mut arguments)?),
            "dns" => self.dns_servers.push(arguments.word()?.to_owned()),
            "fail" => return Err(Error::Other(arguments.rest().to_owned())),
            "alloc" => hostile::alloc(arguments.read()?),
            "flood" => hostile::flood(arguments.read()?)?,
            "name" => {
                let name = calls::handle(&mut arguments, &self.handles)?.name();
                calls::tell(&mut arguments, "name", &name)?;
            }
            "loop" => hostile::spin(),
            "panic" => hostile::panic(),
            "recurse" => hostile::recurse(),
            "trap" => hostile::trap(),
            "bomb" | "hoard" | "pile" => excess::run(word, &mut arguments, &mut self.handles)?,
            call => calls::run(call, &mut arguments, &mut self.handles)?,
        }
        arguments.end()
    }
}

/// A result's case, in the WIT's words.
fn case(result: &Result<(), Error>) -> &'static str {
    match result {
        Ok(()) => "ok",
        Err(Error::Denied(_)) => "denied",
        Err(Error::NotFound(_)) => "not-found",
        Err(Error::Exists(_)) => "exists",
        Err(Error::Invalid(_)) => "invalid",
        Err(Error::Busy(_)) => "busy",
        Err(Error::Unsupported(_)) => "unsupported",
        Err(Error::ReadOnly(_)) => "read-only",
        Err(Error::Other(_)) => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str) -> (Result<(), Error>, Run) {
        let mut run = Run::default();
        (run.all(script), run)
    }

    fn text(result: Result<(), Error>) -> String {
        match result {
            Err(Error::Invalid(message)) => format!("invalid: {message}"),
            Err(Error::Other(message)) => format!("other: {message}"),
            result => case(&result).to_owned(),
        }
    }

    #[test]
    fn a_failing_line_ends_the_run() {
        let (result, run) = run("dns 10.0.0.1; fail two words ;dns 10.0.0.2");
        assert_eq!(text(result), "other: two words");
        assert_eq!(run.dns_servers, ["10.0.0.1"]);
    }

    #[test]
    fn a_line_with_a_question_mark_leaves_its_result() {
        let (result, run) = run("?dns 10.0.0.1; ?fail a b; ?nonsense; ?links.set-up 0");
        assert_eq!(case(&result), "ok");
        assert_eq!(
            run.results,
            [
                "dns.ok",
                "fail.other",
                "nonsense.invalid",
                "links.set-up.invalid",
            ]
        );
    }

    #[test]
    fn changes_are_collected() {
        let (result, run) = run(
            "change network-interface eth1; change dns-enabled off; change ipam-driver none; \
             change set-option a b c; change remove-option a; change merge-patch {\"a\": 1}; \
             change {\"b\":null}",
        );
        assert_eq!(case(&result), "ok");
        let expected = [
            r#"NetworkChange::NetworkInterface("eth1")"#,
            "NetworkChange::DnsEnabled(false)",
            r#"NetworkChange::IpamDriver("none")"#,
            r#"NetworkChange::SetOption(OptionValue { key: "a", value: "b c" })"#,
            r#"NetworkChange::RemoveOption("a")"#,
            r#"NetworkChange::MergePatch("{\"a\": 1}")"#,
            r#"NetworkChange::MergePatch("{\"b\":null}")"#,
        ];
        let changes: Vec<_> = run
            .changes
            .iter()
            .map(|change| format!("{change:?}"))
            .collect();
        assert_eq!(changes, expected);
    }

    #[test]
    fn mistakes_in_a_script_are_named() {
        let cases = [
            ("dns", "invalid: probe: an argument is missing"),
            ("dns a b", "invalid: probe: too many arguments: b"),
            ("flood x", "invalid: probe: not a number: x"),
            (
                "change dns-enabled maybe",
                "invalid: probe: on or off, not maybe",
            ),
            (
                "change colour red",
                "invalid: probe: no such change: colour",
            ),
            (
                "links.get moon eth0",
                "invalid: probe: host or container, not moon",
            ),
        ];
        for (script, expected) in cases {
            assert_eq!(text(run(script).0), expected, "{script}");
        }
    }
}
