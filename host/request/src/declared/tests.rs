use super::*;

fn option(json: &str) -> Result<DeclaredOption, String> {
    let json = json.replacen('{', r#"{"description":"d","#, 1);
    serde_json::from_str(&json).map_err(|error| error.to_string())
}

fn declared(all: &[&str]) -> Declared {
    let options = all.iter().map(|json| option(json).unwrap());
    Declared::new(options.collect()).unwrap()
}

fn some() -> Declared {
    declared(&[
        r#"{"name":"mode","values":["bridge","private"],"scope":"network"}"#,
        r#"{"name":"vlan","type":"integer","min":1,"max":4094,"scope":"network"}"#,
        r#"{"name":"trunk","type":"integer-range","max":4094,"list":"comma"}"#,
        r#"{"name":"isolate","type":"bool","values":["strict"]}"#,
        r#"{"name":"host_interface_name","scope":"container"}"#,
        r#"{"name":"hash","scope":"driver"}"#,
        r#"{"name":"key_secret"}"#,
        r#"{"name":"peer.NAME.keepalive","type":"integer","max":65535}"#,
        r#"{"name":"peer.x.keepalive","values":["never"]}"#,
        r#"{"name":"nets","type":"subnet","list":"space","max_items":2}"#,
    ])
}

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    let pairs = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    pairs.collect()
}

/// Returns the refusal of an option, or an empty text.
fn refusal(from: Given, key: &str, value: &str) -> String {
    let checked = some().check("wasm-lan", from, &given(&[(key, value)]));
    checked
        .err()
        .map(|fault| fault.to_string())
        .unwrap_or_default()
}

#[test]
fn what_is_declared_is_taken() {
    for (key, value) in [
        ("mode", "bridge"),
        ("mode", ""),
        ("vlan", " 07 "),
        ("trunk", "7, 10-20"),
        ("isolate", "strict"),
        ("isolate", "T"),
        ("isolate", ""),
        ("key_secret", "vpn"),
        ("key_secret", ""),
        ("peer.a.b.keepalive", "25"),
        ("peer.x.keepalive", "never"),
        ("nets", "10.0.0.0/8 fd00::/8"),
        ("nets", ""),
        ("mtu", "1400"),
        ("metric", "0"),
        ("no_default_route", "f"),
    ] {
        assert_eq!(refusal(Given::Network, key, value), "", "{key}={value:?}");
    }
}

#[test]
fn wrong_values_have_one_wording() {
    for (key, value, text) in [
        ("mode", "x", "\"x\" is not bridge or private"),
        ("mode", "Bridge", "\"Bridge\" is not bridge or private"),
        ("vlan", "0", "\"0\" is not a whole number from 1 to 4094"),
        ("vlan", "", "\"\" is not a whole number from 1 to 4094"),
        ("vlan", "99999999999999999999", "is not a whole number"),
        ("vlan", "７", "\"７\" is not a whole number"),
        (
            "trunk",
            "",
            "is not a list of at most 128 numbers from 0 to 4094",
        ),
        ("trunk", "1,,2", "with commas between them"),
        ("isolate", "Strict", "is not true, false or strict"),
        ("peer.a.keepalive", "70000", "from 0 to 65535"),
        (
            "nets",
            "10.0.0.0/8 10.0.0.0/8 10.0.0.0/8",
            "at most 2 subnets, with spaces",
        ),
        ("mtu", "x", "a whole number from 0 to 4294967295"),
        ("no_default_route", "yes", "is not true or false"),
    ] {
        let error = refusal(Given::Network, key, value);
        assert!(
            error.starts_with(&format!("unable to parse \"{key}\": ")),
            "{error}"
        );
        assert!(error.contains(text), "{error}");
        assert!(error.ends_with("(given for the network)"), "{error}");
    }
    let error = refusal(Given::Container, "mtu", "x");
    assert!(error.ends_with("(given for the container)"), "{error}");
}

#[test]
fn a_secret_is_not_repeated() {
    let error = refusal(
        Given::Network,
        "key_secret",
        "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=",
    );
    assert_eq!(
        error,
        "unable to parse \"key_secret\": the value is not the name of a secret (given for the network)"
    );
}

#[test]
fn unknown_options_are_named_with_those_that_there_are() {
    let error = refusal(Given::Network, "mtuu", "1400");
    assert_eq!(
        error,
        "unsupported wasm-lan network option: mtuu; did you mean \"mtu\"? (options of a network: \
         isolate, key_secret, metric, mode, mtu, nets, no_default_route, peer.NAME.keepalive, \
         peer.x.keepalive, trunk, vlan; `wasmvark inspect wasm-lan` describes them)"
    );
    for key in [
        "MTU",
        "мtu",
        "mtu ",
        "",
        "Mode",
        "peer..keepalive",
        "peer.keepalive",
    ] {
        let error = refusal(Given::Network, key, "1400");
        assert!(error.contains(&format!("network option: {key}")), "{error}");
    }
    let error = refusal(Given::Container, "colour", "red");
    assert!(
        error.starts_with("unsupported wasm-lan option for one container: colour (options of a"),
        "{error}"
    );
    let error = refusal(Given::Network, &"a\u{1b}".repeat(100_000), "");
    assert!(error.len() < 1000 && !error.contains('\u{1b}'), "{error}");
    let error = refusal(Given::Network, "mode", &"\n".repeat(100_000));
    assert!(error.len() < 1000 && !error.contains('\n'), "{error}");
}

