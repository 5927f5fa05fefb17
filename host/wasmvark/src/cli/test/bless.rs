//! Writing what was found into a case. All else in its file stays as it is.

use toml_edit::{DocumentMut, Item, Table, Value};

use super::case::{self, Case, CaseError};
use super::compare::{json, tidy};
use super::run::Found;

/// The table of what is expected.
const EXPECT: &str = "expect";

/// Writes what was found in place of what the case expects: the parts that it has, or all if
/// it has none.
///
/// # Errors
///
/// The file can't be read or written.
pub(super) fn write(case: &Case, found: &Found) -> Result<(), CaseError> {
    let text = case::text(&case.file)?;
    let blessed = blessed(&text, found)?;
    std::fs::write(&case.file, blessed).map_err(|error| CaseError::Io {
        path: case.file.clone(),
        error,
    })
}

fn blessed(text: &str, found: &Found) -> Result<String, CaseError> {
    let malformed = |error: toml_edit::TomlError| CaseError::Malformed(error.to_string());
    let mut document: DocumentMut = text.parse().map_err(malformed)?;
    let expect = document.entry(EXPECT).or_insert(Item::Table(Table::new()));
    let Some(expect) = expect.as_table_like_mut() else {
        return Err(CaseError::Malformed("expect is no table".to_owned()));
    };
    let is_new = expect.is_empty();
    for (key, found) in parts(found) {
        // Another outcome needs a line even where the case had none.
        let is_outcome = ["answer", "error"].contains(&key);
        match found {
            None => {
                expect.remove(key);
            }
            Some(found) if is_new || is_outcome || expect.contains_key(key) => {
                set(expect, key, &found);
            }
            Some(_) => {}
        }
    }
    Ok(document.to_string())
}

/// Returns the value of each key, or nothing for those that make no sense for what was
/// found.
fn parts(found: &Found) -> [(&'static str, Option<String>); 6] {
    let of_success = |text: String| found.error.is_none().then_some(text);
    let lines = |lines: &[String]| tidy(&lines.join("\n"));
    let left = Some(tidy(&found.left)).filter(|left| !left.is_empty());
    [
        ("error", found.error.clone()),
        ("calls", Some(lines(&found.calls))),
        ("answer", found.answer.as_ref().map(json)),
        ("topology", of_success(tidy(&found.topology))),
        ("teardown", of_success(lines(&found.teardown))),
        ("left", left),
    ]
}

/// Sets a key, and keeps the comments around its value.
fn set(expect: &mut dyn toml_edit::TableLike, key: &str, text: &str) {
    let text = match text.contains('\n') {
        true => format!("{text}\n"),
        false => text.to_owned(),
    };
    let mut value = Value::from(text);
    match expect.get_mut(key) {
        Some(item) => {
            if let Some(before) = item.as_value() {
                *value.decor_mut() = before.decor().clone();
            }
            *item = Item::Value(value);
        }
        None => drop(expect.insert(key, Item::Value(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Found {
        Found {
            calls: vec!["links.get link host:eth0".to_owned(), "x \"y\"".to_owned()],
            answer: Some(serde_json::json!({"a": null})),
            topology: "host\n  + eth0  up\n".to_owned(),
            ..Found::default()
        }
    }

    #[test]
    fn a_new_case_gets_all_that_was_found() {
        let text = blessed("# A case.\nrun = \"setup\"\n", &found()).unwrap();
        let expected = "# A case.\nrun = \"setup\"\n\n[expect]\ncalls = \"\"\"\nlinks.get link \
                        host:eth0\nx \"y\"\n\"\"\"\nanswer = \"\"\"\n{\n  \"a\": null\n}\n\"\"\"\n\
                        topology = \"\"\"\nhost\n  + eth0 up\n\"\"\"\nteardown = \"\"\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn only_what_a_case_expects_is_written_and_its_comments_stay() {
        let text = "[expect]\n# Why.\ncalls = \"\" # all\n\n[network]\nname = \"n\"\n";
        let text = blessed(text, &found()).unwrap();
        assert!(text.contains("# Why.\ncalls = \"\"\"\n"), "{text}");
        assert!(text.contains("\"\"\" # all\n"), "{text}");
        assert!(!text.contains("topology"), "{text}");
        assert!(text.contains("[network]\nname = \"n\"\n"), "{text}");
    }

    #[test]
    fn an_error_takes_the_place_of_what_a_success_has() {
        let failed = Found {
            error: Some("no".to_owned()),
            ..Found::default()
        };
        let text = "[expect]\nanswer = \"{}\"\ntopology = \"host\"\n";
        let text = blessed(text, &failed).unwrap();
        assert_eq!(text, "[expect]\nerror = \"no\"\n");
    }
}
