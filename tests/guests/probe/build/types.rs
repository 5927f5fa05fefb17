//! The WIT's types in Rust, and how words are read as one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, Result, bail, ensure};
use wit_parser::{Enum, Record, Resolve, Type, TypeDef, TypeDefKind, TypeId, TypeOwner};

use crate::names::{camel, snake};

/// The types, and the code for those that calls take.
pub(crate) struct Types<'a> {
    resolve: &'a Resolve,
    code: BTreeMap<String, String>,
}

impl<'a> Types<'a> {
    pub(crate) fn new(resolve: &'a Resolve) -> Self {
        Self {
            resolve,
            code: BTreeMap::new(),
        }
    }

    /// How all types that were asked for are read.
    pub(crate) fn code(&self) -> String {
        self.code.values().map(String::as_str).collect()
    }

    /// What a type is, behind the names that other interfaces have for it; `None`
    /// for what isn't defined anywhere.
    pub(crate) fn definition(&self, ty: &Type) -> Option<(TypeId, &'a TypeDef)> {
        let Type::Id(id) = ty else {
            return None;
        };
        let definition = self.resolve.types.get(*id)?;
        match &definition.kind {
            TypeDefKind::Type(other) => self.definition(other),
            _ => Some((*id, definition)),
        }
    }

    /// Whether a type is a text, by whatever name.
    pub(crate) fn is_text(&self, ty: &Type) -> bool {
        let Type::Id(id) = ty else {
            return *ty == Type::String;
        };
        let definition = self.resolve.types.get(*id);
        match definition.map(|definition| &definition.kind) {
            Some(TypeDefKind::Type(other)) => self.is_text(other),
            _ => false,
        }
    }

    /// The fields of a record.
    pub(crate) fn record(&self, ty: &Type) -> Option<&'a Record> {
        match &self.definition(ty)?.1.kind {
            TypeDefKind::Record(record) => Some(record),
            _ => None,
        }
    }

    /// What may be left out.
    pub(crate) fn option(&self, ty: &Type) -> Option<&'a Type> {
        match &self.definition(ty)?.1.kind {
            TypeDefKind::Option(inner) => Some(inner),
            _ => None,
        }
    }

    /// What there are several of.
    pub(crate) fn list(&self, ty: &Type) -> Option<&'a Type> {
        match &self.definition(ty)?.1.kind {
            TypeDefKind::List(inner) => Some(inner),
            _ => None,
        }
    }

    /// Whether `wit-bindgen` has it borrowed: it has a text or a list.
    pub(crate) fn is_borrowed(&self, ty: &Type) -> bool {
        let has = |record: &Record| record.fields.iter().any(|its| self.is_borrowed(&its.ty));
        self.is_text(ty)
            || self.list(ty).is_some()
            || self.option(ty).is_some_and(|inner| self.is_borrowed(inner))
            || self.record(ty).is_some_and(has)
    }

    /// The type in Rust, which from now on can be read.
    pub(crate) fn rust(&mut self, ty: &Type) -> Result<String> {
        if self.is_text(ty) {
            return Ok("String".to_owned());
        }
        let Some((_, definition)) = self.definition(ty) else {
            return Ok(match ty {
                Type::Bool => "bool",
                Type::U8 => "u8",
                Type::U16 => "u16",
                Type::U32 => "u32",
                Type::U64 => "u64",
                Type::S32 => "i32",
                other => bail!("no words can stand for {other:?} yet"),
            }
            .to_owned());
        };
        let path = self.path(definition)?;
        if !self.code.contains_key(&path) {
            let code = match &definition.kind {
                TypeDefKind::Enum(cases) => read_enum(&path, cases)?,
                TypeDefKind::Record(record) => self.read_record(&path, record)?,
                other => bail!("no words can stand for {path} yet, {other:?}"),
            };
            self.code.insert(path.clone(), code);
        }
        Ok(path)
    }

    fn path(&self, definition: &TypeDef) -> Result<String> {
        let TypeOwner::Interface(owner) = definition.owner else {
            bail!("{definition:?} is of no interface");
        };
        let owner = self.resolve.interfaces.get(owner);
        let owner = owner.and_then(|owner| owner.name.as_deref());
        let owner = owner.context("an interface has a name")?;
        let name = definition.name.as_deref();
        let name = name.with_context(|| format!("{definition:?} has no name"))?;
        Ok(format!("wasmvark_guest::{}::{}", snake(owner), camel(name)))
    }

    /// The keys of the fields that may be left out, also of records inside.
    pub(crate) fn keys(&self, record: &Record) -> Result<BTreeSet<String>> {
        let mut keys = BTreeSet::new();
        for field in &record.fields {
            if let Some(inner) = self.record(&field.ty) {
                keys.extend(self.keys(inner)?);
            } else if self.has_key(&field.ty) {
                ensure!(keys.insert(field.name.clone()), "{} twice", field.name);
            }
        }
        Ok(keys)
    }

    fn has_key(&self, ty: &Type) -> bool {
        matches!(ty, Type::Bool) || self.option(ty).is_some() || self.list(ty).is_some()
    }

    fn read_record(&mut self, path: &str, record: &Record) -> Result<String> {
        let mut fields = String::new();
        for field in &record.fields {
            let key = &field.name;
            let value = match (self.option(&field.ty), self.list(&field.ty)) {
                (Some(inner), _) => {
                    self.rust(inner)?;
                    format!("arguments.field({key:?})?")
                }
                (_, Some(inner)) => {
                    self.rust(inner)?;
                    format!("arguments.list({key:?})?")
                }
                _ if field.ty == Type::Bool => format!("arguments.flag({key:?})?"),
                _ => {
                    self.rust(&field.ty)?;
                    "arguments.read()?".to_owned()
                }
            };
            writeln!(fields, "            {}: {value},", snake(key))?;
        }
        let keys: Vec<_> = self.keys(record)?.into_iter().collect();
        Ok(format!(
            "
impl Read for {path} {{
    const KEYS: &'static [&'static str] = &{keys:?};

    fn read(arguments: &mut Arguments<'_>) -> Result<Self, Error> {{
        Ok(Self {{
{fields}        }})
    }}
}}
"
        ))
    }
}

fn read_enum(path: &str, cases: &Enum) -> Result<String> {
    let mut branches = String::new();
    for case in &cases.cases {
        let (name, variant) = (&case.name, camel(&case.name));
        writeln!(branches, "            {name:?} => Ok(Self::{variant}),")?;
    }
    let names: Vec<_> = cases.cases.iter().map(|case| &*case.name).collect();
    let names = names.join(" or ");
    Ok(format!(
        "
impl Read for {path} {{
    fn read(arguments: &mut Arguments<'_>) -> Result<Self, Error> {{
        match arguments.word()? {{
{branches}            word => Err(not_of({names:?}, word)),
        }}
    }}
}}
"
    ))
}
