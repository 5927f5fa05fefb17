//! The custom section with a driver's manifest, in a component's bytes.

use std::ops::Range;

use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::{Parser, Payload};

use super::{ComponentError, ManifestError};

/// The name of the section.
pub(super) const NAME: &str = "wasmvark:manifest";

/// A manifest's section in a component.
pub(super) struct Found<'a> {
    pub(super) data: &'a [u8],
    /// The section's bytes, if it isn't in a part of the component. From there, where some
    /// languages put it, it can't be taken.
    pub(super) own: Option<Range<usize>>,
}

/// Finds a component's manifest, at any depth. Some languages can put custom sections only
/// into their core module.
///
/// # Errors
///
/// The component isn't valid, or has more than one manifest.
pub(super) fn find(component: &[u8]) -> Result<Option<Found<'_>>, ComponentError> {
    let mut found = None;
    let mut depth = 0_u32;
    // The byte after the section before, where the next one begins.
    let mut end = 0;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(ComponentError::Invalid)?;
        match &payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth = depth.saturating_add(1);
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if section.name() == NAME => {
                if found.is_some() {
                    let twice = "the component carries more than one".to_owned();
                    return Err(ManifestError(twice).into());
                }
                found = Some(Found {
                    data: section.data(),
                    own: (depth == 0).then(|| end..section.range().end),
                });
            }
            _ => {}
        }
        if let Some((_, range)) = payload.as_section() {
            end = range.end;
        } else if let Payload::Version { range, .. } = &payload {
            end = range.end;
        }
    }
    Ok(found)
}

/// Puts a manifest into a component, in the place of the one that it has.
///
/// # Errors
///
/// The component isn't valid, or a part of it has a manifest.
pub fn with_manifest(component: &[u8], manifest: &str) -> Result<Vec<u8>, ComponentError> {
    let mut bytes = component.to_vec();
    match find(component)?.map(|found| found.own) {
        None => {}
        Some(Some(own)) => drop(bytes.drain(own)),
        Some(None) => {
            let inside = "a part of the component carries one, which can't be taken out: build the \
                          component without it";
            return Err(ManifestError(inside.to_owned()).into());
        }
    }
    let section = CustomSection {
        name: NAME.into(),
        data: manifest.as_bytes().into(),
    };
    section.append_to_component(&mut bytes);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component without anything (`Binary.md` of the component model).
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn data(component: &[u8]) -> Option<Vec<u8>> {
        find(component).unwrap().map(|found| found.data.to_vec())
    }

    #[test]
    fn a_manifest_is_put_in_and_replaced() {
        assert_eq!(data(EMPTY), None);
        let one = with_manifest(EMPTY, "one").unwrap();
        assert_eq!(data(&one).as_deref(), Some(&b"one"[..]));
        let other = with_manifest(&one, "the other one").unwrap();
        assert_eq!(data(&other).as_deref(), Some(&b"the other one"[..]));
        assert_eq!(with_manifest(&other, "one").unwrap(), one);
    }

    #[test]
    fn what_is_beside_it_stays() {
        let mut component = EMPTY.to_vec();
        let section = |name: &str| CustomSection {
            name: name.to_owned().into(),
            data: b"data".as_slice().into(),
        };
        section("before").append_to_component(&mut component);
        section(NAME).append_to_component(&mut component);
        section("after").append_to_component(&mut component);
        let mut expected = EMPTY.to_vec();
        section("before").append_to_component(&mut expected);
        section("after").append_to_component(&mut expected);
        let expected = with_manifest(&expected, "new").unwrap();
        assert_eq!(with_manifest(&component, "new").unwrap(), expected);
    }

    #[test]
    fn a_manifest_in_a_part_is_found_and_stays() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        let section = CustomSection {
            name: NAME.into(),
            data: b"inside".as_slice().into(),
        };
        wasm_encoder::Section::append_to(&section, &mut module);
        let mut component = EMPTY.to_vec();
        component.extend([1, u8::try_from(module.len()).unwrap()]);
        component.extend(module);
        assert_eq!(data(&component).as_deref(), Some(&b"inside"[..]));
        let error = with_manifest(&component, "new").unwrap_err().to_string();
        assert!(error.contains("a part of the component"), "{error}");
    }
}
