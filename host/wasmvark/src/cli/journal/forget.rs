//! `wasmvark journal forget`: gives up links that can't be found.

use types::text::plain;

use crate::cli::{CliError, Command, Context, Example, example, output};
use crate::plugin;

/// The command `journal forget`.
#[derive(Debug, clap::Args)]
pub(super) struct Forget {
    /// The container's id, or the beginning of it
    container: String,
    /// Only on this network: its id, or the beginning of it
    #[arg(long)]
    network: Option<String>,
}

impl Command for Forget {
    const NAME: &str = "forget";
    const ABOUT: &str = "Give up links that were moved into a container and can't be found";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Give up links that were moved into a container and can't be found.

A link that was in a container returns to the host only if it is provably the same link. If it is missing, teardown \
reports that, and the undo record stays in the journal. This command looks for the link on the host once more. If it \
still can't be found, its record is removed from the journal, which the audit trail shows. Only missing links are \
given up, and nothing in the kernel is touched: if the link turns up later, its former name, addresses and routes \
aren't restored.",
    );
    const EXAMPLES: &[Example] = &[example(
        "wasmvark journal forget 3f2a9c",
        "Give up a container's link that can't be found",
    )];

    fn run(&self, context: &Context) -> Result<(), CliError> {
        let store = &context.store()?;
        let container = self.container.as_str();
        let mut keys = journal::all(&store.layout().journals());
        keys.retain(|key| {
            let network = self.network.as_deref().unwrap_or_default();
            key.container.as_str().starts_with(container)
                && key.network.as_str().starts_with(network)
        });
        if keys.windows(2).any(|pair| match pair {
            [one, other] => one.container != other.container,
            _ => false,
        }) {
            return Err(CliError::SeveralContainers(container.to_owned()));
        }
        let forgotten = plugin::forget(store, keys)?;
        if forgotten.is_empty() {
            return Err(CliError::NothingMissing(container.to_owned()));
        }
        let mut text = String::new();
        for one in &forgotten {
            let (container, network) = (&one.key.container, &one.key.network);
            for what in &one.given_back {
                text.push_str(&format!(
                    "Found and put back, of container {container} on network {network}: {what}.\n"
                ));
            }
            for what in &one.given_up {
                text.push_str(&format!(
                    "Gave up, of container {container} on network {network}: {what}.\n"
                ));
            }
        }
        output::text(&plain_lines(&text))
    }
}

/// Makes the lines safe for a terminal. Names of links already are.
fn plain_lines(text: &str) -> String {
    text.lines().map(|line| plain(line) + "\n").collect()
}
