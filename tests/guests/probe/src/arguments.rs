//! The arguments of a line.

use core::str::FromStr;

use wasmvark_guest::types::{Error, Namespace, Place};

/// What is left of a line.
pub(crate) struct Arguments<'a> {
    rest: &'a str,
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(line: &'a str) -> Self {
        Self { rest: line.trim() }
    }

    /// The next word, where there is one. `""` stands for an empty one.
    pub(crate) fn next(&mut self) -> Option<&'a str> {
        let (word, rest) = self
            .rest
            .split_once(char::is_whitespace)
            .unwrap_or((self.rest, ""));
        self.rest = rest.trim_start();
        match word {
            "" => None,
            "\"\"" => Some(""),
            word => Some(word),
        }
    }

    /// The next word.
    pub(crate) fn word(&mut self) -> Result<&'a str, Error> {
        self.next().ok_or_else(|| invalid("an argument is missing"))
    }

    /// The next word; `-` stands for none.
    pub(crate) fn optional(&mut self) -> Result<Option<&'a str>, Error> {
        Ok(Some(self.word()?).filter(|word| *word != "-"))
    }

    /// A number.
    pub(crate) fn number<T: FromStr>(&mut self) -> Result<T, Error> {
        number(self.word()?)
    }

    /// `on` or `off`.
    pub(crate) fn switch(&mut self) -> Result<bool, Error> {
        match self.word()? {
            "on" => Ok(true),
            "off" => Ok(false),
            word => Err(invalid(&format!("on or off, not {word}"))),
        }
    }

    /// `host` or `container`.
    pub(crate) fn namespace(&mut self) -> Result<Namespace, Error> {
        match self.word()? {
            "host" => Ok(Namespace::Host),
            "container" => Ok(Namespace::Container),
            word => Err(invalid(&format!("host or container, not {word}"))),
        }
    }

    /// `container`, `host` or `shared`.
    pub(crate) fn place(&mut self) -> Result<Place, Error> {
        match self.word()? {
            "container" => Ok(Place::Container),
            "host" => Ok(Place::Host),
            "shared" => Ok(Place::Shared),
            word => Err(invalid(&format!("no such place: {word}"))),
        }
    }

    /// All that's left, spaces and all.
    pub(crate) fn rest(&mut self) -> &'a str {
        core::mem::take(&mut self.rest)
    }

    /// Whether what's left begins with a character.
    pub(crate) fn peek(&self, first: char) -> bool {
        self.rest.starts_with(first)
    }

    /// Nothing may be left.
    pub(crate) fn end(&self) -> Result<(), Error> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(invalid(&format!("too many arguments: {}", self.rest)))
    }
}

/// A word as a number.
pub(crate) fn number<T: FromStr>(word: &str) -> Result<T, Error> {
    word.parse()
        .map_err(|_| invalid(&format!("not a number: {word}")))
}

/// A mistake in the script.
pub(crate) fn invalid(text: &str) -> Error {
    Error::Invalid(format!("probe: {text}"))
}
