use headroom_core::Handle;

use crate::config::{Settings, Store};

pub(crate) const EXAMPLES: &str = "\
A marker such as [headroom:k3v4q2x7m5tzabcd 393 of 400 rows stored ...] names its original by the handle \
k3v4q2x7m5tzabcd. The proxy, `headroom compress` and other Headroom programs of this user store originals in one folder. \
This command searches all of it, whatever credential a request had.

The original is the tool's output, or the part of it that holds the marker: a JSON document among other lines, or one \
of its long strings. Line and row numbers in a marker are those of the original. For a page shown as Markdown, the HTML \
is stored, and also the Markdown if lines of it were elided.

Without options, the whole original is printed, byte for byte. Options narrow it and can be combined: a path selects a \
JSON value, rows or lines a range of it, a query the matching parts. The first line of the output then says what is \
shown and what was left out.

Examples:
  All of it:
    headroom retrieve k3v4q2x7m5tzabcd > original.json
  A range of lines, or of the rows of a JSON array:
    headroom retrieve k3v4q2x7m5tzabcd --lines 120-180
    headroom retrieve k3v4q2x7m5tzabcd --rows 4-40
  A value, and the parts that match a word or a regular expression:
    headroom retrieve k3v4q2x7m5tzabcd --path 'logs[3].message'
    headroom retrieve k3v4q2x7m5tzabcd --query 'timeout|refused' --max-bytes 4000

Exit status: 0 success, 1 not found or unreadable, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct RetrieveArgs {
    /// The handle after `[headroom:` in the marker, or the whole marker
    #[arg(value_name = "HASH", value_parser = handle)]
    pub(crate) hash: Handle,
    /// Only these lines: 120-180, 120 or 120-
    #[arg(long, value_name = "A-B", conflicts_with = "rows")]
    pub(crate) lines: Option<String>,
    /// Only these rows of a JSON array or of JSON lines, counted from 1
    #[arg(long, value_name = "A-B")]
    pub(crate) rows: Option<String>,
    /// Only the JSON value at this path, as in `logs[3].message`
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Only what these words or this regular expression find, best matches first
    #[arg(long, value_name = "TEXT")]
    pub(crate) query: Option<String>,
    /// At most about this many bytes [default: all; 32768 for a part]
    #[arg(long, value_name = "N")]
    pub(crate) max_bytes: Option<usize>,
    /// The store of the proxy: a folder, or the URL of a Redis or Valkey server [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) store: Option<Store>,
    /// Print a JSON object: hash, size of the original in bytes and lines, and the text
    #[arg(long)]
    pub(crate) json: bool,
}

impl RetrieveArgs {
    /// The settings that these flags share with the configuration.
    pub(crate) fn settings(&self) -> Settings {
        Settings { store: self.store.clone(), ..Settings::default() }
    }
}

/// Parses the handle from pasted text, with or without the marker around it.
fn handle(text: &str) -> Result<Handle, headroom_core::InvalidHandle> {
    let text = text.trim().trim_start_matches('[');
    let text = text.strip_prefix("headroom:").unwrap_or(text);
    Handle::from_any_spelling(text.split([' ', ']', ':', ';']).next().unwrap_or_default())
}
