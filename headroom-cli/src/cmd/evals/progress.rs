//! Shows progress: a bar on a terminal, lines elsewhere.

use std::{
    cell::{Cell, RefCell},
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use headroom_evals::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::output;

/// How often a line is written where there is no terminal.
const LINES: Duration = Duration::from_secs(10);

/// Progress on standard error.
pub(super) struct Bar {
    /// Hidden unless standard error is a terminal.
    bar: ProgressBar,
    /// What is done, where there is no terminal.
    lines: Option<RefCell<String>>,
    started: Cell<Instant>,
    last: Cell<Instant>,
}

impl Bar {
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        let lines = (!io::stderr().is_terminal()).then(RefCell::default);
        let now = Instant::now();
        Self { bar, lines, started: Cell::new(now), last: Cell::new(now) }
    }

    fn line(&self, step: Option<u64>) {
        let Some(what) = &self.lines else { return };
        let (what, all) = (what.borrow(), self.bar.length().unwrap_or_default());
        match step {
            None => output::note(&format_args!("headroom: {what}: {all}")),
            Some(step) => {
                let seconds = self.started.get().elapsed().as_secs();
                output::note(&format_args!("headroom: {what}: {step} of {all} after {seconds} s"));
            }
        }
        self.last.set(Instant::now());
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, steps: usize) {
        self.bar.set_message(what.to_owned());
        self.bar.set_length(steps as u64);
        self.bar.set_position(0);
        if let Some(lines) = &self.lines {
            what.clone_into(&mut lines.borrow_mut());
        }
        self.started.set(Instant::now());
        self.line(None);
    }

    fn step(&self) {
        self.bar.inc(1);
        if self.last.get().elapsed() >= LINES {
            self.line(Some(self.bar.position()));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
