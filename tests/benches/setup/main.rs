//! Measures the program against netavark's own plugins and drivers, and against CNI's
//! plugins. Two contenders run in turns, pair by pair, so that other load on the machine
//! affects both.
//!
//! - [`options`]: the command line
//! - [`run`]: one timed process
//! - [`contender`]: the programs that are compared
//! - [`series`]: pairs of runs
//! - [`figures`]: medians and quartiles
//! - [`rows`]: what is measured
//! - [`itself`]: what this program does in another process
//! - [`report`]: the table, the JSON document and the plot

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that can't go on should say so and end"
)]

mod contender;
mod figures;
mod itself;
mod options;
mod report;
mod rows;
mod run;
mod series;

use options::Options;
use report::Report;

fn main() {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    if itself::runs(&arguments) {
        return;
    }
    let options = Options::of(&arguments);
    if !nix::unistd::Uid::effective().is_root() {
        println!("skipped: it needs root");
        return;
    }
    // The table has the reasons.
    std::panic::set_hook(Box::new(|_| {}));
    run::adopt_orphans();
    let mut report = Report::new(&options);
    for row in rows::ALL.iter().filter(|row| options.wants(row.name)) {
        for line in row.measure(&options) {
            report.add(row.name, line);
        }
    }
    report.write();
}
