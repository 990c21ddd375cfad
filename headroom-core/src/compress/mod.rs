//! One module per way to make a text smaller. Each is pure: text in, text or ranges out.

#[cfg_attr(not(test), expect(dead_code, reason = "the router will call it"))]
pub(crate) mod columns;
#[cfg_attr(not(test), expect(dead_code, reason = "the router will call it"))]
pub(crate) mod diff;
pub(crate) mod elide;
pub(crate) mod fold;
pub(crate) mod json;
#[cfg_attr(not(test), expect(dead_code, reason = "the router will call it"))]
pub(crate) mod listing;
mod path;
#[cfg_attr(not(test), expect(dead_code, reason = "the router will call it"))]
pub(crate) mod search;
pub(crate) mod terminal;
#[cfg(test)]
mod trial;

/// The texts under a directory of the shared data, with their paths; says so and gives none where it is absent.
#[cfg(test)]
pub(crate) fn shared_texts(directory: &str) -> Vec<(std::path::PathBuf, String)> {
    let shared = std::env::var("HEADROOM_SHARED").unwrap_or_else(|_| "../../shared".to_owned());
    let mut texts = Vec::new();
    let mut directories = vec![std::path::Path::new(&shared).join(directory)];
    while let Some(directory) = directories.pop() {
        for path in std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                directories.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                texts.push((path, text));
            }
        }
    }
    if texts.is_empty() {
        println!("skipped: no texts in {directory} under {shared}");
    }
    texts
}
