use std::collections::BTreeSet;

use crate::{CacheHint, Handle, Retrieval, Tier};

/// Options for compressing one request.
///
/// Use the same options for all requests of a conversation: a block that was written differently in the last request
/// is a cache miss for everything after it.
///
/// # Example
///
/// ```
/// use headroom_core::{CompressOptions, Tier};
///
/// let options = CompressOptions::new().tier(Tier::Lossless).tenant("team-a");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompressOptions {
    pub(crate) tier: Tier,
    pub(crate) retrieval: Retrieval,
    pub(crate) tenant: String,
    pub(crate) originals_dir: Option<String>,
    pub(crate) unstorable: BTreeSet<Handle>,
    pub(crate) epochs: bool,
    pub(crate) drop_tools: BTreeSet<String>,
    pub(crate) cache_hints: BTreeSet<CacheHint>,
}

impl CompressOptions {
    /// Creates the default options: every tier, no retrieval, no tenant.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how far edits may go. Default: [`Tier::Recoverable`].
    #[must_use]
    pub fn tier(mut self, tier: Tier) -> Self {
        self.tier = tier;
        self
    }

    /// Sets how the model retrieves elided content. Default: [`Retrieval::Disabled`].
    #[must_use]
    pub fn retrieval(mut self, retrieval: Retrieval) -> Self {
        self.retrieval = retrieval;
        self
    }

    /// Sets whether old content may leave at new prompts of the user, where that is expected to be more than repaid.
    /// Default: `false`.
    ///
    /// Without it the output grows by appending only. With it there are prompts, the epochs, at which old results shrink
    /// to a few lines and old thinking leaves; the provider then writes what follows to its cache again. Which prompts
    /// are epochs follows from the bytes up to each, so it stays the same in every longer request.
    ///
    /// Needs a way of [`retrieval`](Self::retrieval), the whole conversation in the request, and a model of a family in
    /// [`ModelPrices`](crate::ModelPrices): nobody knows what rewriting costs elsewhere.
    ///
    /// ```
    /// use headroom_core::{CompressOptions, Retrieval};
    ///
    /// let options = CompressOptions::new().retrieval(Retrieval::ServerTool).epochs(true);
    /// ```
    #[must_use]
    pub fn epochs(mut self, may_begin: bool) -> Self {
        self.epochs = may_begin;
        self
    }

    /// Leaves the definitions of these tools out of the request; `mcp__github__*` stands for all that begin so. Default:
    /// none.
    ///
    /// A definition stays if anything else in the head names its tool: a system prompt, another definition, the choice of
    /// tools, or a text before the model's first answer. So do the last one of a list, one with a cache breakpoint, and
    /// one that the provider loads only when it is wanted. [`Report::listed_tools`](crate::Report::listed_tools) tells.
    ///
    /// The definitions come first in a provider's cache. Set the same tools for all requests of a conversation, from its
    /// first one on.
    ///
    /// ```
    /// use headroom_core::{Api, CompressOptions, Engine};
    ///
    /// let body = br#"{"model":"m","tools":[{"name":"Bash"},{"name":"Fly"}],"messages":[{"role":"user","content":"hi"}]}"#;
    /// let outcome = Engine::new().compress(Api::Anthropic, body, &CompressOptions::new().drop_tools(["Fly"]));
    /// assert!(!String::from_utf8_lossy(outcome.body().unwrap()).contains("Fly"));
    /// ```
    #[must_use]
    pub fn drop_tools(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.drop_tools = names.into_iter().map(Into::into).collect();
        self
    }

    /// Adds these settings for the provider's prompt cache to requests that have none of their own. Default: none.
    ///
    /// Only to requests that more will follow: with tools, or after a first answer. What the model reads stays the same, and
    /// each setting is the same in every request of a conversation. [`Report::cache_hints`](crate::Report::cache_hints) tells
    /// which were added. Writing to Anthropic's cache costs a quarter more than reading without one, once, so this pays where
    /// conversations have at least two requests within five minutes.
    ///
    /// ```
    /// use headroom_core::{Api, CacheHint, CompressOptions, Engine};
    ///
    /// let body = br#"{"model":"m","max_tokens":9,"tools":[{"name":"Bash"}],"messages":[{"role":"user","content":"hi"}]}"#;
    /// let options = CompressOptions::new().cache_hints([CacheHint::Breakpoint]);
    /// let outcome = Engine::new().compress(Api::Anthropic, body, &options);
    /// assert!(outcome.body().unwrap().starts_with(br#"{"cache_control":{"type":"ephemeral"},"model""#));
    /// ```
    #[must_use]
    pub fn cache_hints(mut self, hints: impl IntoIterator<Item = CacheHint>) -> Self {
        self.cache_hints = hints.into_iter().collect();
        self
    }

    /// Sets the folder in which the agent finds originals by handle, and the retrieval to [`Retrieval::File`].
    ///
    /// The caller writes the files before the request is sent, because the engine opens none. `PlaintextStore` in
    /// `headroom-store` does this. With any other retrieval the folder is ignored.
    #[must_use]
    pub fn originals_dir(mut self, folder: impl Into<String>) -> Self {
        self.originals_dir = Some(folder.into());
        self.retrieval = Retrieval::File;
        self
    }

    /// Names originals that cannot be stored. A block that needs one of them is written without any, possibly in full.
    /// Everything before it stays the same, and so does the definition of the tool.
    ///
    /// Use this when a store fails: stored originals stay usable, and the prompt cache keeps hitting.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_core::{Api, CompressOptions, Engine, Outcome, Retrieval};
    ///
    /// # let line = |n: usize| format!("2026-01-01T10:{:02}:{:02} INFO served request {n} in {} ms\\n", n / 60, n % 60, n * 7919 % 97);
    /// # let lines: String = (0..300).map(line).collect();
    /// # let tool = r#"{"type":"function","function":{"name":"headroom_retrieve","parameters":{}}}"#;
    /// # let body = format!(
    /// #     r#"{{"model":"gpt-4o","tools":[{tool}],"messages":[
    /// #         {{"role":"assistant","tool_calls":[{{"id":"1","type":"function","function":{{"name":"Bash","arguments":"{{}}"}}}}]}},
    /// #         {{"role":"tool","tool_call_id":"1","content":"{lines}"}}]}}"#
    /// # );
    /// let (engine, options) = (Engine::new(), CompressOptions::new().retrieval(Retrieval::ClientTool));
    /// let outcome = engine.compress(Api::OpenAiChat, body.as_bytes(), &options);
    /// let Outcome::Rewritten { originals, .. } = outcome else { panic!("a long log is cut") };
    /// assert!(!originals.is_empty());
    ///
    /// let options = options.without_originals(originals.iter().map(|original| original.handle()));
    /// let outcome = engine.compress(Api::OpenAiChat, body.as_bytes(), &options);
    /// assert!(matches!(outcome, Outcome::Unchanged { .. }), "nothing else can be done with this log");
    /// ```
    #[must_use]
    pub fn without_originals(mut self, handles: impl IntoIterator<Item = Handle>) -> Self {
        self.unstorable.extend(handles);
        self
    }

    /// Returns the folder that markers name, if the request's retrieval is [`Retrieval::File`].
    pub(crate) fn originals_dir_for(&self, retrieval: Retrieval) -> Option<&str> {
        self.originals_dir.as_deref().filter(|_| retrieval == Retrieval::File)
    }

    /// Sets the tenant of the request. The engine's caches share nothing between tenants.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }
}
