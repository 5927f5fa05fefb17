//! Adding values to a list and removing them, with the comments of the other values
//! unchanged.
//!
//! For the parser, the text after a value's comma belongs to the next value, or to the
//! end of the list. That includes the comment at the end of the value's line.

use toml_edit::{Array, RawString, Value};

/// Removes a value, with the comment at the end of its line. Comments on lines of their
/// own stay.
pub(super) fn remove(array: &mut Array, index: usize) {
    let before = array.get(index).map(prefix).unwrap_or_default();
    let is_last = index + 1 >= array.len();
    let after = match array.get(index + 1) {
        Some(next) => prefix(next),
        None => text(Some(array.trailing())),
    };
    array.remove(index);
    let between = match after.find('\n').and_then(|at| after.get(at..)) {
        Some(rest) => format!("{}{rest}", without_last_line(&before)),
        None if is_last => after,
        None => before,
    };
    match array.get_mut(index) {
        Some(next) => next.decor_mut().set_prefix(between),
        None => array.set_trailing(between),
    }
}

/// Adds a value at the end. It gets a line of its own if the last value has one.
pub(super) fn push(array: &mut Array, value: Value) {
    let count = array.len();
    let last = count.checked_sub(1).and_then(|index| array.get_mut(index));
    let Some(last) = last else {
        array.push(value);
        return;
    };
    let own = prefix(last);
    let Some(indent) = own.rfind('\n').and_then(|at| own.get(at..)) else {
        array.push(value);
        return;
    };
    let suffix = text(last.decor().suffix());
    last.decor_mut().set_suffix("");
    let end = format!("{suffix}{}", text(Some(array.trailing())));
    let comments = without_last_line(&end);
    let rest = end.get(comments.len()..).unwrap_or_default().to_owned();
    array.push_formatted(value.decorated(format!("{comments}{indent}"), ""));
    array.set_trailing(rest);
    array.set_trailing_comma(true);
}

/// Returns the text before a value.
fn prefix(value: &Value) -> String {
    text(value.decor().prefix())
}

fn text(raw: Option<&RawString>) -> String {
    let text = raw.and_then(|raw| raw.as_str());
    text.unwrap_or_default().to_owned()
}

/// Cuts the last line off a text.
fn without_last_line(text: &str) -> &str {
    let end = text.rfind('\n').unwrap_or_default();
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, change: impl FnOnce(&mut Array), after: &str) {
        let mut document: toml_edit::DocumentMut = format!("a = {before}\n").parse().unwrap();
        change(document["a"].as_array_mut().unwrap());
        assert_eq!(document.to_string(), format!("a = {after}\n"));
    }

    const LINES: &str = "[\n  1, # One.\n  # Above.\n  2, # Two.\n  3, # Three.\n]";

    #[test]
    fn comments_go_with_their_line_only() {
        let taken = |index| move |array: &mut Array| remove(array, index);
        check(
            LINES,
            taken(0),
            "[\n  # Above.\n  2, # Two.\n  3, # Three.\n]",
        );
        check(
            LINES,
            taken(1),
            "[\n  1, # One.\n  # Above.\n  3, # Three.\n]",
        );
        check(
            LINES,
            taken(2),
            "[\n  1, # One.\n  # Above.\n  2, # Two.\n]",
        );
        check("[1, 2, 3]", taken(0), "[2, 3]");
        check("[1, 2, 3]", taken(1), "[1, 3]");
        check("[1, 2, 3]", taken(2), "[1, 2]");
        check("[ 1, 2 ]", taken(0), "[ 2 ]");
        check("[1]", taken(0), "[]");
    }

    #[test]
    fn what_is_new_comes_after_the_last_ones_comment() {
        let four = |array: &mut Array| push(array, Value::from(4));
        check(LINES, four, &LINES.replace("\n]", "\n  4,\n]"));
        check("[\n  1\n]", four, "[\n  1,\n  4,\n]");
        check("[\n  1 # One.\n]", four, "[\n  1, # One.\n  4,\n]");
        check("[1]", four, "[1, 4]");
        check("[]", four, "[4]");
    }
}
