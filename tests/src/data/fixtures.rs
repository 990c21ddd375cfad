use std::{fs, path::Path};

use headroom_core::Api;

use super::{Conversation, prefixes};

/// Returns the request bodies in every checkout: `fixtures/API/*.json`.
#[must_use]
pub fn fixtures() -> Vec<(String, Api, Vec<u8>)> {
    let mut out = Vec::new();
    for &api in Api::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(api.as_str());
        let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let name = format!("{api}/{}", file.file_name().unwrap().to_string_lossy());
            out.push((name, api, fs::read(file).unwrap()));
        }
    }
    out
}

/// Returns the conversations among the fixtures, named `conversation*`, turn by turn.
#[must_use]
pub fn conversations() -> Vec<Conversation> {
    let named = |name: &str| name.contains("/conversation");
    let whole = fixtures().into_iter().filter(|(name, ..)| named(name));
    whole.map(|(name, api, body)| Conversation { name, api, bodies: prefixes(api, &body) }).collect()
}
