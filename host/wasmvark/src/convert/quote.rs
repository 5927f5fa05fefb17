//! Quoting of words for a shell.

/// Quotes a word for a POSIX shell, with single quotes. A word without special characters
/// stays as it is.
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
            // This stands for sh, which not every system has.
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
