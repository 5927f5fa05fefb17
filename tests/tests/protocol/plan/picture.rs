//! Pictures of plans: their content, and their format, which other programs must read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use wasmvark_tests::connection::Connection;
use wasmvark_tests::dump::Dump;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::plan::Trial;
use wasmvark_tests::poll;
use wasmvark_tests::world::World;

const NEEDS: &[Need] = &[Need::Root, Need::Macvlan];
/// A name that means something to every language here.
const ODD: &str = "a<\"\\&;b";

pub(crate) fn register(suite: &mut Suite) {
    let mut test = |name: &str, test: fn()| suite.test(format!("plan/{name}"), NEEDS, test);
    test("a picture for Graphviz", graph);
    test("a picture in SVG", svg);
    test("a picture of a plan that fails", failure);
}

/// A world with links that are tied in every way.
fn tied() -> World {
    let world = World::forwarding();
    let lines = "link add br7 type bridge\nlink add v7 type veth peer w7\nlink set v7 master br7\n\
                 link add m7 link w7 type macvlan\nlink set v7 up\nlink set br7 up";
    world.host.ip_batch(&[], lines);
    // `ip -batch` would take the quotes away.
    let add = ["link", "add", ODD, "type", "bridge"];
    let status = world.host.command("ip").args(add).status().unwrap();
    assert!(status.success());
    // The kernel finds out a little later that the port has no carrier.
    let settled = poll::until(
        || Dump::of(&world.host).has_flag("br7", "NO-CARRIER"),
        |settled| *settled,
    );
    assert!(settled, "br7 has a carrier");
    world
}

fn draw(trial: &Trial<'_>, format: &str) -> (Value, String) {
    let connection = Connection::dual(&trial.name);
    let plan = trial.plan(&connection, &[]);
    let output = trial.run(&connection.for_plugin(), &["--format", format]);
    assert_eq!(output.code, Some(0), "{output:?}");
    let file = trial.world.file("picture");
    let path = file.to_str().expect("a plain path");
    let arguments = ["--format", format, "--output", path];
    let written = trial.run(&connection.for_plugin(), &arguments);
    assert_eq!((written.code, &*written.stdout), (Some(0), ""));
    assert_eq!(std::fs::read_to_string(file).unwrap(), output.stdout);
    (plan, output.stdout)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// The links of a plan, each with its namespace.
fn links(plan: &Value) -> BTreeSet<String> {
    let namespaces = plan["topology"]["namespaces"].as_array().unwrap().iter();
    namespaces
        .flat_map(|namespace| {
            let name = text(&namespace["name"]);
            let links = namespace["links"].as_array().unwrap().iter();
            links.map(move |link| format!("{name}/{}", text(&link["name"])))
        })
        .collect()
}

/// The ties of a plan, as many as there are of each kind.
fn ties(plan: &Value) -> BTreeMap<String, usize> {
    let mut ties = BTreeMap::new();
    for edge in plan["topology"]["edges"].as_array().unwrap() {
        let kind = text(&edge["kind"]).replace('-', " ");
        *ties.entry(kind).or_default() += 1;
    }
    ties
}

fn expected_ties() -> BTreeMap<String, usize> {
    let ties = [("veth pair", 1), ("master", 1), ("parent", 2)];
    ties.map(|(kind, count)| (kind.to_owned(), count)).into()
}

fn graph() {
    let world = tied();
    let trial = Trial::of(&world, "macvlan");
    let (plan, text) = draw(&trial, "dot");
    let graph = Graph::parse(&text);
    assert_eq!(graph.nodes, links(&plan));
    assert!(graph.nodes.contains(&format!("host/{ODD}")));
    assert_eq!(ties(&plan), expected_ties());
    assert_eq!(graph.ties, expected_ties());
    assert_eq!(graph.clusters, ["cluster_host", "cluster_container"]);
}

fn svg() {
    let world = tied();
    let trial = Trial::of(&world, "macvlan");
    let (plan, text) = draw(&trial, "svg");
    let picture = Picture::parse(&text);
    assert_eq!(picture.namespaces, ["host", "container"]);
    let names: BTreeSet<String> = links(&plan)
        .iter()
        .map(|link| link.split_once('/').unwrap().1.to_owned())
        .collect();
    assert_eq!(
        picture.links.iter().cloned().collect::<BTreeSet<_>>(),
        names
    );
    assert_eq!(picture.links.len(), links(&plan).len());
    assert_eq!(picture.ties, expected_ties());
    for text in ["10.88.0.2/16", "fd88::2/64", "macvlan, up, MTU 1500", ODD] {
        assert!(picture.texts.iter().any(|own| own == text), "{text}");
    }
}

/// There is a picture of a plan that fails, too; its exit code tells.
fn failure() {
    let world = World::new();
    let trial = Trial::of(&world, "macvlan");
    let connection = Connection::v4(&trial.name).network("network_interface", "none0");
    for format in ["dot", "svg"] {
        let output = trial.run(&connection.for_plugin(), &["--format", format]);
        assert_eq!(output.code, Some(1), "{output:?}");
        assert!(output.stderr.contains("none0"), "{output:?}");
        assert!(output.stdout.contains("p0"), "{output:?}");
    }
}

/// What a text in the language of Graphviz says. Only the part of the language
/// is read that is written here, but that strictly.
#[derive(Default)]
struct Graph {
    clusters: Vec<String>,
    nodes: BTreeSet<String>,
    ties: BTreeMap<String, usize>,
}

impl Graph {
    fn parse(text: &str) -> Self {
        let mut graph = Self::default();
        let tokens = dot_tokens(text);
        let mut tokens = tokens.iter().map(String::as_str).peekable();
        let mut depth = 0;
        assert_eq!(tokens.next(), Some("digraph"));
        assert_eq!(tokens.next(), Some("plan"));
        while let Some(token) = tokens.next() {
            match token {
                "{" => depth += 1,
                "}" => depth -= 1,
                ";" => {}
                "subgraph" => graph.clusters.push(id(tokens.next().unwrap())),
                name => graph.statement(name, &mut tokens),
            }
        }
        assert_eq!(depth, 0, "brackets");
        graph
    }

    fn statement<'a>(
        &mut self,
        name: &str,
        tokens: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
    ) {
        let to = match tokens.peek() {
            Some(&"=") => {
                tokens.next();
                id(tokens.next().unwrap());
                assert_eq!(tokens.next(), Some(";"));
                return;
            }
            Some(&"->") => {
                tokens.next();
                Some(id(tokens.next().unwrap()))
            }
            _ => None,
        };
        let attributes = attributes(tokens);
        assert_eq!(tokens.next(), Some(";"));
        match to {
            Some(to) => {
                assert!(self.nodes.contains(&id(name)), "{name}");
                assert!(self.nodes.contains(&to), "{to}");
                let label = attributes["label"].clone();
                *self.ties.entry(label).or_default() += 1;
            }
            None if matches!(name, "node" | "edge") => {}
            None => {
                assert!(self.nodes.insert(id(name)), "{name} is there twice");
            }
        }
    }
}

