//! What a person sees while it runs, on standard error: a bar in a terminal, else a line for each step.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const BAR: &str = "{elapsed_precise} {bar:24} {percent:>3} %  {wide_msg}";

pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
    is_terminal: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let is_terminal = io::stderr().is_terminal();
        let target = if is_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(1), target);
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        if is_terminal {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, started: Instant::now(), is_terminal }
    }

    /// Begins a step of so many parts.
    pub(crate) fn begin(&self, what: &str, parts: u64) {
        self.bar.set_length(parts);
        self.bar.set_position(0);
        self.bar.set_message(what.to_owned());
        if !self.is_terminal {
            // Nobody reads on: that is no reason to stop measuring.
            let _ = writeln!(io::stderr(), "[{:>4} s] {what}", self.started.elapsed().as_secs());
        }
    }

    /// Prints a result, while the bar steps aside.
    #[expect(clippy::print_stdout, reason = "results are the output of this program")]
    pub(crate) fn print(&self, result: &impl Display) {
        self.bar.suspend(|| println!("{result}"));
    }

    /// So many parts more are done.
    pub(crate) fn advance(&self, parts: u64) {
        self.bar.inc(parts);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
