//! `headroom update --check`: says whether there is a newer version.

mod args;
mod index;

use std::io;

use semver::Version;
use serde_json::json;

pub(crate) use self::args::{EXAMPLES, UpdateArgs};
use self::index::IndexError;
use crate::output;

const OWN_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Errors of `headroom update`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpdateError {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

pub(crate) fn run(args: &UpdateArgs) -> Result<(), UpdateError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(UpdateError::Runtime)?;
    let newest = runtime.block_on(index::newest(&args.index));
    // The system may still look up the name of the server, which nothing can interrupt.
    runtime.shutdown_background();
    let newest = newest?;
    let is_newest = Version::parse(OWN_VERSION).is_ok_and(|own| own >= newest);
    let text = if args.json {
        format!("{}\n", json!({"version": OWN_VERSION, "newest": newest.to_string(), "is_newest": is_newest}))
    } else if is_newest {
        format!("headroom {OWN_VERSION} is up to date; the newest version is {newest}\n")
    } else {
        format!(
            "headroom {newest} is there, and this is {OWN_VERSION}; update it the way you installed it\n{}/blob/main/CHANGELOG.md \
             has the changes\n",
            env!("CARGO_PKG_REPOSITORY")
        )
    };
    output::write(text.as_bytes()).map_err(UpdateError::Write)
}
