#[cfg(feature = "__tuning")]
use std::num::NonZero;
use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, str::FromStr};

use clap::{Args, Subcommand};
use headroom_core::Api;
use headroom_evals::{SECTIONS, questions};

use super::agents::{self, AgentsArgs};
use crate::config::Base;

pub(crate) const EXAMPLES: &str = "\
--offline, the default, needs no key and no network: it measures tokens, the bill of whole conversations at the prices \
of providers that cache, facts that were used later, planted facts, question sets, whether every line is true, and \
speed. Without --data it uses synthetic data; with a folder of recorded data (`workloads`, `corpora`) it uses that too. \
Nothing is random: two runs on the same data write the same report.json, byte for byte, except for its last part, \
`timings`.

--live asks a model the same questions with and without Headroom, in alternating order, at temperature 0, with \
`headroom_retrieve` answered, and scores the answers by exact match or by a judge. The report compares right answers, input \
tokens and dollars, each with a 95 % interval, and says in plain words what that shows. The margin is fixed in advance. \
Questions without an answer (too long for the model, no answer in time, ...) are counted apart and never as wrong. Answers \
are kept in DIR/answers.jsonl: after Ctrl-C, SIGTERM or a failure there is a report of what was asked, and the same command \
continues.

--logprobs measures how probable the model holds the reference answer, which shows small differences that right and wrong \
do not. The server must take `grammar` and give `logprobs` with it, as that of llama.cpp does.

Other tools are measured with --compressor:
  NAME=cmd:COMMAND   a command that reads a request and writes one; {fmt} in it becomes anthropic or openai
  NAME=url:BASE      a proxy whose upstream is the address of --capture, where this listens as the provider

Examples:
  Everything that needs no data:
    headroom evals suite
  Everything, on recorded data, beside another tool:
    headroom evals suite --data ../shared --compressor 'other=cmd:other-tool compress --api {fmt}'
  The bill alone, for a program:
    headroom evals suite --data ../shared --only bill --json
  Answers of a local model, on twenty questions of each set:
    headroom evals suite --live --data ../shared --upstream http://127.0.0.1:11434 --model qwen3 --items 20
  A small model with a small context, and its log-probabilities:
    headroom evals suite --live --upstream http://127.0.0.1:8080 --model small --set short-rows --items 200 \
      --answer-tokens 32 --logprobs
  A provider's model, for at most three dollars:
    ANTHROPIC_API_KEY=... headroom evals suite --live --model claude-haiku-4-5 --items 100 --budget 3

Exit status: 0 success, 1 failure, a stop by a signal or, with --check, a missed goal, 2 wrong usage.";

/// Measures savings and answer quality.
#[derive(Debug, Subcommand)]
pub(crate) enum EvalsCommand {
    /// Measure, and write report.md, report.json and report.html
    #[command(after_help = EXAMPLES)]
    Suite(Box<SuiteArgs>),
    /// Run an agent on tasks of your own with and without Headroom, and compare dollars and solved tasks
    #[command(after_help = agents::EXAMPLES)]
    Agents(Box<AgentsArgs>),
    /// Measure what half and double of each number by which the engine chooses would change
    #[cfg(feature = "__tuning")]
    #[command(after_help = TUNING_EXAMPLES)]
    Tuning(TuningArgs),
}

#[cfg(feature = "__tuning")]
pub(crate) const TUNING_EXAMPLES: &str = "\
Every input is one request: every fifth file of each folder of `corpora`, as the result of a call, the last request of every \
fifth recorded conversation, `workloads`, and output that is made here. Savings are in points of percent of all tokens.

Examples:
  All numbers, on recorded data:
    headroom evals tuning --data ../shared
  One group and one number, for a program:
    headroom evals tuning --data ../shared --only log --only json.min_bytes --json";

