//! A branch for each function.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use wit_parser::{Function, Handle, Param, Type, TypeDefKind};

use crate::names::snake;
use crate::types::Types;

/// Parameters that are read by a function of the probe's own, and why stands in
/// `src/calls.rs`.
const PARAMETERS: [(&str, &str, &str); 3] = [
    ("links.create-veth", "options", "veth(arguments)?"),
    ("links.get-by-index", "index", "index(arguments, handles)?"),
    ("firewall.publish", "ports", "ports(arguments)?"),
];

/// Records in lists that `src/describe.rs` describes.
const DESCRIBED: [&str; 3] = ["feature", "route-info", "rule-info"];

/// The function that has all branches.
pub(crate) fn run(branches: &str) -> String {
    format!(
        "/// Makes a call. A handle that it returns joins the others.
pub(crate) fn run(
    call: &str,
    arguments: &mut Arguments<'_>,
    handles: &mut Vec<Link>,
) -> Result<(), Error> {{
    match call {{
{branches}        word => Err(invalid(&format!(\"unknown word {{word}}\"))),
    }}
}}
"
    )
}

/// Reads the arguments of a function, calls it, and does something with what it
/// returns.
pub(crate) fn branch(
    types: &mut Types<'_>,
    interface: &str,
    function: &Function,
) -> Result<String> {
    let call = format!("{interface}.{}", function.name);
    let result = Answer::of(types, interface, function)?;
    let mut code = take_keys(types, function)?;
    let is_list = |param: &&Param| types.list(&param.ty).is_some();
    let (lists, others): (Vec<_>, Vec<_>) = function.params.iter().partition(is_list);
    let mut arguments: Vec<(&str, String)> = Vec::new();
    for param in others.into_iter().chain(lists) {
        let (name, is_last) = (snake(&param.name), function.params.last() == Some(param));
        let own = PARAMETERS
            .iter()
            .find(|(its, name, _)| *its == call && *name == param.name);
        let takes_rest = is_last && matches!(result, Answer::Nothing);
        let value = match own {
            Some((_, _, value)) => (*value).to_owned(),
            None => value(types, &param.ty, takes_rest)
                .with_context(|| format!("the parameter {name}"))?,
        };
        code += &format!("            let {name} = {value};\n");
        arguments.push((&param.name, passed(types, &param.ty, &name)));
    }
    let ordered = function.params.iter().filter_map(|param| {
        let mut pairs = arguments.iter();
        let found = pairs.find(|(name, _)| *name == param.name)?;
        Some(found.1.as_str())
    });
    let arguments: Vec<_> = ordered.collect();
    let made = format!(
        "wasmvark_guest::{}::{}({})",
        snake(interface),
        snake(&function.name),
        arguments.join(", ")
    );
    code += &result.code(&made);
    Ok(format!("        {call:?} => {{\n{code}        }}\n"))
}

/// Takes the keys of all records from the end of the line.
fn take_keys(types: &Types<'_>, function: &Function) -> Result<String> {
    let mut keys = BTreeSet::new();
    for param in &function.params {
        let ty = types.option(&param.ty).unwrap_or(&param.ty);
        let record = types.record(ty).map(|record| types.keys(record));
        for key in record.transpose()?.into_iter().flatten() {
            ensure!(!keys.contains(&key), "two records have a field {key}");
            keys.insert(key);
        }
    }
    let keys: Vec<_> = keys.into_iter().collect();
    Ok(match keys.is_empty() {
        true => String::new(),
        false => format!("            arguments.take_keys(&{keys:?});\n"),
    })
}

/// The code that reads a parameter.
fn value(types: &mut Types<'_>, ty: &Type, takes_rest: bool) -> Result<String> {
    if let Some(inner) = types.option(ty) {
        return optional(types, inner);
    }
    if let Some(inner) = types.list(ty) {
        if *inner == Type::U8 {
            ensure!(takes_rest, "bytes are all that's left of a line");
            return Ok("arguments.bytes()?".to_owned());
        }
        let rust = types.rust(inner)?;
        return Ok(format!("arguments.read_all::<{rust}>()?"));
    }
    if is_handle(types, ty) {
        return Ok("handle(arguments, handles)?".to_owned());
    }
    Ok(match types.is_text(ty) {
        // Other texts, such as addresses, have names.
        true if takes_rest && *ty == Type::String => "arguments.text()".to_owned(),
        true => "arguments.word()?".to_owned(),
        false => format!("arguments.read::<{}>()?", types.rust(ty)?),
    })
}

fn optional(types: &mut Types<'_>, inner: &Type) -> Result<String> {
    if is_handle(types, inner) {
        return Ok("optional_handle(arguments, handles)?".to_owned());
    }
    if types.is_text(inner) {
        return Ok("arguments.optional()".to_owned());
    }
    let rust = types.rust(inner)?;
    Ok(match types.record(inner) {
        Some(_) => format!("arguments.read_record::<{rust}>()?"),
        None => format!("arguments.read_optional::<{rust}>()?"),
    })
}

/// As `wit-bindgen` takes it.
fn passed(types: &Types<'_>, ty: &Type, name: &str) -> String {
    let inner = types.option(ty);
    let is_record = |ty: &Type| types.record(ty).is_some() && types.is_borrowed(ty);
    match inner {
        Some(inner) if is_record(inner) => format!("{name}.as_ref()"),
        None if is_record(ty) || types.list(ty).is_some() => format!("&{name}"),
        _ => name.to_owned(),
    }
}

fn is_handle(types: &Types<'_>, ty: &Type) -> bool {
    let kind = types.definition(ty).map(|(_, definition)| &definition.kind);
    matches!(
        kind,
        Some(TypeDefKind::Handle(Handle::Borrow(_) | Handle::Own(_)))
    )
}

/// What a function returns.
enum Answer {
    /// Only that it worked.
    Nothing,
    /// A handle.
    Handle,
    /// A handle, or none.
    MaybeHandle,
    /// A record of handles, by these fields.
    Handles(Vec<String>),
    /// What can be told: its name, and the code for its text.
    Told(String, String),
}

impl Answer {
    fn of(types: &Types<'_>, interface: &str, function: &Function) -> Result<Self> {
        let result = function.result.as_ref();
        let definition = result.and_then(|ty| types.definition(ty));
        let Some(TypeDefKind::Result(result)) = definition.map(|(_, its)| &its.kind) else {
            bail!("it returns no result");
        };
        let Some(ty) = &result.ok else {
            return Ok(Self::Nothing);
        };
        if is_handle(types, ty) {
            return Ok(Self::Handle);
        }
        if let Some((_, definition)) = types.definition(ty)
            && let TypeDefKind::Option(inner) = &definition.kind
            && is_handle(types, inner)
        {
            return Ok(Self::MaybeHandle);
        }
        if let Some(record) = types.record(ty) {
            let mut fields = record.fields.iter();
            if fields.all(|field| is_handle(types, &field.ty)) {
                let names = record.fields.iter().map(|field| snake(&field.name));
                return Ok(Self::Handles(names.collect()));
            }
        }
        let name = match &*function.name {
            "list" => interface,
            name => name,
        };
        Ok(Self::Told(name.to_owned(), text(types, ty)))
    }

    /// The call, and what becomes of its result.
    fn code(&self, call: &str) -> String {
        match self {
            Self::Nothing => format!("            {call}\n"),
            Self::Handle => format!(
                "            let made = {call}?;\n            handles.push(made);\n            Ok(())\n"
            ),
            Self::MaybeHandle => format!(
                "            let made = {call}?;\n            handles.extend(made);\n            Ok(())\n"
            ),
            Self::Handles(fields) => {
                let fields: Vec<_> = fields.iter().map(|field| format!("made.{field}")).collect();
                let fields = fields.join(", ");
                format!(
                    "            let made = {call}?;\n            handles.extend([{fields}]);\n            Ok(())\n"
                )
            }
            Self::Told(name, text) => format!(
                "            let told = {call}?;\n            tell(arguments, {name:?}, &{text})\n"
            ),
        }
    }
}

/// The code for the text of what a function returns.
fn text(types: &Types<'_>, ty: &Type) -> String {
    if let Some(inner) = types.list(ty) {
        if types.is_text(inner) {
            return "describe::texts(&told)".to_owned();
        }
        let definition = types.definition(inner).map(|(_, definition)| definition);
        let name = definition.and_then(|definition| definition.name.as_deref());
        if let Some(name) = name.filter(|name| DESCRIBED.contains(name)) {
            return format!("describe::{}s(&told)", snake(name));
        }
    }
    let bytes = types.option(ty).and_then(|inner| types.list(inner));
    match bytes {
        Some(Type::U8) => "describe::bytes(told.as_deref())".to_owned(),
        _ => "format!(\"{told:?}\")".to_owned(),
    }
}
