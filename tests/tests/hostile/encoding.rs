//! Attacks on the encoding of calls: values that don't fit their types, lists whose
//! elements overlap, invented handles, and code that runs outside of a call.

use wasmvark_tests::connection::Connection;
use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::{Need, Suite};

use crate::attack::{Count, NAME, Scene, world};
use crate::module::Module;

/// An attack by a module.
struct Raw {
    name: &'static str,
    module: Module,
    /// When it attacks.
    at: At,
    says: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum At {
    Create,
    Setup,
}

const IDLE: Module = Module::IDLE;

/// A name for a link, by its place in memory: `p0`.
const DATA: &str = r#"(data (i32.const 16) "p0")"#;
const LOG: &str = r#"(import "wasmvark:driver/log@" "write"
    (func $log (param i32 i32 i32 i32)))"#;
const LINKS: &str = r#"(import "wasmvark:driver/links@" "get"
        (func $get (param i32 i32 i32 i32)))
    (import "wasmvark:driver/links@" "set-up" (func $up (param i32 i32)))
    (import "wasmvark:driver/links@" "[resource-drop]link" (func $drop (param i32)))"#;
const MASQUERADE: &str = r#"(import "wasmvark:driver/firewall@" "masquerade"
    (func $masquerade (param i32 i32 i32 i32 i32)))"#;
/// Fills 8 KiB at 8192 with pointers to the same 60 KiB of text at 65536.
const OVERLAP: &str = r#"(func $overlap (local $at i32)
    (memory.fill (i32.const 65536) (i32.const 0x2f) (i32.const 60000))
    (local.set $at (i32.const 8192))
    (loop $more
        (i32.store (local.get $at) (i32.const 65536))
        (i32.store offset=4 (local.get $at) (i32.const 60000))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $more (i32.lt_u (local.get $at) (i32.const 57344)))))"#;

const fn in_setup(
    name: &'static str,
    imports: &'static str,
    items: &'static str,
    setup: &'static str,
    says: &'static [&'static str],
) -> Raw {
    Raw {
        name,
        module: Module {
            imports,
            items,
            setup,
            ..IDLE
        },
        at: At::Setup,
        says,
    }
}

