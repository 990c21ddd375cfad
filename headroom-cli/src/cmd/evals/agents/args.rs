use std::{num::NonZeroU32, path::PathBuf};

use crate::config::Base;

pub(crate) const EXAMPLES: &str = "\
Each task is a folder, a prompt and a check. The agent gets a fresh copy of the folder as its working folder, runs twice \
(without and with Headroom, in alternating order), and afterwards the check runs there: exit status 0 means solved. Both runs \
go through a proxy inside this process, which passes everything on untouched without Headroom, so that both are billed by the \
same counts of the provider. The report compares solved tasks and dollars, each with a 95 % interval, and says in plain words \
what that shows.

The list of tasks is a TOML file:
  [[task]]
  name = \"orders\"                  # letters, digits, '-', '_' and '.'
  folder = \"orders\"                # copied for each run; relative to this file
  prompt = \"Find out why orders fail, and repair it.\"
  check = \"python3 -m pytest -q\"   # run by sh in the copy; must fail before the agent has run
  timeout = 900                    # seconds, in place of --timeout

The agent's command is run by sh with the environment of this process and
  TASK_PROMPT            the prompt of the task
  PROXY_URL              the address of the proxy, for agents that need it in an argument
  ANTHROPIC_BASE_URL, ANTHROPIC_API_BASE, OPENAI_BASE_URL, OPENAI_API_BASE, GOOGLE_GEMINI_BASE_URL
                         the same, as agents expect it; what one of them was set to becomes the proxy's upstream, unless
                         --upstream or HEADROOM_*_UPSTREAM is set
Its output is in DIR/logs. A run that takes longer than its time limit is ended and not solved. Runs are kept in \
DIR/runs.jsonl: after Ctrl-C, SIGTERM or a failure there is a report of the finished pairs, and the same command continues.

The agent can do whatever the command lets it do: give it only permissions that you would give it without this command, or \
run all of it in a container.

Examples:
  Claude Code:
    headroom evals agents --tasks tasks.toml \\
      --agent 'claude -p \"$TASK_PROMPT\" --permission-mode acceptEdits --allowedTools Bash'
  Codex, for at most ten dollars:
    headroom evals agents --tasks tasks.toml --budget 10 \\
      --agent 'codex exec --skip-git-repo-check --sandbox workspace-write -c openai_base_url=\"$PROXY_URL/v1\" \"$TASK_PROMPT\"'
  With a server of your own:
    headroom evals agents --tasks tasks.toml --agent './agent.sh' --upstream http://127.0.0.1:11434

Exit status: 0 success, 1 failure or a stop by a signal, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct AgentsArgs {
    /// The list of tasks
    #[arg(long, value_name = "FILE")]
    pub(super) tasks: PathBuf,
    /// The agent's command
    #[arg(long, value_name = "COMMAND")]
    pub(super) agent: String,
    /// Where the agent's requests go [default: where they would go without Headroom]
    #[arg(long, value_name = "URL")]
    pub(super) upstream: Option<Base>,
    /// How long one run may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "1800")]
    pub(super) timeout: NonZeroU32,
    /// Stop before the runs cost more than this many dollars, by the prices of `headroom savings`
    #[arg(long, value_name = "DOLLARS")]
    pub(super) budget: Option<f64>,
    /// Folder for the reports, the agent's output and the finished runs
    #[arg(long, value_name = "DIR", default_value = "headroom-agents")]
    pub(in crate::cmd::evals) out: PathBuf,
    /// Print report.json
    #[arg(long)]
    pub(in crate::cmd::evals) json: bool,
}
