//! `headroom compress --text`: content outside any request.

use std::{io, str};

use headroom_core::{Headroom, Hints, Means, Options, Tier};

use super::{CompressError, write_output, write_report};
use crate::args::CompressArgs;

pub(super) fn run(args: &CompressArgs, tier: Tier, input: &[u8]) -> Result<(), CompressError> {
    let Ok(text) = str::from_utf8(input) else {
        write_output(input)?;
        let error = io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8, and was passed on as it is");
        return Err(CompressError::Read(error));
    };
    // Nobody sees the request that this will stand in, so by default nothing is set aside.
    let options = Options::new().tier(tier).means(args.means.unwrap_or(Means::None));
    let outcome = Headroom::new().compress_text(text, &hints(args).options(options));
    let written = write_output(outcome.text.as_deref().unwrap_or(text).as_bytes());
    if let Some(path) = &args.report {
        write_report(path, &outcome.report)?;
    }
    written
}

fn hints(args: &CompressArgs) -> Hints {
    let mut hints = Hints::new();
    if let Some(tool) = &args.tool {
        hints = hints.tool(tool);
    }
    if let Some(arguments) = &args.args {
        hints = hints.arguments(arguments);
    }
    if let Some(question) = &args.query {
        hints = hints.question(question);
    }
    if let Some(query) = &args.query {
        hints = hints.question(query);
    }
    hints
}
