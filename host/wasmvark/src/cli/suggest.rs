//! `wasmvark suggest`: the smallest grant that covers a driver's recorded runs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use audit::{CallUsage, Since, Summary, Usage};
use policy::{Call, Grant, Limits, Reach};
use types::text;

use super::{CliError, Command, Context, Example, example, find_grant, output};
use crate::store::DriverName;

/// The command `suggest`.
#[derive(Debug, clap::Args)]
pub(super) struct Suggest {
    /// The driver's name
    name: DriverName,
    /// Count only records younger than this: 30s, 10m, 2h, 3d, 1w, or a time in UTC
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
}

impl Command for Suggest {
    const NAME: &str = "suggest";
    const ABOUT: &str = "Print the smallest grant that covers a driver's recorded runs";
    const EXAMPLES: &[Example] = &[example(
        "wasmvark suggest wasm-macvlan >./least.toml",
        "Write the smallest grant that its runs needed",
    )];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        let name = &self.name;
        let digest = store.find(name)?.digest;
        store.check_trail()?;
        let trail = &store.layout().trail;
        let summary = Summary::read(trail, self.since).map_err(|error| CliError::Read {
            path: trail.clone(),
            error,
        })?;
        let usage = summary.of(name.as_str(), &digest.to_string());
        if usage.runs == 0 {
            return Err(CliError::NothingSeen {
                driver: name.clone(),
                trail: trail.clone(),
            });
        }
        let path = store.layout().grant(name);
        let grant = find_grant(store, name)?;
        let wanted: BTreeMap<Call, Reach> = usage
            .calls
            .iter()
            .filter(|(call, usage)| usage.allowed > 0 && call.needs_grant())
            .map(|(call, usage)| (*call, reach(*call, usage, grant.as_ref())))
            .collect();
        let limits = grant.as_ref().map(|grant| grant.limits().clone());
        let limits: Limits = limits.unwrap_or_default();
        let mut text = heading(name, &usage);
        text.push_str(&Grant::text(name.as_str(), &digest, &limits, &wanted));
        text.push_str(&remarks(&usage, &wanted, grant.as_ref()));
        if grant.as_ref().is_some_and(|grant| !grant.requires_trail()) {
            text.push_str("\n[trail]\nrequired = false\n");
        }
        // The printed text must parse to exactly the intended grant.
        let read = Grant::parse(name.as_str(), &path, &text)?;
        match *read.calls() == wanted {
            true => output::text(&text),
            false => Err(CliError::Unreadable(name.clone())),
        }
    }
}

/// Returns the reach that a call needed. If the trail doesn't list all of it, the
/// grant's reach is added, because that allowed the call.
fn reach(call: Call, usage: &CallUsage, grant: Option<&Grant>) -> Reach {
    let granted = grant.and_then(|grant| grant.calls().get(&call));
    match granted {
        Some(granted) if usage.has_more => granted.joined(&usage.reach),
        _ => usage.reach.clone(),
    }
}

fn heading(name: &DriverName, usage: &Usage) -> String {
    let time = |time: &Option<String>| text::plain(time.as_deref().unwrap_or("?"));
    format!(
        "# The least that covers what {name} did in {}, from {} to {}.\n\
         # What it didn't do meanwhile, such as what another option needs, is not in it.\n",
        text::counted(usage.runs, "run"),
        time(&usage.first),
        time(&usage.last)
    )
}

/// Returns the differences from the present grant, and the denied calls. They are for
/// the reader, and so in comments.
fn remarks(usage: &Usage, wanted: &BTreeMap<Call, Reach>, grant: Option<&Grant>) -> String {
    let nothing = BTreeMap::new();
    let granted = grant.map_or(&nothing, Grant::calls);
    let unused = granted
        .iter()
        .filter(|(call, _)| call.needs_grant() && !wanted.contains_key(call))
        .map(|(call, reach)| Grant::line(*call, reach));
    let narrower = granted
        .iter()
        .filter(|(call, reach)| wanted.get(call).is_some_and(|it| !it.covers(reach)))
        .map(|(call, reach)| Grant::line(*call, reach));
    let wider = wanted
        .iter()
        .filter(|(call, reach)| !granted.get(call).is_some_and(|it| it.covers(reach)))
        .map(|(call, reach)| Grant::line(*call, reach));
    let denied = usage
        .calls
        .iter()
        .filter(|(call, usage)| usage.denied > 0 && call.needs_grant())
        .map(|(call, usage)| {
            let line = Grant::line(*call, &usage.reach.joined(&usage.lacking));
            format!("{line}  ({})", text::counted(usage.denied, "time"))
        });
    let many = usage
        .calls
        .iter()
        .filter(|(_, call)| call.has_more)
        .map(|(call, _)| call.to_string());
    let mut text = String::new();
    section(
        &mut text,
        "With the reach of the grant that is there, as it named too much to list",
        many,
    );
    section(&mut text, "Granted now, and not used", unused);
    section(
        &mut text,
        "Granted now with more reach than was used",
        narrower,
    );
    section(&mut text, "Used, and not granted any more", wider);
    section(&mut text, "Denied; this would allow it", denied);
    text
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    for (number, line) in lines.enumerate() {
        if number == 0 {
            // Writing to a string can't fail.
            let _ = writeln!(text, "\n# {title}:");
        }
        let _ = writeln!(text, "# {}", text::plain(&line));
    }
}
