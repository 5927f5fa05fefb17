//! What is measured.

mod at_once;
mod cni;
mod commands;
mod confinement;
mod many;
mod memory;
mod netavark;
mod plugin;

use std::panic::catch_unwind;

use wasmvark_tests::grant::Grant;
use wasmvark_tests::harness::Need;
use wasmvark_tests::places;
use wasmvark_tests::wasmvark::Wasmvark;
use wasmvark_tests::world::World;

use crate::figures::Spread;
use crate::options::Options;
use crate::series::{Part, Series};

/// A measurement.
pub(crate) struct Row {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    what: &'static str,
    needs: &'static [Need],
    /// The programs of netavark's that it takes as their authors release them.
    released: &'static [&'static str],
    measure: fn(&Options) -> Vec<Line>,
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) ours: Option<Spread>,
    pub(crate) theirs: Option<Spread>,
    pub(crate) ratio: Option<Spread>,
    /// The ratio of the processors' times.
    pub(crate) processor: Option<Spread>,
    pub(crate) target: Option<Target>,
    /// Why it wasn't measured.
    pub(crate) skipped: Option<String>,
}

/// What a figure should be at most.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// For the ratio of ours to theirs.
    Ratio(f64),
    /// For ours, in the line's unit.
    Ours(f64),
}

/// All of them, in the order of the table.
pub(crate) const ALL: &[Row] = &[
    plugin::CREATE,
    plugin::HOST_DEVICE,
    confinement::ROW,
    netavark::MACVLAN,
    netavark::BRIDGE,
    cni::MACVLAN,
    cni::PTP,
    cni::BRIDGE,
    memory::ROW,
    many::ROW,
    at_once::ROW,
    commands::INSTALL,
    commands::PLAN,
];

impl Row {
    /// Measures it, or says why this can't be done here.
    pub(crate) fn measure(&self, options: &Options) -> Vec<Line> {
        let skipped = |reason| {
            let mut line = Line::new(self.what, "ms");
            line.skipped = Some(reason);
            vec![line]
        };
        if let Some(reason) = self.missing() {
            return skipped(reason);
        }
        eprintln!("measuring {} ...", self.name);
        catch_unwind(|| (self.measure)(options)).unwrap_or_else(|cause| {
            let text = cause.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
            let text = text.unwrap_or("without a reason");
            skipped(format!("it failed: {}", text.trim().replace('\n', " ")))
        })
    }

    fn missing(&self) -> Option<String> {
        let need = self.needs.iter().find_map(|need| need.missing());
        need.map(Into::into).or_else(|| {
            let mut programs = self.released.iter();
            let program = programs.find(|program| !places::fast_tool(program).exists())?;
            Some(format!("{program} is not installed; `just bench` does it"))
        })
    }
}

impl Line {
    /// Returns a line without figures.
    pub(crate) fn new(what: impl Into<String>, unit: &'static str) -> Self {
        Self {
            what: what.into(),
            unit,
            ours: None,
            theirs: None,
            ratio: None,
            processor: None,
            target: None,
            skipped: None,
        }
    }

    /// Returns a line of two contenders' times.
    pub(crate) fn of(what: impl Into<String>, series: &Series, part: Part) -> Self {
        Self {
            ours: Some(series.ours(part)),
            theirs: Some(series.theirs(part)),
            ratio: Some(series.ratio(part)),
            processor: Some(series.processor_ratio(part)),
            ..Self::new(what, "ms")
        }
    }

    /// Returns a line of a figure that is compared with none.
    pub(crate) fn alone(what: impl Into<String>, unit: &'static str, ours: Spread) -> Self {
        let ours = Some(ours);
        Self {
            ours,
            ..Self::new(what, unit)
        }
    }

    /// Sets what it should be at most.
    pub(crate) fn at_most(self, target: Target) -> Self {
        let target = Some(target);
        Self { target, ..self }
    }

    /// Returns the figure as a multiple of the target.
    pub(crate) fn of_target(&self) -> Option<Spread> {
        match self.target? {
            Target::Ratio(most) => Some(self.ratio?.over(most)),
            Target::Ours(most) => Some(self.ours?.over(most)),
        }
    }

    /// Whether the median is within the target.
    pub(crate) fn is_reached(&self) -> Option<bool> {
        Some(self.of_target()?.median <= 1.0)
    }
}

/// Returns lines of `setup`, and of `setup` and `teardown` together, with their targets.
fn lines(what: &str, series: &Series, setup: Option<f64>, both: f64) -> Vec<Line> {
    let mut line = Line::of(format!("{what}, setup"), series, Part::Setup);
    line.target = setup.map(Target::Ratio);
    let both = Target::Ratio(both);
    let title = format!("{what}, setup + teardown");
    vec![line, Line::of(title, series, Part::Both).at_most(both)]
}

/// Makes an installation of some of this project's drivers, each with the name and the
/// grant that `just install` gives it.
fn installed<'a>(world: &'a World, drivers: &[&str]) -> Wasmvark<'a> {
    let wasmvark = Wasmvark::new(world);
    for driver in drivers {
        wasmvark.install(driver, &name(driver), &Grant::example(driver));
    }
    wasmvark
}

/// Returns the name under which a driver is installed.
fn name(driver: &str) -> String {
    format!("wasm-{driver}")
}
