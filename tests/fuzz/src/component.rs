//! Components at `install`, before they are compiled.

use engine::driver::Description;

pub(crate) fn run(input: &[u8]) {
    let Ok(description) = Description::read(input) else {
        return;
    };
    let version = description.version;
    assert!(
        version.is_some() || description.imports.is_empty(),
        "{description:?}"
    );
    for call in &description.imports {
        assert!(description.can_make(*call), "{call:?}");
    }
}