#[cfg(feature = "__tuning")]
#[derive(Debug, Args)]
pub(crate) struct TuningArgs {
    /// Folder of recorded data [default: $HEADROOM_SHARED, else none]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Only this number, or the numbers of this group; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(super) only: Vec<String>,
    /// Threads [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<NonZero<usize>>,
    /// List the numbers with their defaults, units and effects, and measure nothing
    #[arg(long)]
    pub(super) list: bool,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SuiteArgs {
    /// Measure what needs no model (the default)
    #[arg(long)]
    pub(super) offline: bool,
    /// Ask a model
    #[arg(long, conflicts_with = "offline")]
    pub(super) live: bool,
    /// Folder of recorded data [default: $HEADROOM_SHARED, else none]
    #[arg(long, value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// Folder for the reports
    #[arg(long, value_name = "DIR", default_value = "headroom-evals")]
    pub(super) out: PathBuf,
    /// Only this section; may be given more than once
    #[arg(long, value_name = "SECTION", value_parser = SECTIONS)]
    pub(super) only: Vec<String>,
    /// Use a small sample, to try it out
    #[arg(long)]
    pub(super) quick: bool,
    /// Another tool to measure: NAME=cmd:COMMAND or NAME=url:BASE; may be given more than once
    #[arg(long, value_name = "NAME=KIND:WHAT")]
    pub(super) compressor: Vec<Peer>,
    /// Address on which this listens as the provider for tools that are proxies
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8790")]
    pub(super) capture: SocketAddr,
    /// Omit speed, so that the whole report is the same everywhere
    #[arg(long)]
    pub(super) no_timings: bool,
    /// Also write a report without quotes from the data, for publication
    #[arg(long, value_name = "FILE")]
    pub(super) publish: Option<PathBuf>,
    /// Fail if a goal is missed
    #[arg(long)]
    pub(super) check: bool,
    /// Print report.json
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) model: LiveArgs,
}

/// Arguments for `--live`.
#[derive(Debug, Args)]
#[command(next_help_heading = "With --live")]
pub(super) struct LiveArgs {
    /// The model that answers
    #[arg(long, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// A server, such as a local one [default: the provider's; keys are taken from OPENAI_API_KEY, ANTHROPIC_API_KEY
    /// and GEMINI_API_KEY]
    #[arg(long, value_name = "URL")]
    pub(super) upstream: Option<Base>,
    /// The API of the server: anthropic, openai (Chat Completions), responses or gemini [default: anthropic for claude-*,
    /// gemini for gemini-*, else openai]
    #[arg(long, value_name = "API", value_parser = parse_api)]
    pub(super) api: Option<Api>,
    /// Model on the same server that judges answers that need not match word for word [default: the model itself]
    #[arg(long, value_name = "NAME")]
    pub(super) judge: Option<String>,
    /// At most this many questions of each set
    #[arg(long, value_name = "N", default_value = "25")]
    pub(super) items: usize,
    /// Only this set of questions; may be given more than once [default: all but the short ones, which are for models with
    /// a small context]
    #[arg(long, value_name = "SET", value_parser = questions::SETS)]
    pub(super) set: Vec<String>,
    /// Only questions about texts of at most this many tokens, by `o200k_base`
    #[arg(long, value_name = "N")]
    pub(super) max_item_tokens: Option<usize>,
    /// The most tokens of one answer, thinking included
    #[arg(long, value_name = "N", default_value = "2048")]
    pub(super) answer_tokens: NonZeroU32,
    /// How long one answer may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "600")]
    pub(super) timeout: NonZeroU32,
    /// Also measure the log-probability of the reference answer
    #[arg(long)]
    pub(super) logprobs: bool,
    /// Stop before the answers cost more than this many dollars, by the prices of `headroom savings`
    #[arg(long, value_name = "DOLLARS")]
    pub(super) budget: Option<f64>,
    /// How many points of accuracy answers with Headroom may lose
    #[arg(long, value_name = "POINTS", default_value = "2.0")]
    pub(super) margin: f64,
}

fn parse_api(text: &str) -> Result<Api, String> {
    let api = text.parse::<Api>().ok().filter(|api| *api != Api::Converse);
    api.ok_or_else(|| "expected anthropic, openai, responses or gemini".to_owned())
}

/// Another tool to measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Command(String),
    Proxy(Base),
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const EXPECTED: &str = "expected NAME=cmd:COMMAND or NAME=url:BASE";
        let (name, what) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(EXPECTED)?;
        let kind = match what.split_once(':') {
            Some(("cmd", command)) if !command.trim().is_empty() => Kind::Command(command.to_owned()),
            Some(("url", base)) => Kind::Proxy(base.parse().map_err(|error| format!("{base}: {error}"))?),
            _ => return Err(EXPECTED.to_owned()),
        };
        Ok(Self { name: name.to_owned(), kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_is_a_command_or_a_proxy() {
        let peer: Peer = "other=cmd:tool --a=b {fmt}".parse().unwrap();
        assert_eq!((&*peer.name, peer.kind), ("other", Kind::Command("tool --a=b {fmt}".to_owned())));
        assert!(matches!("p=url:http://127.0.0.1:9".parse::<Peer>().unwrap().kind, Kind::Proxy(_)));
        for wrong in ["", "a", "=cmd:x", "a=cmd:", "a=x:y", "a=url:no"] {
            assert!(wrong.parse::<Peer>().is_err(), "{wrong}");
        }
    }
}
