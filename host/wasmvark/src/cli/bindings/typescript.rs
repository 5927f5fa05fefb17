//! The interface as declarations of TypeScript, as engines for JavaScript have it: names in
//! camel case, variants with `tag` and `val`, and results that are returned or thrown.

use heck::{ToLowerCamelCase, ToUpperCamelCase};
use wit_parser::{
    Docs, Function, FunctionKind, Handle, Interface, InterfaceId, Resolve, Type, TypeDef,
    TypeDefKind, TypeId, TypeOwner, WorldId, WorldItem,
};

/// Returns the declarations of all interfaces of a world, each as a module.
pub(super) fn declarations(resolve: &Resolve, world: WorldId) -> String {
    let mut text = "// The interface of drivers, from its WIT. Don't edit it: `wasmvark bindings` \
                    writes it.\n"
        .to_owned();
    for (id, interface) in interfaces(resolve, world) {
        let Some(name) = resolve.id_of(id) else {
            continue;
        };
        let module = Module {
            resolve,
            interface: id,
        };
        text.push_str(&format!("\ndeclare module '{name}' {{\n"));
        text.push_str(&indented(&module.content(interface)));
        text.push_str("}\n");
    }
    text
}

/// Returns the interfaces that a world imports or exports, each once.
fn interfaces(resolve: &Resolve, world: WorldId) -> Vec<(InterfaceId, &Interface)> {
    let mut ids = Vec::new();
    let items = resolve.worlds.get(world).into_iter();
    for item in items.flat_map(|world| world.imports.values().chain(world.exports.values())) {
        if let WorldItem::Interface { id, .. } = item
            && !ids.contains(id)
        {
            ids.push(*id);
        }
    }
    ids.into_iter()
        .filter_map(|id| Some((id, resolve.interfaces.get(id)?)))
        .collect()
}

/// An interface that is written down.
struct Module<'a> {
    resolve: &'a Resolve,
    interface: InterfaceId,
}

