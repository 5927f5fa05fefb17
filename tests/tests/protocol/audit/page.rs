//! The page of `audit --format html`, in a real browser.

use std::fs;

use serde_json::Value;
use wasmvark_tests::browser::Browser;
use wasmvark_tests::harness::{Need, Suite};
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use super::{report, used};

const NEEDS: &[Need] = &[Need::Root, Need::Chromium];

pub(crate) fn register(suite: &mut Suite) {
    suite.test("audit/its page in a browser", NEEDS, in_a_browser);
    suite.test(
        "audit/its page loads nothing",
        &[Need::Root],
        self_contained,
    );
}

fn page(wasmvark: &Wasmvark) -> String {
    let output = wasmvark.administer(&["audit", "--format", "html", "--unused-after", "1"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    output.stdout
}

/// A text that would be markup, as what can't be parsed of a grant.
const HOSTILE: &str = "<img src=x onerror=alert(1)><script>document.title='gone'</script>\"'";

fn self_contained() {
    let world = World::new();
    let page = page(&used(&world));
    for word in [
        "src=", "href=", "url(", "@import", "http:", "https:", "onload",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    let policy = "content=\"default-src 'none'; style-src 'sha256-";
    let head = page.split("</head>").next().unwrap();
    let (before, _) = head.split_once("<style>").unwrap();
    assert!(before.contains(policy), "{before}");
    assert!(!head.contains("unsafe"), "{head}");
}

/// The calls in the rows that are shown.
const SHOWN: &str = "Array.from(document.querySelectorAll('#matrix tbody tr'))\
    .filter(row => row.getClientRects().length > 0)\
    .map(row => row.cells[0].textContent + ' ' + row.cells[1].textContent)";

fn in_a_browser() {
    let world = World::new();
    let wasmvark = used(&world);
    fs::write(wasmvark.plugins().join(HOSTILE.replace('/', "_")), "").unwrap();
    let file = world.file("audit.html");
    fs::write(&file, page(&wasmvark)).unwrap();
    let (report, _) = report(&wasmvark, &[]);
    let drivers = report["drivers"].as_array().unwrap().iter();
    let rows: usize = drivers
        .map(|it| it["calls"].as_array().unwrap().len())
        .sum();

    let url = format!("file://{}", file.display());
    let mut shell = world.host.command("sh");
    let mut browser = Browser::open(&mut shell, &world.file("browser"), "about:blank");
    let blank = browser.picture();
    browser.go(&url);
    assert_eq!(browser.evaluate("document.title"), "wasmvark audit");
    assert_eq!(browser.evaluate("document.images.length"), 0);
    assert_eq!(browser.evaluate("document.scripts.length"), 1);
    let shows_it = "document.getElementById('findings').textContent.includes('<img src=x')";
    assert_eq!(browser.evaluate(shows_it), true);
    assert_eq!(shown(&mut browser).len(), rows);

    choose(&mut browser, "driver", "used");
    choose(&mut browser, "show", "granted");
    let granted = ["used links.get", "used links.set-mtu", "used sysctl.set"];
    assert_eq!(shown(&mut browser), granted);
    let count = format!("3 of {rows}");
    let counted = "document.forms.filter.elements.count.value";
    assert_eq!(browser.evaluate(counted), count);
    choose(&mut browser, "show", "unused");
    assert_eq!(shown(&mut browser), granted[1..]);
    choose(&mut browser, "driver", "");
    choose(&mut browser, "show", "denied");
    assert_eq!(shown(&mut browser), ["used links.get", "used routes.list"]);
    browser.evaluate("document.forms.filter.elements.text.focus()");
    browser.type_text("ROUTES");
    assert_eq!(shown(&mut browser), ["used routes.list"]);
    assert_eq!(
        browser.evaluate("location.hash"),
        "#show=denied&text=ROUTES"
    );
    // A view can be passed on.
    browser.go("about:blank");
    browser.go(&format!("{url}#driver=idle&show=found"));
    assert_eq!(shown(&mut browser), ["idle routes.add"]);

    is_confined(&mut browser);
    looks_right(&mut browser, &blank);
}

fn shown(browser: &mut Browser) -> Vec<String> {
    let Value::Array(rows) = browser.evaluate(SHOWN) else {
        panic!("no rows");
    };
    rows.iter()
        .map(|row| row.as_str().unwrap().to_owned())
        .collect()
}

/// Chooses as a user would: the page hears of it by the event.
fn choose(browser: &mut Browser, name: &str, value: &str) {
    browser.evaluate(&format!(
        "{{ const it = document.forms.filter.elements[{name:?}]; it.value = {value:?}; \
         it.dispatchEvent(new Event('input', {{bubbles: true}})); }}"
    ));
}

/// Even markup that got in couldn't load or run anything.
fn is_confined(browser: &mut Browser) {
    let violated = "new Promise(done => {\
        addEventListener('securitypolicyviolation', event => done(event.effectiveDirective));\
        setTimeout(() => done('nothing'), 5000);\
        document.body.insertAdjacentHTML('beforeend', MARKUP);\
    })";
    for (markup, directive) in [
        ("<img src=\"data:image/png;base64,AAAA\">", "img-src"),
        ("<img onerror=\"document.title='gone'\">", "script-src-attr"),
        ("<style>body { color: red }</style>", "style-src-elem"),
        ("<p style=\"color: red\">", "style-src-attr"),
    ] {
        let expression = violated.replace("MARKUP", &format!("{markup:?}"));
        assert_eq!(browser.evaluate(&expression), directive, "{markup}");
    }
    assert_eq!(browser.evaluate("document.title"), "wasmvark audit");
}

/// There is something to see, dark where the reader wants it, and no form on
/// paper.
fn looks_right(browser: &mut Browser, blank: &str) {
    let picture = browser.picture();
    assert!(
        picture.len() > 4 * blank.len(),
        "{} of {}",
        picture.len(),
        blank.len()
    );
    let paper = "getComputedStyle(document.body).backgroundColor";
    browser.emulate("screen", "light");
    assert_eq!(browser.evaluate(paper), "rgb(255, 255, 255)");
    browser.emulate("screen", "dark");
    assert_eq!(browser.evaluate(paper), "rgb(22, 24, 26)");
    browser.emulate("print", "light");
    let form = "getComputedStyle(document.forms.filter).display";
    assert_eq!(browser.evaluate(form), "none");
}
