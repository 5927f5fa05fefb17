//! Components whose code is written by hand, instruction by instruction. No compiler
//! makes such code.

use std::fs;
use std::path::PathBuf;

use wasmvark_tests::places;
use wasmvark_tests::world::World;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Where a module keeps the answer to `create` and `teardown`: all zeros, so
/// success, with empty lists.
const ANSWER: u32 = 64;

/// A driver's core module, in parts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Module {
    /// Its imports; `@` stands for the interface's version.
    pub(crate) imports: &'static str,
    /// Memories, tables, data, and functions of its own.
    pub(crate) items: &'static str,
    /// What `setup` does; it returns where its answer lies.
    pub(crate) setup: &'static str,
    /// What `create` does, in the same way.
    pub(crate) create: &'static str,
    /// What `cabi_realloc` does before it finds room.
    pub(crate) realloc: &'static str,
}

impl Module {
    /// One that does nothing.
    pub(crate) const IDLE: Self = Self {
        imports: "",
        items: "",
        setup: "(i32.const 64)",
        create: "(i32.const 64)",
        realloc: "",
    };

    /// Makes a component of it.
    pub(crate) fn component(self, world: &World) -> PathBuf {
        let mut resolve = Resolve::default();
        let wit = places::workspace().join("wit");
        let (package, _) = resolve.push_path(wit).expect("the interface can be read");
        let version = resolve.packages[package].name.version.clone();
        let version = version.expect("the interface has a version").to_string();
        let text = self.text().replace('@', &format!("@{version}"));
        let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let driver = resolve
            .select_world(&[package], None)
            .expect("there is one world");
        let encoding = StringEncoding::UTF8;
        embed_component_metadata(&mut module, &resolve, driver, encoding, false)
            .expect("the world can be named");
        let component = ComponentEncoder::default()
            .validate(true)
            .module(&module)
            .and_then(ComponentEncoder::encode)
            .unwrap_or_else(|error| panic!("{error:#}: {text}"));
        let path = world.file("hostile.wasm");
        fs::write(&path, component).expect("a component can be written");
        path
    }

    fn text(self) -> String {
        let Self {
            imports,
            items,
            setup,
            create,
            realloc,
        } = self;
        format!(
            r#"(module
            {imports}
            (memory (export "memory") 2)
            (global $free (mut i32) (i32.const 66000))
            {items}
            (func (export "wasmvark:driver/handler@#create") (param i32) (result i32) {create})
            (func (export "wasmvark:driver/handler@#setup") (param i32) (result i32) {setup})
            (func (export "wasmvark:driver/handler@#teardown") (param i32) (result i32) (i32.const {ANSWER}))
            (func (export "cabi_realloc")
                (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
                (result i32) (local $at i32)
                {realloc}
                (local.set $at
                    (i32.and
                        (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
                        (i32.sub (i32.const 0) (local.get $align))))
                (global.set $free (i32.add (local.get $at) (local.get $size)))
                (local.get $at)))"#
        )
    }
}
