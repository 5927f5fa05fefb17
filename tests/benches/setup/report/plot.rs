//! The plot: each line's figure as a multiple of its target, on a logarithmic axis.

use std::fmt::Write as _;

use super::table::{short, target};
use crate::figures::Spread;
use crate::rows::Line;

/// The names of the lines, and the figures after the axis, in pixels.
const LEFT: f64 = 560.0;
const AXIS: f64 = 420.0;
const RIGHT: f64 = 190.0;
/// The height of a line, and of the head.
const LINE: f64 = 26.0;
const HEAD: f64 = 64.0;
/// The ends of the axis, as powers of 2.
const ENDS: [i32; 2] = [-3, 3];

const STYLE: &str = "
text { font: 13px sans-serif; fill: #1f2328; }
.page { fill: #ffffff; }
.grid { stroke: #d1d9e0; }
.target { stroke: #1f2328; stroke-width: 2; }
.yes { stroke: #0b62c4; fill: #0b62c4; }
.no { stroke: #b35900; fill: #ffffff; stroke-width: 2; }
.muted { fill: #59636e; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
line.yes, line.no { stroke-width: 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .page { fill: #0d1117; }
  .grid { stroke: #3d444d; }
  .target { stroke: #e6edf3; }
  .yes { stroke: #58a6ff; fill: #58a6ff; }
  .no { stroke: #f0a250; fill: #0d1117; }
  .muted { fill: #9198a1; }
}
";

/// Returns the plot of the lines that have a target.
pub(crate) fn of<'a>(lines: impl Iterator<Item = &'a Line>) -> String {
    let lines: Vec<_> = lines
        .filter_map(|line| Some((line, line.of_target()?)))
        .collect();
    let count = u32::try_from(lines.len()).expect("few lines");
    let (width, height) = (
        LEFT + AXIS + RIGHT,
        HEAD + LINE * f64::from(count) + LINE / 2.0,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>Medians and quartiles as multiples of their targets</title>\n\
         <style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\"/>\n\
         <text x=\"8\" y=\"22\">Median and quartiles as a multiple of the target; less is better. \
         A full dot has reached it.</text>\n"
    );
    for power in ENDS[0]..=ENDS[1] {
        let value = f64::from(power).exp2();
        let class = if power == 0 { "target" } else { "grid" };
        let (at, bottom) = (x(value), height - LINE / 4.0);
        let top = HEAD - 12.0;
        let label = if power == 0 {
            "target".to_owned()
        } else {
            format!("{value} x")
        };
        put(
            &mut svg,
            &format!(
                "<line class=\"{class}\" x1=\"{at}\" x2=\"{at}\" y1=\"{top}\" y2=\"{bottom}\"/>\n\
                 <text class=\"muted middle\" x=\"{at}\" y=\"{}\">{label}</text>",
                top - 6.0
            ),
        );
    }
    let mut middle = HEAD + LINE / 2.0;
    for (line, share) in lines {
        put(&mut svg, &of_line(line, share, middle));
        middle += LINE;
    }
    put(&mut svg, "</svg>");
    svg
}

fn of_line(line: &Line, share: Spread, middle: f64) -> String {
    let class = match line.is_reached() {
        Some(true) => "yes",
        _ => "no",
    };
    let text = middle + 4.5;
    let figure = match (line.ratio, line.ours) {
        (Some(ratio), _) => short(ratio.median),
        (None, Some(ours)) => format!("{} {}", short(ours.median), line.unit),
        (None, None) => String::new(),
    };
    let most = line
        .target
        .map_or_else(String::new, |at| target(at, line.unit));
    format!(
        "<text class=\"end\" x=\"{}\" y=\"{text}\">{}</text>\n\
         <line class=\"{class}\" x1=\"{}\" x2=\"{}\" y1=\"{middle}\" y2=\"{middle}\"/>\n\
         <circle class=\"{class}\" cx=\"{}\" cy=\"{middle}\" r=\"5\"/>\n\
         <text x=\"{}\" y=\"{text}\">{figure}<tspan class=\"muted\"> ({})</tspan></text>",
        LEFT - 12.0,
        escaped(&line.what),
        x(share.q1),
        x(share.q3),
        x(share.median),
        LEFT + AXIS + 16.0,
        escaped(&most),
    )
}

/// Returns the place of a multiple on the axis. What is beyond an end is at the end.
fn x(multiple: f64) -> f64 {
    let [first, last] = ENDS.map(f64::from);
    let power = multiple.log2().clamp(first, last);
    let at = LEFT + AXIS * (power - first) / (last - first);
    (at * 10.0).round() / 10.0
}

fn put(svg: &mut String, text: &str) {
    writeln!(svg, "{text}").expect("a string can grow");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
