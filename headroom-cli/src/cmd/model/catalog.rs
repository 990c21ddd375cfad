//! Locations of models.

use http::Uri;

/// The model that is known by name.
pub(super) const KOMPRESS: &str = "kompress-v2-base";
/// The hub that holds it; the variable names a mirror, as for the hub's own tools.
const HUB: &str = "https://huggingface.co";
const HUB_VARIABLE: &str = "HF_ENDPOINT";

/// One file of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remote {
    /// Its name in the model's folder.
    pub(super) file: &'static str,
    pub(super) url: String,
    /// Whether the server gives checksums as the hub does, in entity tags.
    pub(super) is_hub: bool,
}

/// The files of a model on a web server, or of a known model.
pub(super) fn files(name: &str, from: Option<&Uri>) -> Option<Vec<Remote>> {
    if let Some(from) = from {
        let base = from.to_string();
        let base = base.trim_end_matches('/');
        let remote = |file| Remote { file, url: format!("{base}/{file}"), is_hub: false };
        return Some(vec![remote("tokenizer.json"), remote("model.onnx")]);
    }
    let hub =
        std::env::var(HUB_VARIABLE).ok().filter(|hub| !hub.is_empty()).unwrap_or_else(|| HUB.to_owned());
    let hub = hub.trim_end_matches('/');
    let remote = |file, path: &str| Remote { file, url: format!("{hub}/{path}"), is_hub: true };
    (name == KOMPRESS).then(|| {
        vec![
            remote("tokenizer.json", "answerdotai/ModernBERT-base/resolve/main/tokenizer.json"),
            remote("model.onnx", "chopratejas/kompress-v2-base/resolve/main/onnx/kompress-int8-wo.onnx"),
        ]
    })
}
