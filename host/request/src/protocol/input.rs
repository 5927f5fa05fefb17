//! The arguments and the standard input of a plugin.

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;

use super::ProtocolError;

/// The largest request that is read, in bytes. Podman's have a few kilobytes. One that
/// publishes every port of a host singly is smaller, too.
const REQUEST_LIMIT: usize = 16 << 20;

/// A subcommand of the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Checks and completes a new network.
    Create,
    /// Connects a container.
    Setup {
        /// The path of the container's namespace.
        netns: PathBuf,
    },
    /// Disconnects a container.
    Teardown {
        /// The path of the container's namespace, which may not exist any more.
        netns: PathBuf,
    },
    /// Shows the version.
    Info,
}

impl Command {
    /// Parses the arguments after the program's name.
    pub fn parse(mut arguments: impl Iterator<Item = OsString>) -> Result<Self, ProtocolError> {
        let Some(command) = arguments.next() else {
            return Ok(Self::Info);
        };
        let mut netns = |name| {
            let path = arguments.next().filter(|path| !path.is_empty());
            path.map(PathBuf::from)
                .ok_or(ProtocolError::MissingNetns(name))
        };
        match command.to_str() {
            Some("create") => Ok(Self::Create),
            Some("setup") => Ok(Self::Setup {
                netns: netns("setup")?,
            }),
            Some("teardown") => Ok(Self::Teardown {
                netns: netns("teardown")?,
            }),
            Some("info") => Ok(Self::Info),
            _ => Err(ProtocolError::UnknownCommand(
                command.to_string_lossy().into_owned(),
            )),
        }
    }

    /// Returns the subcommand's name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Setup { .. } => "setup",
            Self::Teardown { .. } => "teardown",
            Self::Info => "info",
        }
    }
}

/// Reads all of standard input, even if it's too long. If the plugin ended while the
/// caller still writes, the caller would report "Broken pipe" instead of the error.
pub fn read_stdin(mut stdin: impl Read) -> Result<Vec<u8>, ProtocolError> {
    let mut request = Vec::new();
    let limit = u64::try_from(REQUEST_LIMIT).unwrap_or(u64::MAX);
    stdin
        .by_ref()
        .take(limit + 1)
        .read_to_end(&mut request)
        .map_err(ProtocolError::Read)?;
    if request.len() > REQUEST_LIMIT {
        drop(request);
        std::io::copy(&mut stdin, &mut std::io::sink()).map_err(ProtocolError::Read)?;
        return Err(ProtocolError::TooLarge {
            limit: REQUEST_LIMIT,
        });
    }
    if request.iter().all(u8::is_ascii_whitespace) {
        return Err(ProtocolError::Empty);
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Command, ProtocolError> {
        Command::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn no_argument_counts_as_info() {
        assert_eq!(parse(&[]).unwrap(), Command::Info);
        assert_eq!(parse(&["info"]).unwrap(), Command::Info);
    }

    #[test]
    fn setup_without_a_namespace_is_refused() {
        assert!(matches!(
            parse(&["setup"]),
            Err(ProtocolError::MissingNetns("setup"))
        ));
        assert!(matches!(
            parse(&["teardown", ""]),
            Err(ProtocolError::MissingNetns("teardown"))
        ));
        assert!(matches!(
            parse(&["remove"]),
            Err(ProtocolError::UnknownCommand(_))
        ));
    }

    #[test]
    fn input_beyond_the_limit_is_drained_and_refused() {
        let mut stdin = std::io::repeat(b'x').take(40 << 20);
        assert!(matches!(
            read_stdin(&mut stdin),
            Err(ProtocolError::TooLarge { .. })
        ));
        assert_eq!(stdin.limit(), 0);
    }
}
