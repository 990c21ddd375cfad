// A provider by aimock, whose model runs a report, asks for what was set aside of it, runs the report again and then
// answers. It is busy the first time that it is asked to go on from what it had asked for.
//
// Usage: provider.mjs PORT LOG, where Node finds aimock. LOG gets a line for each request: what the model could call,
// what it had called, what it was told last, and what it says.
import { appendFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , port, log] = process.argv;
const require = createRequire(`${process.cwd()}/`);
const { LLMock } = require("@copilotkit/aimock");

const OURS = "headroom_retrieve";
const SHELLS = {
  exec_command: { cmd: "./report.sh" },
  shell_command: { command: "./report.sh" },
  shell: { command: ["sh", "-c", "./report.sh"] },
  run_shell_command: { command: "./report.sh", description: "Runs the report" },
};
let busy = true;

function say(tools, called, text) {
  const shell = Object.keys(SHELLS).find((name) => tools.includes(name));
  // What an agent asks on its own behalf, such as which model to use.
  if (!shell) return { content: JSON.stringify({ reasoning: "simple", model_choice: "flash", next_speaker: "user" }) };
  if (!called.includes(shell)) return { toolCalls: [{ name: shell, arguments: SHELLS[shell] }] };
  const marker = /\[headroom:([a-z2-7]{16}) /.exec(text);
  if (marker && tools.includes(OURS) && !called.includes(OURS)) {
    return { content: "Let me look closer.", toolCalls: [{ name: OURS, arguments: { hash: marker[1], lines: "12-15" } }] };
  }
  if (called.includes(OURS) && busy) {
    busy = false;
    return { error: { message: "busy", type: "rate_limit_error" }, status: 429, retryAfter: 1 };
  }
  if (called.filter((name) => name === shell).length < 2) {
    return { content: "Once more.", toolCalls: [{ name: shell, arguments: SHELLS[shell] }] };
  }
  return { content: "All done." };
}

const mock = new LLMock({ port: Number(port), host: "127.0.0.1", chunkSize: 5 });
mock.on({ predicate: () => true }, ({ messages, tools }) => {
  const names = (tools ?? []).map((tool) => tool.function.name);
  const called = messages.flatMap(({ tool_calls }) => tool_calls ?? []).map((call) => call.function.name);
  const told = messages.at(-1)?.content ?? "";
  const answer = say(names, called, JSON.stringify(messages));
  appendFileSync(log, `${JSON.stringify({ tools: names, called, told, answer })}\n`);
  return answer;
});
await mock.start();