impl Module<'_> {
    fn content(&self, interface: &Interface) -> String {
        let mut text = String::new();
        for (name, id) in &interface.types {
            if let Some(definition) = self.resolve.types.get(*id) {
                text.push_str(&comment(&definition.docs));
                text.push_str(&self.definition(name, *id, definition, interface));
            }
        }
        for function in interface.functions.values() {
            if function.kind == FunctionKind::Freestanding {
                let name = function.name.to_lower_camel_case();
                let signature = self.signature(function, 0);
                text.push_str(&comment(&function.docs));
                text.push_str(&match is_reserved(&name) {
                    false => format!("export function {name}{signature};\n"),
                    true => {
                        format!("function {name}_{signature};\nexport {{ {name}_ as {name} }};\n")
                    }
                });
            }
        }
        text
    }

    /// Returns the declaration of a type.
    fn definition(
        &self,
        name: &str,
        id: TypeId,
        definition: &TypeDef,
        interface: &Interface,
    ) -> String {
        let name = name.to_upper_camel_case();
        match &definition.kind {
            TypeDefKind::Type(Type::Id(other)) => match self.home(*other) {
                Some(home) => format!("export type {name} = import('{home}').{name};\n"),
                None => format!("export type {name} = {};\n", self.name(Type::Id(*other))),
            },
            TypeDefKind::Record(record) => {
                let mut fields = String::new();
                for field in &record.fields {
                    let key = field.name.to_lower_camel_case();
                    // An absent field is null in what the host passes.
                    let mark = if self.is_optional(field.ty) { "?" } else { "" };
                    fields.push_str(&comment(&field.docs));
                    fields.push_str(&format!("{key}{mark}: {};\n", self.name(field.ty)));
                }
                format!("export interface {name} {{\n{}}}\n", indented(&fields))
            }
            TypeDefKind::Resource => {
                let mut methods = String::new();
                for function in interface.functions.values() {
                    if matches!(function.kind, FunctionKind::Method(of) if of == id) {
                        methods.push_str(&comment(&function.docs));
                        let signature = self.signature(function, 1);
                        let name = function.item_name().to_lower_camel_case();
                        methods.push_str(&format!("{name}{signature};\n"));
                    }
                }
                let own = "private constructor();\n";
                format!(
                    "export class {name} {{\n{}}}\n",
                    indented(&format!("{own}{methods}"))
                )
            }
            TypeDefKind::Variant(variant) => {
                let mut cases = String::new();
                for case in &variant.cases {
                    let value = case.ty.map(|it| format!("; val: {}", self.name(it)));
                    let (tag, value) = (quoted(&case.name), value.unwrap_or_default());
                    cases.push_str(&format!("\n  | {{ tag: {tag}{value} }}"));
                }
                format!("export type {name} ={cases};\n")
            }
            kind => format!("export type {name} = {};\n", self.kind(kind)),
        }
    }

    /// Returns the parameters of a function but for the first ones, and its result.
    fn signature(&self, function: &Function, left_out: usize) -> String {
        let parameters: Vec<String> = function
            .params
            .iter()
            .skip(left_out)
            .map(|it| {
                let name = it.name.to_lower_camel_case();
                let mark = if is_reserved(&name) { "_" } else { "" };
                format!("{name}{mark}: {}", self.name(it.ty))
            })
            .collect();
        let result = function
            .result
            .map_or("void".to_owned(), |it| self.result(it));
        format!("({}): {result}", parameters.join(", "))
    }

    /// Returns what a function returns. It throws the error of a result.
    fn result(&self, result: Type) -> String {
        match self.kind_of(result) {
            Some(TypeDefKind::Result(result)) => {
                result.ok.map_or("void".to_owned(), |ok| self.name(ok))
            }
            _ => self.name(result),
        }
    }

    fn is_optional(&self, of: Type) -> bool {
        matches!(self.kind_of(of), Some(TypeDefKind::Option(_)))
    }

    fn kind_of(&self, of: Type) -> Option<&TypeDefKind> {
        match of {
            Type::Id(id) => self.resolve.types.get(id).map(|it| &it.kind),
            _ => None,
        }
    }

    /// Returns the module of a type, if it isn't this one.
    fn home(&self, id: TypeId) -> Option<String> {
        match self.resolve.types.get(id)?.owner {
            TypeOwner::Interface(other) if other != self.interface => self.resolve.id_of(other),
            _ => None,
        }
    }

    /// Returns how a type is written where it's used. As componentize-qjs has it, numbers of
    /// 64 bits are numbers like others, and what is absent is null.
    fn name(&self, of: Type) -> String {
        match of {
            Type::Bool => "boolean".to_owned(),
            Type::Char | Type::String => "string".to_owned(),
            Type::ErrorContext => "unknown".to_owned(),
            Type::Id(id) => match self.resolve.types.get(id) {
                Some(TypeDef {
                    name: Some(name), ..
                }) => name.to_upper_camel_case(),
                Some(unnamed) => self.kind(&unnamed.kind),
                None => "unknown".to_owned(),
            },
            _ => "number".to_owned(),
        }
    }

    fn kind(&self, kind: &TypeDefKind) -> String {
        match kind {
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => self.name(Type::Id(*id)),
            TypeDefKind::Option(inner) => format!("{} | null | undefined", self.name(*inner)),
            TypeDefKind::List(Type::U8) => "Uint8Array".to_owned(),
            TypeDefKind::List(inner) => format!("Array<{}>", self.name(*inner)),
            TypeDefKind::Tuple(tuple) => {
                let types: Vec<_> = tuple.types.iter().map(|it| self.name(*it)).collect();
                format!("[{}]", types.join(", "))
            }
            TypeDefKind::Enum(cases) => {
                let cases: Vec<_> = cases.cases.iter().map(|it| quoted(&it.name)).collect();
                cases.join(" | ")
            }
            TypeDefKind::Flags(flags) => {
                let names = flags.flags.iter().map(|it| it.name.to_lower_camel_case());
                let names: Vec<_> = names.map(|name| format!("{name}?: boolean")).collect();
                format!("{{ {} }}", names.join("; "))
            }
            TypeDefKind::Type(of) => self.name(*of),
            _ => "unknown".to_owned(),
        }
    }
}

/// The reserved words of JavaScript, which can't be the names of functions.
const RESERVED: &str = " await break case catch class const continue debugger default delete do \
                        else enum export extends false finally for function if import in \
                        instanceof new null return super switch this throw true try typeof var \
                        void while with yield ";

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&format!(" {name} "))
}

fn quoted(name: &str) -> String {
    format!("'{name}'")
}

/// Returns the documentation of something as a comment.
fn comment(docs: &Docs) -> String {
    let Some(text) = &docs.contents else {
        return String::new();
    };
    let mut comment = "/**\n".to_owned();
    for line in text.trim_end().lines() {
        let line = format!(" * {}", line.replace("*/", "* /"));
        comment.push_str(line.trim_end());
        comment.push('\n');
    }
    comment.push_str(" */\n");
    comment
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
