//! `headroom compress --text`: compresses content outside any request.

use std::{io, mem, str};

use headroom_core::{CompressOptions, Hints, Retrieval};

use super::{CompressArgs, CompressError, warn_not_stored, write_output, write_report};
use crate::{config::Config, setup::engine, store::LOCAL_TENANT};

pub(super) fn run(args: &CompressArgs, config: &Config, input: &[u8]) -> Result<(), CompressError> {
    let Ok(text) = str::from_utf8(input) else {
        write_output(input)?;
        let error =
            io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8, and was passed on unchanged");
        return Err(CompressError::Read(error));
    };
    // The request that the output will be part of is unknown, so by default nothing is elided.
    let retrieval = args.retrieval.unwrap_or(Retrieval::Disabled);
    let originals_dir = config.originals_dir.as_ref().filter(|_| retrieval == Retrieval::File);
    let engine = engine(&config.models);
    let compress = |retrieval| {
        let options = CompressOptions::new().tier(config.tier).tenant(LOCAL_TENANT);
        let options = originals_dir
            .map_or(options.clone(), |originals_dir| options.originals_dir(originals_dir.folder()))
            .retrieval(retrieval);
        engine.compress_text(text, &hints(args).options(options))
    };
    let mut outcome = compress(retrieval);
    if !outcome.originals.is_empty() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(CompressError::Runtime)?;
        let originals = mem::take(&mut outcome.originals);
        let kept = runtime.block_on(async {
            match originals_dir {
                Some(originals_dir) => originals_dir.open().put_many(originals).await,
                None => config.store.open().put_many(LOCAL_TENANT, originals).await,
            }
        });
        if let Err(error) = kept {
            warn_not_stored(Some(&error));
            outcome = compress(Retrieval::Disabled);
        }
    }
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
        hints = hints.query(question);
    }
    hints
}
