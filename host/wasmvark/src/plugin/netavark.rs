//! How netavark was called. It passes its plugins no options, but it is their parent,
//! and its arguments say where it keeps the files of aardvark-dns.

use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{geteuid, getppid};

/// The name of netavark's program.
const NAME: &str = "netavark";
/// The options that have a value (`src/main.rs` of netavark 2.1).
const VALUED: [(&str, char); 6] = [
    (CONFIG, 'c'),
    (AARDVARK, 'a'),
    (ROOTLESS, 'r'),
    ("file", 'f'),
    ("firewall-driver", '\0'),
    ("plugin-directory", '\0'),
];
const CONFIG: &str = "config";
const AARDVARK: &str = "aardvark-binary";
const ROOTLESS: &str = "rootless";

/// The options that netavark was called with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Netavark {
    /// The folder of the files of aardvark-dns's folder.
    pub(super) config: Option<PathBuf>,
    /// The program of aardvark-dns.
    pub(super) aardvark: Option<PathBuf>,
    /// Whether it was called for a user other than root.
    pub(super) rootless: Option<bool>,
}

impl Netavark {
    /// Reads the options of this process's parent, if that is a netavark of this user.
    pub(super) fn parent() -> Option<Self> {
        let parent = getppid();
        let folder = PathBuf::from(format!("/proc/{parent}"));
        let owner = folder.metadata().ok()?.uid();
        let line = std::fs::read(folder.join("cmdline")).ok()?;
        // Otherwise the number may be another process's by now.
        if getppid() != parent || (owner != 0 && owner != geteuid().as_raw()) {
            return None;
        }
        Self::parse(&line)
    }

    /// Reads a command line, whose arguments each end with a 0.
    fn parse(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(&[0]).unwrap_or(line);
        let mut arguments = line.split(|byte| *byte == 0);
        let program = Path::new(OsStr::from_bytes(arguments.next()?));
        if program.file_name()? != NAME {
            return None;
        }
        let mut options = Self::default();
        // The first argument without a dash is the command.
        while let Some(argument) = arguments
            .next()
            .filter(|argument| argument.starts_with(b"-"))
        {
            let (name, value) = option(argument)?;
            let value = match value {
                Some(value) => value,
                None => arguments.next()?,
            };
            options.set(name, value);
        }
        Some(options)
    }

    fn set(&mut self, name: &str, value: &[u8]) {
        let path = || {
            Some(PathBuf::from(std::ffi::OsString::from_vec(
                value.to_owned(),
            )))
        };
        match name {
            CONFIG => self.config = path().filter(|path| path.is_absolute()),
            AARDVARK => self.aardvark = path().filter(|path| path.is_absolute()),
            ROOTLESS => self.rootless = Some(value == b"true"),
            _ => {}
        }
    }
}

/// Splits an option of netavark's: `--name VALUE`, `--name=VALUE`, `-n VALUE`, `-nVALUE`
/// or `-n=VALUE`.
fn option(argument: &[u8]) -> Option<(&'static str, Option<&[u8]>)> {
    if let Some(long) = argument.strip_prefix(b"--") {
        let mut parts = long.splitn(2, |byte| *byte == b'=');
        let given = parts.next()?;
        let (name, _) = VALUED.iter().find(|(name, _)| name.as_bytes() == given)?;
        return Some((name, parts.next()));
    }
    let (short, value) = argument.strip_prefix(b"-")?.split_first()?;
    let (name, _) = VALUED
        .iter()
        .find(|(_, letter)| *letter == char::from(*short))?;
    let value = value.strip_prefix(b"=").unwrap_or(value);
    Some((name, (!value.is_empty()).then_some(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Netavark> {
        Netavark::parse(line.replace(' ', "\0").as_bytes())
    }

    #[test]
    fn options_are_read_up_to_the_command() {
        let expected = Netavark {
            config: Some("/run/n".into()),
            aardvark: Some("/usr/lib/podman/aardvark-dns".into()),
            rootless: Some(true),
        };
        let aardvark = "/usr/lib/podman/aardvark-dns";
        for line in [
            format!(
                "/x/netavark --config /run/n --rootless=true --aardvark-binary={aardvark} setup /ns"
            ),
            format!("netavark -c /run/n -rtrue -a={aardvark} -f /dev/stdin setup --config /other"),
            format!(
                "netavark -c/run/n --rootless true --plugin-directory /p -a {aardvark} teardown"
            ),
        ] {
            assert_eq!(parsed(&line).as_ref(), Some(&expected), "{line}");
        }
        assert_eq!(parsed("netavark setup /ns"), Some(Netavark::default()));
        assert_eq!(
            parsed("netavark -c relative setup"),
            Some(Netavark::default())
        );
    }

    #[test]
    fn another_program_or_an_unknown_option_says_nothing() {
        for line in [
            "",
            "bash -c /run/n",
            "netavarkish -c /run/n setup",
            "netavark --new x setup",
            "netavark -c",
        ] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }
}