fn attributes<'a>(tokens: &mut impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    assert_eq!(tokens.next(), Some("["));
    loop {
        let key = id(tokens.next().unwrap());
        assert_eq!(tokens.next(), Some("="));
        attributes.insert(key, id(tokens.next().unwrap()));
        match tokens.next() {
            Some("]") => return attributes,
            other => assert_eq!(other, Some(",")),
        }
    }
}

/// An identifier: a word, or a quoted text without its escapes.
fn id(token: &str) -> String {
    let Some(quoted) = token.strip_prefix('"') else {
        let is_word = token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        assert!(is_word && !token.is_empty(), "{token} must be quoted");
        return token.to_owned();
    };
    let quoted = quoted.strip_suffix('"').expect("a text ends");
    let quoted = quoted.replace("\\\\", "\0");
    quoted.replace("\\\"", "\"").replace('\0', "\\")
}

fn dot_tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(first) = rest.next() {
        let mut token = String::from(first);
        match first {
            c if c.is_whitespace() => continue,
            '"' => loop {
                let next = rest.next().expect("a text ends");
                token.push(next);
                match next {
                    '\\' => token.push(rest.next().expect("a text ends")),
                    '"' => break,
                    _ => {}
                }
            },
            '-' => token.push(rest.next().expect("an arrow has a head")),
            '{' | '}' | '[' | ']' | '=' | ';' | ',' => {}
            _ => {
                while let Some(next) = rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    token.push(next);
                }
            }
        }
        tokens.push(token);
    }
    tokens
}

/// What an SVG document says, read as XML: everything that is opened is
/// closed, and nothing else has a meaning.
#[derive(Default)]
struct Picture {
    namespaces: Vec<String>,
    links: Vec<String>,
    ties: BTreeMap<String, usize>,
    texts: Vec<String>,
}

impl Picture {
    fn parse(text: &str) -> Self {
        let mut picture = Self::default();
        let mut open: Vec<String> = Vec::new();
        let mut rest = text.trim_end();
        assert!(rest.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
        while !rest.is_empty() {
            let (content, after) = rest.split_once('<').expect("elements end the document");
            let content = plain(content);
            match open.last().map(String::as_str) {
                Some("title") if !content.is_empty() => picture.links.push(content),
                Some("text") if !content.is_empty() => picture.texts.push(content),
                _ => assert_eq!(content.trim(), "", "text outside of elements"),
            }
            let (tag, after) = tag(after);
            rest = after;
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(name));
                assert!(rest.is_empty() || !open.is_empty(), "more than one root");
                continue;
            }
            let is_empty = tag.ends_with('/');
            let tag = tag.trim_end_matches('/');
            let (name, list) = tag.split_once(' ').unwrap_or((tag, ""));
            picture.element(name, &xml_attributes(list));
            if !is_empty {
                open.push(name.to_owned());
            }
        }
        assert_eq!(open, Vec::<String>::new());
        picture
    }

    fn element(&mut self, name: &str, attributes: &BTreeMap<String, String>) {
        if name != "g" {
            return;
        }
        match attributes["class"].as_str() {
            "namespace" => self.namespaces.push(attributes["id"].clone()),
            "link" => {}
            tie => *self.ties.entry(tie.to_owned()).or_default() += 1,
        }
    }
}

/// What stands between the angles, which may stand in quotes too.
fn tag(text: &str) -> (&str, &str) {
    let mut is_quoted = false;
    let end = text.find(|c| {
        is_quoted ^= c == '"';
        c == '>' && !is_quoted
    });
    let end = end.expect("an element ends");
    (&text[..end], &text[end + 1..])
}

fn xml_attributes(mut list: &str) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::new();
    while !list.is_empty() {
        let (key, rest) = list.split_once("=\"").expect("an attribute has a value");
        let (value, rest) = rest.split_once('"').expect("a value ends");
        let new = attributes.insert(key.to_owned(), plain(value)).is_none();
        assert!(new, "{key} is there twice");
        list = rest.trim_start();
    }
    attributes
}

/// A text without its entities.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (entity, after) = after.split_once(';').expect("an entity ends");
        plain.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            entity => panic!("there is no {entity}"),
        });
        rest = after;
    }
    plain.push_str(rest);
    assert!(plain.chars().all(|c| c == '\n' || !c.is_control()));
    plain
}