#[test]
fn an_option_is_for_its_place() {
    let error = refusal(Given::Network, "host_interface_name", "a");
    assert!(error.contains("network option: host_interface_name; it is for one container"));
    let error = refusal(Given::Container, "vlan", "7");
    assert!(error.contains("option for one container: vlan; it is for a network"));
    assert_eq!(refusal(Given::Container, "host_interface_name", "a"), "");
    for user in [Given::Network, Given::Container] {
        assert!(refusal(user, "hash", "a").contains("the driver sets it itself"));
    }
    for host in [Given::Driver, Given::Kept] {
        assert_eq!(refusal(host, "hash", "a"), "");
        assert!(refusal(host, "host_interface_name", "a").contains("it is for one container"));
        assert!(refusal(host, "x", "a").contains("option"));
    }
    assert!(refusal(Given::Kept, "x", "a").contains("`wasmvark rollback wasm-lan`"));
    assert!(refusal(Given::Driver, "x", "a").contains("tell its author"));
}

#[test]
fn nothing_is_refused_where_nothing_is_declared() {
    let many: BTreeMap<String, String> = (0..10_000)
        .map(|n| (format!("option{n}"), String::new()))
        .collect();
    assert_eq!(
        Declared::Undeclared.check("d", Given::Network, &many),
        Ok(())
    );
    let none = Declared::new(Vec::new()).unwrap();
    let error = none
        .check("d", Given::Network, &many)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("option: option0 (options of a network: metric, mtu, no_default_route;")
    );
    assert_eq!(
        none.check("d", Given::Network, &given(&[("mtu", "7")])),
        Ok(())
    );
}

#[test]
fn normal_forms_are_those_of_numbers_and_truth_values() {
    let options = given(&[
        ("isolate", " T "),
        ("mode", "bridge"),
        ("mtu", "07"),
        ("peer.a.keepalive", "025"),
        ("peer.x.keepalive", "never"),
        ("trunk", "07"),
        ("vlan", "7"),
    ]);
    let forms = some().normal_forms(&options);
    let forms: Vec<_> = forms
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    // The host stores that of `mtu` for every driver.
    assert_eq!(forms, [("isolate", "true"), ("peer.a.keepalive", "25")]);
    let normal = some().normal_forms(&given(&[("isolate", " strict")]));
    assert_eq!(normal, [("isolate".to_owned(), "strict".to_owned())]);
}

#[test]
fn a_run_gets_the_same_rules() {
    let kept = serde_json::to_string(&some().for_runs()).unwrap();
    let kept: Declared = serde_json::from_str(&kept).unwrap();
    for (key, value) in [
        ("mode", "x"),
        ("vlan", "0"),
        ("mtuu", ""),
        ("nets", "x"),
        ("hash", ""),
    ] {
        let given = given(&[(key, value)]);
        let fault = some().check("d", Given::Network, &given);
        assert!(fault.is_err() && fault == kept.check("d", Given::Network, &given));
    }
    let none = serde_json::to_string(&Declared::Undeclared).unwrap();
    assert_eq!(
        serde_json::from_str::<Declared>(&none).unwrap(),
        Declared::Undeclared
    );
}

