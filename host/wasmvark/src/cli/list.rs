//! `wasmvark list`.

use policy::Grant;
use serde::Serialize;

use super::{CliError, Command, Context, Example, Format, example, output};
use crate::store::{DriverName, Store};

/// The command `list`.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Command for List {
    const NAME: &str = "list";
    const ABOUT: &str = "List the installed drivers";
    const EXAMPLES: &[Example] = &[
        example("wasmvark list", "See which drivers are installed"),
        example("wasmvark list --format json", "The same as JSON"),
    ];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = context.store()?;
        let rows: Vec<Row> = store
            .names()?
            .iter()
            .map(|name| row(&store, name))
            .collect::<Result<_, _>>()?;
        match self.format {
            Format::Json => output::json(&rows),
            Format::Text if rows.is_empty() => output::text("No drivers are installed.\n"),
            Format::Text => output::text(&table(rows)),
        }
    }
}

#[derive(Serialize)]
struct Row {
    name: String,
    digest: String,
    link: String,
    grant: String,
}

fn row(store: &Store, name: &DriverName) -> Result<Row, CliError> {
    let registration = store.find(name)?;
    let path = store.layout().grant(name);
    let grant = match store.grant_text(name) {
        Ok(None) => "none".to_owned(),
        Err(error) => format!("unusable: {error}"),
        Ok(Some(text)) => match Grant::parse(name.as_str(), &path, &text) {
            Err(_) => "not valid".to_owned(),
            Ok(grant) if grant.digest() != &registration.digest => "for another digest".to_owned(),
            Ok(grant) => format!("{} calls", grant.calls().len()),
        },
    };
    Ok(Row {
        name: name.to_string(),
        digest: registration.digest.to_string(),
        link: registration.link.display().to_string(),
        grant,
    })
}

fn table(rows: Vec<Row>) -> String {
    let head = ["NAME", "GRANT", "DIGEST", "LINK"].map(str::to_owned);
    let rows = rows.into_iter().map(|row| {
        let digest = row.digest.chars().take(19).collect();
        [row.name, row.grant, digest, row.link]
    });
    output::table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}
