//! Calls of `headroom_retrieve`.

use std::borrow::Cow;

use headroom_core::Handle;
use headroom_json::Value;

use super::RetrieveQuery;
use crate::{OriginalStore, StoreError};

/// Answers a call of `headroom_retrieve`, given its arguments as a JSON object.
///
/// Invalid arguments and unknown handles get an answer in plain words, since the model reads it.
///
/// # Errors
///
/// If the store cannot answer.
///
/// # Example
///
/// ```
/// use headroom_core::Original;
/// use headroom_store::{MemoryStore, OriginalStore, retrieve};
///
/// # async fn example() -> Result<(), headroom_store::StoreError> {
/// let store = MemoryStore::new();
/// let original = Original::new("one\ntwo\nthree\n");
/// let handle = original.handle();
/// store.put_many("team-a", vec![original]).await?;
/// let arguments = format!(r#"{{"hash": "{handle}", "lines": "2-3"}}"#);
/// assert!(retrieve(&store, "team-a", &arguments).await?.ends_with("two\nthree\n"));
/// assert!(retrieve(&store, "team-b", &arguments).await?.starts_with("Nothing is kept under"));
/// # Ok(())
/// # }
/// # fn main() {
/// #     tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(example()).unwrap();
/// # }
/// ```
pub async fn retrieve<S: OriginalStore + ?Sized>(
    store: &S,
    tenant: &str,
    arguments: &str,
) -> Result<String, StoreError> {
    let call = RetrieveCall::parse(arguments);
    let content = match call.handle() {
        Some(handle) => store.get(tenant, handle).await?,
        None => None,
    };
    Ok(call.answer(content.as_deref()))
}

/// A call of `headroom_retrieve`, for callers that get the original themselves. [`retrieve`] does it all.
///
/// # Example
///
/// ```
/// use headroom_core::Handle;
/// use headroom_store::RetrieveCall;
///
/// let content = "one\ntwo\nthree\n";
/// let handle = Handle::from_content(content);
/// let call = RetrieveCall::parse(&format!(r#"{{"hash": "{handle}", "lines": "2-3"}}"#));
/// assert_eq!(call.handle(), Some(&handle));
/// assert!(call.answer(Some(content)).ends_with("two\nthree\n"));
/// assert!(call.answer(None).starts_with("Nothing is kept under"));
/// assert!(RetrieveCall::parse("{}").answer(None).contains("needs a \"hash\""));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetrieveCall {
    /// The model's argument.
    hash: Option<String>,
    handle: Option<Handle>,
    query: RetrieveQuery,
}

impl RetrieveCall {
    /// Reads the arguments of a call, a JSON object.
    #[must_use]
    pub fn parse(arguments: &str) -> Self {
        let hash = Value::parse(arguments).and_then(|arguments| arguments.get("hash")?.text());
        let hash = hash.map(Cow::into_owned);
        let handle = hash.as_deref().and_then(handle);
        Self { hash, handle, query: RetrieveQuery::from_arguments(arguments) }
    }

    /// Returns the original that it asks for; `None` if it names none.
    #[must_use]
    pub const fn handle(&self) -> Option<&Handle> {
        self.handle.as_ref()
    }

    /// Returns the answer for the model, given the original's content, or `None` if the store has none. Invalid
    /// arguments and unknown handles get an answer in plain words.
    #[must_use]
    pub fn answer(&self, content: Option<&str>) -> String {
        let Some(hash) = &self.hash else {
            return "The call needs a \"hash\": the letters behind [headroom: in the text.\n".to_owned();
        };
        match content.filter(|_| self.handle.is_some()) {
            Some(content) => self.query.answer(content),
            None => format!(
                "Nothing is kept under \"{}\" (any more); go on without it, or get the text again with the tool that brought it.\n",
                hash.chars().take(64).collect::<String>()
            ),
        }
    }
}

/// Finds the handle in a model's argument, with or without brackets and anything after them.
pub(super) fn handle(hash: &str) -> Option<Handle> {
    let hash = hash.trim().trim_start_matches('[');
    let hash = hash.strip_prefix("headroom:").unwrap_or(hash).trim_start();
    let hash = hash.split(|c: char| !c.is_ascii_alphanumeric()).next()?.to_ascii_lowercase();
    Handle::from_any_spelling(&hash).ok()
}
