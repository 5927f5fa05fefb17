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

/// Returns the names of the drivers with what was measured of each, in the cases' order.
fn by_driver(measured: &[Measured]) -> Vec<(&str, Vec<&Measured>)> {
    let mut drivers: Vec<(&str, Vec<&Measured>)> = Vec::new();
    for it in measured {
        match drivers.iter_mut().find(|(name, _)| *name == it.driver) {
            Some((_, own)) => own.push(it),
            None => drivers.push((&it.driver, vec![it])),
        }
    }
    drivers
}

/// Returns a line for each driver.
fn drivers(measured: &[Measured]) -> String {
    let drivers = by_driver(measured).into_iter();
    let firsts = drivers.filter_map(|(name, own)| Some((name, *own.first()?)));
    firsts
        .map(|(name, first)| {
            format!(
                "{}: {} component, {} code, compiled in {}\n",
                plain(name),
                bytes(first.component),
                bytes(first.code.size),
                time(first.code.time)
            )
        })
        .collect()
}

/// Returns the limits of each driver: the grant's, and those that suffice for all cases.
fn limits(measured: &[Measured]) -> String {
    by_driver(measured)
        .into_iter()
        .map(|(driver, own)| format!("# for {}\n[limits]\n{}", plain(driver), lines(&own)))
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