#[test]
fn what_makes_no_sense_is_not_declared() {
    let long = format!(r#"{{"name":"{}"}}"#, "a".repeat(65));
    let values: Vec<String> = (0..65).map(|n| format!("\"v{n}\"")).collect();
    let values = format!(r#"{{"name":"a","values":[{}]}}"#, values.join(","));
    let default = format!(r#"{{"name":"a","default":"{}"}}"#, "a".repeat(257));
    for (json, text) in [
        (r#"{"name":""}"#, "a name has"),
        (r#"{"name":"NAME"}"#, "every option"),
        (r#"{"name":"мtu"}"#, "a name has"),
        (&long, "a name has"),
        (r#"{"name":"a","type":"number"}"#, "unknown variant"),
        (r#"{"name":"a","types":"bool"}"#, "unknown field"),
        (r#"{"name":"a","min":1}"#, "min and max are for numbers"),
        (
            r#"{"name":"a","type":"integer","min":2,"max":1}"#,
            "no number is from 2 to 1",
        ),
        (
            r#"{"name":"a","type":"integer","min":99999999999}"#,
            "no number is",
        ),
        (
            r#"{"name":"a","type":"integer","min":99999999999999999999}"#,
            "i64",
        ),
        (
            r#"{"name":"a","type":"integer-range","min":-1}"#,
            "negative",
        ),
        (
            r#"{"name":"a","type":"mac","values":["x"]}"#,
            "values are for",
        ),
        (r#"{"name":"a","values":[""]}"#, "letters, digits and signs"),
        (
            r#"{"name":"a","values":["x y"]}"#,
            "letters, digits and signs",
        ),
        (r#"{"name":"a","values":["x","x"]}"#, "twice"),
        (r#"{"name":"a","type":"bool","values":["T"]}"#, "twice"),
        (&values, "more than 64 values"),
        (r#"{"name":"a","max_items":3}"#, "max_items is for a list"),
        (
            r#"{"name":"a","list":"comma","max_items":0}"#,
            "from 1 to 1024",
        ),
        (r#"{"name":"a","list":"semicolon"}"#, "unknown variant"),
        (r#"{"name":"a","type":"bool","list":"comma"}"#, "no lists"),
        (
            r#"{"name":"a","type":"integer","default":"x"}"#,
            "its default is not a whole number",
        ),
        (
            r#"{"name":"a","type":"link","default":""}"#,
            "its default is not the name",
        ),
        (
            r#"{"name":"a","values":["x"],"default":"y"}"#,
            "its default is not x",
        ),
        (&default, "its default is not a text"),
        (r#"{"name":"a","scope":"everywhere"}"#, "unknown variant"),
        (r#"{"name":"a","type":"secret"}"#, "end with \"_secret\""),
        (
            r#"{"name":"a_secret","type":"string"}"#,
            "the host reads it as the name of a secret",
        ),
        (
            r#"{"name":"mtu","type":"string"}"#,
            "the host reads it as a whole number",
        ),
        (
            r#"{"name":"parent","type":"string"}"#,
            "the host reads it as the name of an interface",
        ),
    ] {
        let error = option(json).unwrap_err();
        assert!(error.contains(text), "{json}: {error}");
    }
    let twice = ["a", "b", "a"].map(|name| option(&format!(r#"{{"name":"{name}"}}"#)).unwrap());
    let error = Declared::new(twice.to_vec()).unwrap_err().to_string();
    assert_eq!(error, "the option \"a\": it is declared twice");
    let many = (0..257).map(|n| option(&format!(r#"{{"name":"a{n}"}}"#)).unwrap());
    assert!(Declared::new(many.collect()).is_err());
}

#[test]
fn the_name_that_says_most_goes_first() {
    let declared = declared(&[
        r#"{"name":"peer.NAME","type":"integer"}"#,
        r#"{"name":"peer.NAME.key","values":["k"]}"#,
        r#"{"name":"peer.x.key","values":["x"]}"#,
    ]);
    for (key, value) in [
        ("peer.a", "7"),
        ("peer.a.key", "k"),
        ("peer.x.key", "x"),
        ("peer.key", "7"),
    ] {
        let checked = declared.check("d", Given::Network, &given(&[(key, value)]));
        assert_eq!(checked, Ok(()), "{key}");
    }
    let same =
        ["a.ONE.b", "a.TWO.b"].map(|name| option(&format!(r#"{{"name":"{name}"}}"#)).unwrap());
    assert!(Declared::new(same.to_vec()).is_err());
}

/// Whatever is given, a value that is accepted has a normal form that is accepted, and the
/// error about another one is short and of one line.
#[test]
fn every_text_is_judged() {
    let words = [
        "",
        " ",
        "0",
        "-1",
        "7",
        "4095",
        "true",
        "T",
        "strict",
        "bridge",
        "10-20",
        ",",
        "7,8",
        "10.0.0.0/8",
        "fd00::/8",
        "\u{0}",
        "é",
        "9223372036854775808",
        "x y",
        "e+1",
        "0k",
    ];
    let declared = some();
    for (one, other) in words
        .iter()
        .flat_map(|one| words.iter().map(move |other| (one, other)))
    {
        let value = format!("{one}{other}");
        for option in declared.options().unwrap() {
            let key = option.name().as_str().replace("NAME", "a");
            let options = given(&[(&key, &value)]);
            let checked = declared.check("d", Given::Kept, &options);
            match checked {
                Ok(()) => {
                    let normal = declared.normal_forms(&options);
                    let normal = normal.into_iter().collect();
                    assert_eq!(
                        declared.check("d", Given::Kept, &normal),
                        Ok(()),
                        "{options:?}"
                    );
                }
                Err(fault) => {
                    let fault = fault.to_string();
                    assert!(fault.len() < 1000 && !fault.contains('\n'), "{fault}");
                }
            }
        }
    }
}
