//! The test programs that cargo built.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::Deserialize;

/// A test program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// The name of the suite, or of the package with the kind of its target.
    pub(crate) name: String,
    /// The program's path.
    pub(crate) path: PathBuf,
    /// Whether the program can run a share of its tests. Programs with this project's
    /// harness can; those with cargo's can't.
    pub(crate) shares: bool,
}

/// A message of cargo. Most messages aren't about programs.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// Reads the output of `cargo test --no-run --message-format=json`.
pub(crate) fn read(messages: &Path) -> anyhow::Result<Vec<Program>> {
    let text = fs::read_to_string(messages).with_context(|| messages.display().to_string())?;
    let mut programs = parse(&text)?;
    programs.sort_by(|a, b| a.name.cmp(&b.name));
    ensure!(
        !programs.is_empty(),
        "{}: no test program is in it",
        messages.display()
    );
    Ok(programs)
}

fn parse(messages: &str) -> anyhow::Result<Vec<Program>> {
    let mut programs = Vec::new();
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line).with_context(|| line.to_owned())?;
        if let (Some(path), Some(target)) = (message.executable, message.target) {
            programs.push(program(path, &target));
        }
    }
    Ok(programs)
}

fn program(path: PathBuf, target: &Target) -> Program {
    let kind = target.kind.join("-");
    let shares = kind == "test";
    let name = if shares {
        target.name.clone()
    } else {
        format!("{}-{kind}", target.name)
    };
    Program { name, path, shares }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn programs_are_found_among_other_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"serde","kind":["lib"]},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"gate","kind":["test"]},"executable":"/t/gate-1"}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"wasmvark","kind":["lib"]},"executable":"/t/w-2"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let gate = Program {
            name: "gate".into(),
            path: "/t/gate-1".into(),
            shares: true,
        };
        let library = Program {
            name: "wasmvark-lib".into(),
            path: "/t/w-2".into(),
            shares: false,
        };
        assert_eq!(parse(messages).unwrap(), [gate, library]);
    }
}
