//! The report as one HTML page, which loads nothing. Its Content-Security-Policy allows
//! only its own style and script, by their digests. Every text is escaped, whatever its
//! source.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use types::text;

use super::report::{CallReport, DriverReport, Finding, GrantState, Report};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Returns the page of a report.
pub(super) fn of(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>wasmvark audit</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <h1>What network drivers may do</h1>\n",
        policy()
    );
    page.push_str(&about(report));
    page.push_str(&findings(report));
    page.push_str("<h2>Calls</h2>\n");
    page.push_str(&filter(report));
    page.push_str(&matrix(report));
    // Writing to a string can't fail.
    let _ = write!(page, "<script>{SCRIPT}</script>\n</body>\n</html>\n");
    page
}

/// Returns the page's Content-Security-Policy. Nothing may be loaded, sent or embedded.
fn policy() -> String {
    format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; base-uri 'none'; form-action 'none'",
        source(STYLE),
        source(SCRIPT)
    )
}

/// Returns the hash source of an inline style or script (CSP level 3, section 2.3.1).
fn source(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// Escapes a text for HTML, between tags and in quoted attributes. Its control
/// characters are replaced first.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text::plain(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

fn about(report: &Report) -> String {
    let seen = match (&report.trail.first, &report.trail.last) {
        (Some(first), Some(last)) => {
            format!("which has lines from {} to {}", time(first), time(last))
        }
        _ => "which has no lines".to_owned(),
    };
    let mut text = format!(
        "<p>Made {} from the grants and the audit trail <code>{}</code>, {seen}.</p>\n<ul>\n",
        time(&report.time),
        escape(&report.trail.file)
    );
    for driver in &report.drivers {
        let _ = writeln!(text, "<li>{}</li>", about_driver(driver));
    }
    text.push_str("</ul>\n");
    text
}

fn about_driver(driver: &DriverReport) -> String {
    let grant = match driver.grant.state {
        GrantState::Valid => "its grant is",
        GrantState::None => "it has no grant; one would be",
        GrantState::OtherDigest => "for another component is its grant",
        GrantState::Unusable => "what can't be used is its grant",
    };
    let since = match &driver.first_run {
        Some(first) => format!(" since {}", time(first)),
        None => String::new(),
    };
    let version = driver.version.as_deref().unwrap_or("without a version");
    format!(
        "<b>{}</b> {}, <code>{}</code>; {grant} <code>{}</code>; {}{since}",
        escape(&driver.name),
        escape(version),
        escape(&driver.digest),
        escape(&driver.grant.path),
        text::counted(driver.runs, "run")
    )
}

fn findings(report: &Report) -> String {
    let mut text = "<h2>Findings</h2>\n".to_owned();
    if report.findings.is_empty() {
        text.push_str("<p>None.</p>\n");
        return text;
    }
    text.push_str("<ul id=\"findings\">\n");
    for finding in &report.findings {
        let driver = finding.driver.as_deref().unwrap_or_default();
        let _ = writeln!(
            text,
            "<li class=\"{level}\"><b>{level}</b> {} {}</li>",
            escape(driver),
            escape(&finding.text),
            level = finding.level.name()
        );
    }
    text.push_str("</ul>\n");
    text
}

fn filter(report: &Report) -> String {
    let mut text = "<form id=\"filter\">\n<label>Driver <select name=\"driver\">\
         <option value=\"\">all</option>"
        .to_owned();
    for driver in &report.drivers {
        let name = escape(&driver.name);
        let _ = write!(text, "<option value=\"{name}\">{name}</option>");
    }
    text.push_str(
        "</select></label>\n<label>Calls <select name=\"show\">\
         <option value=\"\">all</option>\
         <option value=\"granted\">granted</option>\
         <option value=\"beyond\">granted with a reach of their own</option>\
         <option value=\"used\">used</option>\
         <option value=\"unused\">granted and never used</option>\
         <option value=\"denied\">denied</option>\
         <option value=\"found\">with findings</option></select></label>\n\
         <label>Text <input name=\"text\" type=\"search\"></label>\n\
         <output name=\"count\"></output>\n</form>\n",
    );
    text
}

fn matrix(report: &Report) -> String {
    let mut text = "<table id=\"matrix\">\n<thead><tr><th>Driver</th><th>Call</th><th>Does</th>\
         <th>Can</th><th>Asks</th><th>Granted</th><th>Beyond</th><th>Used</th><th>Last</th>\
         <th>Denied</th><th>Findings</th></tr></thead>\n<tbody>\n"
        .to_owned();
    for driver in &report.drivers {
        for call in &driver.calls {
            let about_it = |finding: &&Finding| {
                finding.driver.as_ref() == Some(&driver.name)
                    && finding.call == Some(call.call.name())
            };
            let found: Vec<&Finding> = report.findings.iter().filter(about_it).collect();
            text.push_str(&row(driver, call, &found));
        }
    }
    text.push_str("</tbody>\n</table>\n");
    text
}

fn row(driver: &DriverReport, call: &CallReport, found: &[&Finding]) -> String {
    let is = [
        ("granted", call.granted),
        ("beyond", !call.reach.is_empty()),
        ("used", call.used > 0),
        ("unused", call.granted && call.used == 0),
        ("denied", call.denied > 0),
        ("found", !found.is_empty()),
    ];
    let is = is.into_iter().filter(|(_, is)| *is);
    let is: Vec<&str> = is.map(|(word, _)| word).collect();
    let mark = |on| if on { "yes" } else { "" };
    let beyond = match call.reach.is_empty() {
        true => String::new(),
        false => format!("<code>{}</code>", escape(&call.reach.to_string())),
    };
    let used = match (call.granted, call.used) {
        (true, 0) => "never".to_owned(),
        (false, 0) => String::new(),
        (_, used) => used.to_string(),
    };
    let denied = match call.denied {
        0 => String::new(),
        denied => denied.to_string(),
    };
    let found: String = found
        .iter()
        .map(|finding| {
            format!(
                "<span class=\"{level}\">{level}</span> {}<br>",
                escape(&finding.text),
                level = finding.level.name()
            )
        })
        .collect();
    format!(
        "<tr data-driver=\"{driver}\" data-is=\"{}\"><td>{driver}</td><td><code>{}</code></td>\
         <td title=\"{}\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{beyond}</td><td>{used}</td>\
         <td>{}</td><td>{denied}</td><td>{found}</td></tr>\n",
        is.join(" "),
        call.call,
        escape(call.reason.as_deref().unwrap_or_default()),
        escape(call.effect),
        mark(call.importable),
        mark(call.requested),
        mark(call.granted),
        call.last_used.as_deref().map(time).unwrap_or_default(),
        driver = escape(&driver.name),
    )
}

/// Returns a time as HTML, to the second.
fn time(text: &str) -> String {
    let seconds = text.split('.').next().unwrap_or_default();
    let zone = if text.contains('.') { "Z" } else { "" };
    format!("<time>{}{zone}</time>", escape(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(
            escape("<a href='x' b=\"y\">&\u{202e}\u{1b}"),
            "&lt;a href=&#39;x&#39; b=&quot;y&quot;&gt;&amp;\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn style_and_script_stay_in_their_elements() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("</") && !text.contains("<!--"));
        }
    }
}
