//! Asks a model one question, with and without Headroom.

use std::{env, sync::Arc, time::Duration};

use bytes::Bytes;
use headroom_core::{Handle, Retrieval};
use headroom_evals::questions::EvalItem;
use headroom_store::MemoryStore;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    LiveArgs, LiveError,
    cache::{Cache, CacheLine},
    dialect::{self, Dialect, ToolQuestion},
    failure::{Failure, FailureKind},
    likelihood,
    send::{Arm, AskError, Received, Sender, start},
};
use crate::{
    cmd::evals::client::EvalClient,
    config::{Base, Config},
    proxy::Signals,
    setup::layer,
    usage::Usage,
};

/// What a model answered.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveAnswer {
    pub(super) text: String,
    pub(super) usage: Usage,
    pub(super) calls: u64,
    /// Whether the answer ended at the most tokens that it may have.
    pub(super) is_cut: bool,
    pub(super) cached: bool,
}

pub(super) struct Asker {
    model: String,
    pub(super) dialect: Dialect,
    sender: Sender,
    /// Everything that decides what the layer does to a request.
    version: String,
    runtime: Runtime,
    signals: Signals,
    cache: Cache,
}

impl Asker {
    pub(super) fn new(
        model: &str,
        args: &LiveArgs,
        config: &Config,
        cache: Cache,
    ) -> Result<Self, LiveError> {
        let api = args.api.unwrap_or_else(|| dialect::api_of(model));
        let dialect = Dialect::new(api, args.answer_tokens.get(), args.upstream.is_some());
        let home = dialect.home();
        let key = env::var(home.variable).unwrap_or_default();
        if key.is_empty() && args.upstream.is_none() {
            return Err(LiveError::NoKey(home.variable));
        }
        let base = args.upstream.clone().unwrap_or_else(|| Base::fixed(home.host));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(LiveError::Runtime)?;
        let signals = runtime.block_on(async { Signals::new() }).map_err(LiveError::Signals)?;
        let patience = Duration::from_secs(args.timeout.get().into());
        let mut layer = layer(config, Arc::new(MemoryStore::new())).blocking_threshold(u64::MAX);
        if config.retrieval == Retrieval::Disabled {
            layer = layer.retrieval(Retrieval::Disabled);
        }
        let Config { tier, models, retrieval, .. } = config;
        Ok(Self {
            model: model.to_owned(),
            sender: Sender {
                client: EvalClient::new(base)?.with_patience(patience),
                headers: dialect.headers(&key),
                layer,
                api,
                variable: home.variable,
                patience,
            },
            dialect,
            version: format!("{} {tier} {retrieval} {models:?}", env!("CARGO_PKG_VERSION")),
            runtime,
            signals,
            cache,
        })
    }

    /// Asks a question whose text is the result of a tool call.
    pub(super) fn ask(&mut self, item: &EvalItem, arm: Arm) -> Result<LiveAnswer, AskError> {
        let model = self.model.clone();
        self.answer(arm, &model, |dialect| body(dialect, &model, item))
    }

    /// Asks the judge whether an answer agrees with a reference; its answer begins with yes or no.
    pub(super) fn judge(
        &mut self,
        model: &str,
        question: &str,
        references: &[String],
        answer: &str,
    ) -> Result<LiveAnswer, AskError> {
        let text = format!(
            "Question: {question}\n\nCorrect answers, any of which will do: {}\n\nAnswer to judge: {answer}\n\n\
             Does the answer to judge say what one of the correct answers says, and nothing that is against them? \
             Begin with yes or no.",
            references.join("; ")
        );
        self.answer(Arm::Without, model, |dialect| dialect.prompt(model, &text))
    }

    /// Returns the body that the server gets for a question, before the model retrieves anything.
    pub(super) fn prompt(&self, item: &EvalItem, arm: Arm) -> Result<Bytes, AskError> {
        let body = Bytes::from(body(&self.dialect, &self.model, item).to_string());
        match arm {
            Arm::Without => Ok(body),
            Arm::With => self.runtime.block_on(self.sender.rewritten(&self.dialect.path(&self.model), body)),
        }
    }

    /// Measures the log-probability of the reference answer after this prompt. `None` if the server gives none.
    pub(super) fn likelihood(&mut self, prompt: &[u8], reference: &str) -> Result<Option<f64>, AskError> {
        let Some(body) = likelihood::forced(prompt, reference, self.dialect.limit()) else { return Ok(None) };
        let body = Bytes::from(body.to_string());
        let key = self.key(&body, "likelihood");
        if let Some(line) = self.cache.get(&key) {
            return Ok(line.logprob);
        }
        let received = match self.send(Arm::Without, &self.dialect.path(&self.model), body) {
            // A server without grammars says so.
            Err(AskError::Failure(Failure { kind: FailureKind::Refused, .. })) => return Ok(None),
            received => received?,
        };
        let logprob = likelihood::read(&received.body, reference);
        let Received { usage, calls, .. } = received;
        self.cache.put(CacheLine { key, usage, calls, logprob, ..CacheLine::default() })?;
        Ok(logprob)
    }

    fn key(&self, body: &[u8], version: &str) -> String {
        let text = format!("{} {version}\n{}", self.sender.client.base(), String::from_utf8_lossy(body));
        Handle::from_content(&text).to_string()
    }

    fn answer(
        &mut self,
        arm: Arm,
        model: &str,
        body: impl Fn(&Dialect) -> Value,
    ) -> Result<LiveAnswer, AskError> {
        let path = self.dialect.path(model);
        let (key, received) = loop {
            let body = Bytes::from(body(&self.dialect).to_string());
            let key = self.key(&body, if arm == Arm::With { &self.version } else { "" });
            if let Some(line) = self.cache.get(&key) {
                let CacheLine { text, usage, calls, is_cut, .. } = line.clone();
                return Ok(LiveAnswer { text, usage, calls, is_cut, cached: true });
            }
            match self.send(arm, &path, body) {
                Err(AskError::Failure(failure))
                    if failure.kind == FailureKind::Refused && self.dialect.adapt(&failure.said) => {}
                received => break (key, received?),
            }
        };
        let Received { body, usage, calls } = received;
        let Some(said) = self.dialect.read(&body) else {
            let said = format!("{path}: not a response of {}: {}", self.dialect.api, start(&body));
            return Err(AskError::Failure(Failure { kind: FailureKind::Unreadable, said }));
        };
        let (text, is_cut) = (said.text, said.is_cut);
        self.cache.put(CacheLine { key, text: text.clone(), usage, calls, is_cut, logprob: None })?;
        Ok(LiveAnswer { text, usage, calls, is_cut, cached: false })
    }

    /// Sends a request, and gives it up if a signal asks to stop.
    fn send(&mut self, arm: Arm, path: &str, body: Bytes) -> Result<Received, AskError> {
        let Self { sender, signals, runtime, .. } = self;
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = signals.stop() => Err(AskError::Stopped),
                received = sender.send(arm, path, body) => received,
            }
        })
    }
}

fn body(dialect: &Dialect, model: &str, item: &EvalItem) -> Value {
    let question = format!("{}\n\n{}", item.question, item.score.wanted());
    dialect.ask(model, &ToolQuestion { question: &question, query: &item.question, result: &item.text })
}
