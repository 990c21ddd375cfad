pub(crate) const EXAMPLES: &str = "\
The path selects the upstream: /v1/messages and /api/* go to Anthropic, /v1beta/* and /v1/models/MODEL:METHOD to \
Gemini, /model/* to Bedrock, /v1/projects/* to Vertex AI, everything else to OpenAI. On other shared paths, such as \
/v1/models, requests with the header `anthropic-version` or `x-goog-api-key` go to that provider. An upstream may have a \
path; if it ends in the version (/v1) that the request's path starts with, the version is not repeated.

Clients send their own keys, which pass through; the proxy keeps none. Requests signed for AWS (SigV4) pass unchanged, but \
AWS refuses them because the signature covers another host: use a bearer key with Bedrock, or --bedrock-sign. That \
replaces the client's signature, after the rewrite, by one with the credentials from AWS_* variables, ~/.aws/credentials \
or a credential_process; AWS_PROFILE selects a profile. Anyone who can reach the proxy can use them. No server is asked \
for credentials.

The model retrieves elided content by a tool that the proxy adds to requests of agents and answers itself (`--retrieval \
server-tool`). With `--retrieval file`, no tool is added: markers name plain-text files, which agents read with their \
own tools. These files hold the originals in clear, readable for you alone, for 30 days after their last use, 1 GiB at \
most. Agents ask before they read outside of their project, unless the folder is allowed (for Claude Code: --add-dir). \
Requests from other machines, and forwarded ones, get the tool instead.

On SIGHUP the proxy reads the configuration file again: upstreams, log and drain_seconds change for new requests; \
everything else needs a restart.

Upstreams with https are reached through the proxy in HTTPS_PROXY or ALL_PROXY (http://HOST:PORT), unless NO_PROXY \
exempts them.

The proxy's own routes, which go to no provider:
  GET  /livez, /readyz         whether it runs
  GET  /v1/retrieve/HASH       an original; ?lines=, rows=, path=, query=, max_bytes= for a part
  POST /v1/compress            {\"model\", \"messages\"} in, smaller messages and token counts out
  GET  /stats, /metrics        activity, as JSON and for Prometheus
  GET  /dashboard              the page that `headroom dashboard` opens
All but the first and the page, which contains no data by itself, need the token in the file `token` in $HEADROOM_HOME, \
$XDG_DATA_HOME/headroom or ~/.headroom, or in that of --token-file, as `authorization: Bearer TOKEN` or `x-headroom-token: TOKEN`. If other machines \
can reach the --listen address, every request needs it, as `x-headroom-token`. \
--tls-cert and --tls-key keep it from being read on the way; clients on this machine may still use http://.

Headers set what holds for one request, from callers on this machine and those with the token: x-headroom-bypass: true \
sends it as it came; x-headroom-tier, -epochs and -retrieval have the values of the flags; x-headroom-tenant, with the token \
only, names whose the originals are. Send the same with every request of a conversation.

Examples:
  Claude Code:
    headroom proxy &
    ANTHROPIC_BASE_URL=http://127.0.0.1:8787 claude
  Clients of the OpenAI and the Gemini API:
    OPENAI_BASE_URL=http://127.0.0.1:8787/v1 ...
    GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787 ...
  Codex, in ~/.codex/config.toml:
    openai_base_url = \"http://127.0.0.1:8787/v1\"
  An OpenAI-compatible server, OpenRouter, Azure:
    headroom proxy --openai-upstream http://127.0.0.1:11434
    headroom proxy --openai-upstream https://openrouter.ai/api/v1
    headroom proxy --openai-upstream https://RESOURCE.openai.azure.com
  The same in the configuration file:
    openai_upstream = \"http://127.0.0.1:11434\"
  The same as a variable:
    HEADROOM_OPENAI_UPSTREAM=http://127.0.0.1:11434 headroom proxy
  Several proxies that share a Redis or Valkey server, and a token:
    HEADROOM_STORE=rediss://:PASSWORD@HOST:6379 headroom proxy --listen 0.0.0.0:8787 --token-file ./token
  Over TLS:
    headroom proxy --listen 0.0.0.0:8787 --tls-cert cert.pem --tls-key key.pem

Exit status: 0 ended by a signal, 1 cannot listen or start, 2 wrong usage or configuration.";
