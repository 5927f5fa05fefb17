//! The measures for people.

use std::time::Duration;

use types::text::{plain, plain_error};

use super::Measured;
use crate::cli::output;

/// Returns the report: the drivers, the cases, and the limits.
pub(super) fn text(measured: &[Measured]) -> String {
    let head = ["CASE", "MAP", "START", "RUN", "CALLS", "MEMORY"].map(str::to_owned);
    let rows = measured.iter().map(|it| {
        [
            plain(&it.case.display().to_string()),
            time(it.usage.mapping),
            time(it.usage.start),
            time(it.usage.function),
            it.usage.calls.to_string(),
            size(it.usage.memory),
        ]
    });
    let rows: Vec<_> = [head].into_iter().chain(rows).collect();
    let failures = measured.iter().filter_map(|it| {
        let error = plain_error(it.error.as_ref()?);
        Some(format!(
            "{}: {error}\n",
            plain(&it.case.display().to_string())
        ))
    });
    let parts = [
        drivers(measured),
        output::table(&rows),
        failures.collect(),
        limits(measured),
    ];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n")
}

/// Returns a line for each driver.
fn drivers(measured: &[Measured]) -> String {
    let mut text = String::new();
    let mut named: Vec<&str> = Vec::new();
    for it in measured {
        if named.contains(&it.driver.as_str()) {
            continue;
        }
        named.push(&it.driver);
        text.push_str(&format!(
            "{}: {} component, {} code, compiled in {}\n",
            plain(&it.driver),
            bytes(it.component),
            bytes(it.code.size),
            time(it.code.time)
        ));
    }
    text
}

/// Returns the limits of each driver: the grant's, and those that suffice for all cases.
fn limits(measured: &[Measured]) -> String {
    let mut drivers: Vec<&str> = measured.iter().map(|it| it.driver.as_str()).collect();
    drivers.dedup();
    drivers
        .iter()
        .map(|driver| {
            let own = measured.iter().filter(|it| it.driver == *driver);
            format!(
                "# for {}\n[limits]\n{}",
                plain(driver),
                lines(&own.collect::<Vec<_>>())
            )
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn lines(measured: &[&Measured]) -> String {
    let Some(first) = measured.first() else {
        return String::new();
    };
    let entries = first.limits.entries();
    let most = |name: &str| {
        let suggested = measured.iter().flat_map(|it| it.suggested.entries());
        let own = suggested.filter(|(other, _)| *other == name);
        own.map(|(_, value)| value).max().unwrap_or_default()
    };
    entries
        .iter()
        .map(|(name, granted)| format!("{name} = {} # granted: {granted}\n", most(name)))
        .collect()
}

fn time(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

fn size(size: u64) -> String {
    output::size(size)
}

fn bytes(size: usize) -> String {
    output::size(u64::try_from(size).unwrap_or(u64::MAX))
}
