//! The wishes and the options in manifests.

use std::collections::BTreeMap;
use std::path::Path;

use engine::driver::Manifest;
use policy::{Call, Grant, Limits, Reach, read_wishes};
use request::{Declared, Given, Scope};
use types::Digest;

pub(crate) fn run(input: &[u8]) {
    if let Ok(manifest) = Manifest::parse(input) {
        defaults(&manifest.options);
    }
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    let Ok(wishes) = read_wishes(text) else {
        return;
    };
    let calls: BTreeMap<Call, Reach> = wishes
        .into_iter()
        .map(|(call, wish)| (call, wish.reach))
        .collect();
    // What a manifest asks for can be granted in its own words.
    let text = Grant::text("d", &Digest::of(input), &Limits::default(), &calls);
    let grant = Grant::parse("d", Path::new("d.toml"), &text).expect("a grant of all wishes");
    assert_eq!(grant.calls(), &calls, "{text}");
}

/// A default is a value of its option, for the copy that runs have as well.
fn defaults(declared: &Declared) {
    let kept = declared.for_runs();
    for option in declared.options().unwrap_or_default() {
        let given = match option.scope() {
            Scope::Container => Given::Container,
            Scope::Network | Scope::Both | Scope::Driver => Given::Kept,
        };
        let Some(default) = option.default() else {
            continue;
        };
        let options = [(option.name().as_str().to_owned(), default.to_owned())];
        let options = BTreeMap::from(options);
        assert_eq!(declared.check("d", given, &options), Ok(()));
        assert_eq!(kept.check("d", given, &options), Ok(()));
        let normal = declared.normal_forms(&options).into_iter().collect();
        assert_eq!(declared.check("d", given, &normal), Ok(()));
    }
}