const ATTACKS: &[Raw] = &[
    in_setup(
        "a name that is no UTF-8",
        LINKS,
        r#"(data (i32.const 16) "\ff\fe")"#,
        "(call $get (i32.const 0) (i32.const 16) (i32.const 2) (i32.const 128)) (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a name beyond the memory",
        LINKS,
        DATA,
        "(call $get (i32.const 0) (i32.const 131070) (i32.const 64) (i32.const 128)) (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a name as long as all numbers",
        LINKS,
        DATA,
        "(call $get (i32.const 0) (i32.const 16) (i32.const -1) (i32.const 128)) (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a namespace that is none",
        LINKS,
        DATA,
        "(call $get (i32.const 7) (i32.const 16) (i32.const 2) (i32.const 128)) (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "an answer beyond the memory",
        LINKS,
        DATA,
        "(call $get (i32.const 0) (i32.const 16) (i32.const 2) (i32.const 131070)) (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "an answer that isn't aligned",
        LINKS,
        DATA,
        "(call $get (i32.const 0) (i32.const 16) (i32.const 2) (i32.const 129)) (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a handle that was never given",
        LINKS,
        DATA,
        "(call $up (i32.const 1) (i32.const 128)) (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a handle that is no number of one",
        LINKS,
        DATA,
        "(call $up (i32.const -1) (i32.const 128)) (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a handle after it was dropped",
        LINKS,
        DATA,
        "(call $get (i32.const 0) (i32.const 16) (i32.const 2) (i32.const 128))
        (call $drop (i32.load (i32.const 132)))
        (call $up (i32.load (i32.const 132)) (i32.const 160)) (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a handle that is dropped twice",
        LINKS,
        DATA,
        "(call $get (i32.const 0) (i32.const 16) (i32.const 2) (i32.const 128))
        (call $drop (i32.load (i32.const 132)))
        (call $drop (i32.load (i32.const 132))) (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "handles without end",
        LINKS,
        DATA,
        "(loop $more
            (call $get (i32.const 0) (i32.const 16) (i32.const 2) (i32.const 128))
            (br $more)) (i32.const 64)",
        &["stopped"],
    ),
    in_setup(
        "a list whose elements are all the same long text",
        MASQUERADE,
        OVERLAP,
        "(call $overlap)
        (call $masquerade (i32.const 65536) (i32.const 60000) (i32.const 8192) (i32.const 6144)
            (i32.const 128))
        unreachable",
        &[],
    ),
    in_setup(
        "a list longer than the memory",
        MASQUERADE,
        "",
        "(call $masquerade (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0x1fffffff)
            (i32.const 128))
        (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a list that isn't aligned",
        MASQUERADE,
        "",
        "(call $masquerade (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 1)
            (i32.const 128))
        (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a message of all the memory, for ever",
        LOG,
        "(func $fill (memory.fill (i32.const 65536) (i32.const 0x78) (i32.const 65536)))",
        "(call $fill)
        (loop $more
            (call $log (i32.const 1) (i32.const 65536) (i32.const 65536) (i32.const 128))
            (br $more)) (i32.const 64)",
        // It has no room left for the error that it gets.
        &["crashed"],
    ),
    in_setup(
        "an answer that is neither success nor failure",
        "",
        r#"(data (i32.const 96) "\09")"#,
        "(i32.const 96)",
        &["crashed"],
    ),
    in_setup(
        "an answer that lies nowhere",
        "",
        "",
        "(i32.const -4)",
        &["crashed"],
    ),
    in_setup(
        "an answer that lies askew",
        "",
        "",
        "(i32.const 65)",
        &["crashed"],
    ),
    in_setup(
        "an error of no known kind",
        "",
        r#"(data (i32.const 96) "\01\00\00\00\63")"#,
        "(i32.const 96)",
        &["crashed"],
    ),
    in_setup(
        "an error as long as all numbers",
        "",
        r#"(data (i32.const 96) "\01\00\00\00\07\00\00\00\00\00\00\00\ff\ff\ff\ff")"#,
        "(i32.const 96)",
        &["crashed"],
    ),
    in_setup(
        "an answer of 6,144 search domains that are all the same long text",
        "",
        OVERLAP,
        "(call $overlap)
        (i32.store (i32.const 108) (i32.const 8192))
        (i32.store (i32.const 112) (i32.const 6144))
        (i32.const 96)",
        &[],
    ),
    in_setup(
        "an answer of more name servers than the memory holds",
        "",
        "",
        "(i32.store (i32.const 100) (i32.const 8192))
        (i32.store (i32.const 104) (i32.const 0x0fffffff))
        (i32.const 96)",
        &["crashed"],
    ),
    in_setup(
        "a stack without end",
        "",
        "(func $deeper (param i32) (result i32)
            (i32.add (call $deeper (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))",
        "(call $deeper (i32.const 0))",
        &["crashed"],
    ),
    in_setup(
        "a memory without end",
        "",
        "",
        "(loop $more
            (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        unreachable",
        &["memory"],
    ),
    in_setup(
        "a table without end",
        "",
        "(table $table 0 funcref)",
        "(loop $more
            (br_if $more
                (i32.ne (table.grow $table (ref.null func) (i32.const 65536)) (i32.const -1))))
        unreachable",
        &["table-elements"],
    ),
    in_setup(
        "a call through an empty table",
        "",
        "(type $none (func)) (table $table 4 funcref)",
        "(call_indirect $table (type $none) (i32.const 2)) (i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a division by nothing",
        "",
        "",
        "(i32.div_u (i32.const 1) (i32.const 0))",
        &["crashed"],
    ),
    in_setup(
        "code that runs at the start and never ends",
        "",
        "(func $start (loop $more (br $more))) (start $start)",
        "(i32.const 64)",
        &["deadline-ms"],
    ),
    in_setup(
        "code that runs at the start and traps",
        "",
        "(func $start unreachable) (start $start)",
        "(i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a memory that is too large from the start",
        "",
        "(table $table 100000 funcref)",
        "(i32.const 64)",
        &["table-elements"],
    ),
    in_setup(
        "a trap when the answer has been read",
        "",
        r#"(func (export "cabi_post_wasmvark:driver/handler@#setup") (param i32) unreachable)"#,
        "(i32.const 64)",
        &["crashed"],
    ),
    in_setup(
        "a loop when the answer has been read",
        "",
        r#"(func (export "cabi_post_wasmvark:driver/handler@#setup") (param i32) (loop $more (br $more)))"#,
        "(i32.const 64)",
        &["deadline-ms"],
    ),
    Raw {
        name: "room for the request that lies nowhere",
        module: Module {
            realloc: "(return (i32.const -8))",
            ..IDLE
        },
        at: At::Setup,
        says: &["crashed"],
    },
    Raw {
        name: "room for the request that never comes",
        module: Module {
            realloc: "(loop $more (br $more))",
            ..IDLE
        },
        at: At::Setup,
        says: &["deadline-ms"],
    },
    Raw {
        name: "a call while the request is handed over",
        module: Module {
            imports: LOG,
            realloc: "(call $log (i32.const 1) (i32.const 16) (i32.const 2) (i32.const 128))",
            items: DATA,
            ..IDLE
        },
        at: At::Setup,
        says: &["crashed"],
    },
    Raw {
        name: "changes of the network that are all the same long text",
        module: Module {
            items: r#"(func $overlap (local $at i32)
                (memory.fill (i32.const 65536) (i32.const 0x20) (i32.const 60000))
                (local.set $at (i32.const 8192))
                (loop $more
                    (i32.store (local.get $at) (i32.const 5))
                    (i32.store offset=4 (local.get $at) (i32.const 65536))
                    (i32.store offset=8 (local.get $at) (i32.const 60000))
                    (local.set $at (i32.add (local.get $at) (i32.const 20)))
                    (br_if $more (i32.lt_u (local.get $at) (i32.const 57000)))))"#,
            create: "(call $overlap)
                (i32.store (i32.const 100) (i32.const 8192))
                (i32.store (i32.const 104) (i32.const 2400))
                (i32.const 96)",
            ..IDLE
        },
        at: At::Create,
        says: &[],
    },
    Raw {
        name: "a change of no known kind",
        module: Module {
            items: r#"(data (i32.const 8192) "\63")"#,
            create: "(i32.store (i32.const 100) (i32.const 8192))
                (i32.store (i32.const 104) (i32.const 1))
                (i32.const 96)",
            ..IDLE
        },
        at: At::Create,
        says: &["crashed"],
    },
];

pub(crate) fn register(suite: &mut Suite, count: &Count) {
    for attack in ATTACKS {
        let count = count.clone();
        let name = format!("encoding/{}", attack.name);
        suite.test(name, &[Need::Root, Need::Macvlan], move || {
            count.attack(|| attack.is_contained());
        });
    }
}

/// The calls that the modules make, within limits like those that are shipped.
fn grant() -> Grant {
    let calls = ["links.get", "log.write", "firewall.masquerade"];
    Grant::of(&calls)
        .call("links.set-up", r#"{ link = "*" }"#)
        .limit("memory", 4 << 20)
        .limit("table-elements", 1000)
        .limit("log-bytes", 16384)
        .limit("calls", 1000)
        .limit("deadline-ms", 2000)
}

impl Raw {
    fn is_contained(&self) {
        let world = world();
        let component = self.module.component(&world);
        let scene = Scene::new(&world, &component, &grant());
        let asked = Connection::v4(NAME);
        match self.at {
            At::Create => scene.create_fails(&asked, self.says),
            At::Setup => scene.setup_fails(&asked, self.says),
        }
    }
}
