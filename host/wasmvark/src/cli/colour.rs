//! Coloured words. They have colours only on a terminal, and not if NO_COLOR is set.

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

/// The meaning of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// All is well.
    Good,
    /// Something needs attention.
    Warning,
    /// Something is wrong, or denied.
    Bad,
    /// The state isn't known.
    Unknown,
}

impl Tone {
    fn style(self) -> Style {
        let colour = match self {
            Self::Good => AnsiColor::Green,
            Self::Warning => AnsiColor::Yellow,
            Self::Bad => AnsiColor::Red,
            Self::Unknown => AnsiColor::Blue,
        };
        colour.on_default().bold()
    }
}

/// Colours a word if standard output takes colours. NO_COLOR, CLICOLOR_FORCE and TERM
/// have their usual meaning.
pub(super) fn paint(tone: Tone, word: &str) -> String {
    let choice = AutoStream::choice(&std::io::stdout());
    painted(choice != ColorChoice::Never, tone, word)
}

fn painted(colours: bool, tone: Tone, word: &str) -> String {
    match colours {
        true => format!("{0}{word}{0:#}", tone.style()),
        false => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_its_colour_where_there_are_any() {
        let word = painted(true, Tone::Bad, "denied");
        assert!(
            word.starts_with('\u{1b}') && word.ends_with("\u{1b}[0m"),
            "{word:?}"
        );
        assert_eq!(painted(false, Tone::Bad, "denied"), "denied");
    }
}
