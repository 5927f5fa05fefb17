//! The names that `wit-bindgen` gives what the WIT has.

/// A function, a field or an interface: `create_vlan`.
pub(crate) fn snake(name: &str) -> String {
    name.replace('-', "_")
}

/// A type or a case: `VlanOptions`.
pub(crate) fn camel(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}
