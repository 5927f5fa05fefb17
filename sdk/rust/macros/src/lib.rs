//! The macro `manifest!` of wasmvark-guest.

use std::path::PathBuf;
use std::{env, fs};

use proc_macro::{Literal, TokenStream, TokenTree};

/// Puts a driver's manifest into its component, from a file in the package:
/// `manifest!("manifest.toml");`. `behaviours` are replaced by the options and the calls
/// that they stand for.
#[proc_macro]
pub fn manifest(input: TokenStream) -> TokenStream {
    let expanded = argument(input).and_then(|name| expand(&name));
    let code = expanded.unwrap_or_else(|error| {
        let error = Literal::string(&error);
        format!("::core::compile_error!({error});")
    });
    // What is written below is Rust.
    code.parse().unwrap_or_default()
}

/// Returns the name of the file.
fn argument(input: TokenStream) -> Result<String, String> {
    let tokens: Vec<TokenTree> = input.into_iter().collect();
    let text = match tokens.as_slice() {
        [TokenTree::Literal(literal)] => literal.to_string(),
        _ => String::new(),
    };
    let name = text.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    match name {
        Some(name) if !name.contains('\\') => Ok(name.to_owned()),
        _ => Err("manifest! takes the name of a file in quotation marks".to_owned()),
    }
}

fn expand(name: &str) -> Result<String, String> {
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let path = PathBuf::from(package).join(name);
    let shown = path.display();
    let text = fs::read_to_string(&path).map_err(|error| format!("can't read {shown}: {error}"))?;
    let whole =
        wasmvark_manifest::with_parts(&text).map_err(|error| format!("{shown}: {error}"))?;
    let (size, bytes) = (whole.len(), Literal::byte_string(whole.as_bytes()));
    let file = Literal::string(&shown.to_string());
    // The first constant has the compiler look at the file again when it changes.
    Ok(format!(
        "const _: &[u8] = ::core::include_bytes!({file});
         #[cfg(target_family = \"wasm\")]
         #[allow(unsafe_code, reason = \"a section of the component, which no code is in\")]
         const _: () = {{
             #[used]
             #[unsafe(link_section = \"wasmvark:manifest\")]
             static MANIFEST: [u8; {size}] = *{bytes};
         }};"
    ))
}
