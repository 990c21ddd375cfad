//! The log on standard error.

use std::io;

use tracing_subscriber::{
    Layer, Registry,
    field::MakeExt,
    filter::{LevelFilter, Targets},
    fmt::format::debug_fn,
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use crate::{
    config::{Log, LogFormat},
    output,
};

/// Starts logging. The returned function changes the level.
pub(super) fn log_to_stderr(level: Log, format: LogFormat) -> Box<dyn Fn(Log) + Send> {
    let (ours, handle) = reload::Layer::new(of_ours(level));
    let lines = match format {
        LogFormat::Text => text().boxed(),
        // One object a line; the encoder escapes what must be.
        LogFormat::Json => tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(io::stderr)
            .with_target(false)
            .boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(ours)).init();
    Box::new(move |level| {
        let _ = handle.reload(of_ours(level));
    })
}

fn text() -> impl Layer<Registry> {
    // Paths and errors contain input from clients and upstreams: escaped, so that a record is one line without control
    // codes.
    let fields = debug_fn(|line, field, value| {
        let text = format!("{value:?}").replace('\n', "\\n");
        let text = output::escape(&text);
        match field.name() {
            "message" => write!(line, "{text}"),
            name => write!(line, "{name}={text}"),
        }
    });
    tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(output::takes_colours(&io::stderr()))
        .with_target(false)
        .fmt_fields(fields.delimited(" "))
}

/// Only Headroom's own crates: logs of others may contain headers.
fn of_ours(level: Log) -> Targets {
    let level = match level {
        Log::Off => LevelFilter::OFF,
        Log::Error => LevelFilter::ERROR,
        Log::Warn => LevelFilter::WARN,
        Log::Info => LevelFilter::INFO,
        Log::Debug => LevelFilter::DEBUG,
    };
    let ours = ["headroom", "headroom_core", "headroom_envoy", "headroom_store", "headroom_tower"];
    Targets::new().with_targets(ours.map(|target| (target, level)))
}
