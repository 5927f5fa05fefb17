//! The output of `convert` for each documented configuration, word by word.

use std::fs;
use std::path::{Path, PathBuf};

use wasmvark_tests::harness::Suite;
use wasmvark_tests::places;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::bench::NO_LINKS;

pub(crate) fn register(suite: &mut Suite) {
    let folder = places::documents();
    for folder in [folder.clone(), folder.join("completed")] {
        for file in configurations(&folder) {
            let stem = file
                .file_stem()
                .expect("a file has a name")
                .to_string_lossy();
            let group = folder.file_name().expect("a name").to_string_lossy();
            let name = format!("convert/{group}/{stem}");
            suite.test(name, NO_LINKS, move || says_what_is_expected(&file));
        }
    }
}

/// The CNI documents of a folder, in order.
fn configurations(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let files = entries.map(|entry| entry.unwrap().path());
    let is_one = |file: &PathBuf| {
        let extension = file.extension().unwrap_or_default();
        extension == "conf" || extension == "conflist"
    };
    let mut files: Vec<_> = files.filter(is_one).collect();
    files.sort();
    files
}

fn says_what_is_expected(file: &Path) {
    let world = World::new();
    let wasmvark = Wasmvark::new(&world);
    let output = wasmvark.administer(&["convert", &file.to_string_lossy()]);
    // Where it's tried is no matter.
    let plain = |text: &str| {
        let text = text.replace(&*wasmvark.root().to_string_lossy(), "ROOT");
        let folder = file.parent().expect("it's in a folder");
        text.replace(&format!("{}/", folder.display()), "")
    };
    let errors = plain(&output.stderr);
    let errors: String = errors
        .lines()
        .map(|line| format!("error: {line}\n"))
        .collect();
    let said = plain(&output.stdout) + &errors;
    let expected = file.with_extension("expected");
    if std::env::var_os("WASMVARK_TEST_CNI").is_some_and(|what| what == "write") {
        fs::write(&expected, &said).unwrap();
    }
    let expected = fs::read_to_string(&expected).unwrap();
    assert_eq!(said, expected, "{}", file.display());
    // Only what is converted is a success.
    assert_eq!(
        output.code,
        Some(i32::from(!errors.is_empty())),
        "{output:?}"
    );
}
