//! Text from drivers and callers that people read or that names files. It can't
//! control a terminal, forge a line or leave a folder.

use std::borrow::Cow;

/// The longest error text that is passed on, in bytes.
const ERROR_MAX: usize = 4096;
/// The longest domain name (RFC 1035, section 2.3.4), in bytes.
const DOMAIN_MAX: usize = 253;

/// Replaces the control characters of a text, except tabs.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => c,
            c if c.is_control() || is_bidi(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        })
        .collect()
}

/// Replaces the control characters of an error's text, and shortens it.
pub fn plain_error(text: &str) -> String {
    plain(&shortened(text, ERROR_MAX))
}

/// Cuts a text to `max` bytes, and marks the cut with an ellipsis.
pub fn shortened(text: &str, max: usize) -> Cow<'_, str> {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    match text.get(..end) {
        Some(cut) if cut.len() < text.len() => Cow::Owned(format!("{cut} …")),
        _ => Cow::Borrowed(text),
    }
}

/// Writes a count with its noun: `1 run`, `2 runs`.
pub fn counted(count: u64, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ => format!("{count} {thing}s"),
    }
}

/// Whether a text is safe as the name of a file: at most `max` letters, digits, `_`,
/// `.` and `-`, with a letter or digit first. It's Podman's rule for the names of
/// networks and containers.
pub fn is_plain_name(text: &str, max: usize) -> bool {
    let first = text.chars().next();
    let rest = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    first.is_some_and(|c| c.is_ascii_alphanumeric()) && rest && text.len() <= max
}

/// Whether a text can be a search domain. Search domains go into `resolv.conf`.
pub fn is_domain(text: &str) -> bool {
    let plain = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    plain && (1..=DOMAIN_MAX).contains(&text.len())
}

/// Whether a character reorders the text on a terminal (Unicode, UAX 9).
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_can_not_be_steered() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\td"), "a\u{fffd}[2Jb\u{fffd}c\td");
        assert_eq!(plain("\u{202e}x"), "\u{fffd}x");
    }

    #[test]
    fn long_errors_are_cut_between_characters() {
        let long = "ü".repeat(5000);
        let cut = plain_error(&long);
        assert!(cut.len() < 4110 && cut.ends_with(" …"));
        assert_eq!(plain_error("short"), "short");
    }

    #[test]
    fn names_stay_in_their_folder() {
        assert!(is_plain_name("a.b-c_1", 7));
        for text in ["", ".", "..", "-a", "a/b", "a\0", "ä", "a b", "longer-than"] {
            assert!(!is_plain_name(text, 7), "{text:?}");
        }
    }

    #[test]
    fn domains_can_not_smuggle_lines() {
        assert!(is_domain("a-b.example.org"));
        for text in ["", "a b", "a\nnameserver 192.0.2.1", &"a".repeat(254)] {
            assert!(!is_domain(text), "{text:?}");
        }
    }
}
