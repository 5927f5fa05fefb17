//! Words for a shell.

/// A word as a POSIX shell reads it back: as it is where nothing in it means
/// anything to a shell, else between single quotes.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_words_back() {
        for word in [
            "",
            "plain",
            "a b",
            "it's",
            "$HOME",
            "`id`",
            "a;b",
            "a\nb",
            "~",
            "#x",
            "!x",
            "*",
            "\\",
            "\"",
            "mtu=1400",
            "fd00::/64",
            "ünï",
        ] {
            let script = format!("printf %s {}", quoted(word));
            // As sh; not every system that runs this has a link of that name.
            let output = std::process::Command::new("bash")
                .args(["--posix", "-c", &script])
                .output();
            assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), word);
        }
        assert_eq!(
            quoted("sysctl.net.core.somaxconn=500"),
            "sysctl.net.core.somaxconn=500"
        );
    }
}
