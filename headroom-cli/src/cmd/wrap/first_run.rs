//! What is said before the first run, and not again.

use std::fs::File;

use crate::{dirs::headroom_home, output, secret};

const WORDS: &str = "\
headroom: first run. Results of tools become smaller on their way to the provider. What leaves is stored on this machine, and \
the model can fetch it back. Your prompts, the answers, your keys and your files are never changed, and nothing goes anywhere \
else. `headroom demo` shows it.";

/// Says what happens and what never does, if that can be remembered as said.
pub(super) fn say() {
    let Some(home) = headroom_home() else { return };
    if secret::make_private(&home).is_ok() && File::create_new(home.join("welcomed")).is_ok() {
        output::note(&WORDS);
    }
}
