//! `wasmvark journal forget`: links that can't be found are given up.

use types::text::plain;

use crate::cli::{CliError, Command, Context, Example, example, output};
use crate::plugin;

/// The command `journal forget`.
#[derive(Debug, clap::Args)]
pub(super) struct Forget {
    /// The container's id, or how it begins
    container: String,
    /// Only on this network: its id, or how that begins
    #[arg(long)]
    network: Option<String>,
}

impl Command for Forget {
    const NAME: &str = "forget";
    const ABOUT: &str = "Give up links that were moved into a container and can't be found";
    const LONG_ABOUT: Option<&str> = Some(
        "\
Give up links that were moved into a container and can't be found.

A link that was in a container comes back only if it's provably the same one. Where it's missing, teardown says so, \
and its entry stays in the journal. This looks for it once more on the host; what isn't there is taken out of the \
journal, and the trail has that. Only missing links are given up, and nothing of the kernel's is touched: if the link \
turns up later, what it had on the host (name, addresses, routes) doesn't come back by itself.",
    );
    const EXAMPLES: &[Example] = &[example(
        "wasmvark journal forget 3f2a9c",
        "Give up a link that a container had and that can't be found",
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

/// Names of links are plain, but the text is for terminals.
fn plain_lines(text: &str) -> String {
    text.lines().map(|line| plain(line) + "\n").collect()
}
