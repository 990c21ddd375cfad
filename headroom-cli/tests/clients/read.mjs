// What the official SDKs make of answers: one line for each, with all that it says.
//
// Usage: read.mjs BASE_URL OUTPUT, where Node finds the SDKs.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , base, path] = process.argv;
const require = createRequire(`${process.cwd()}/`);
const Anthropic = require("@anthropic-ai/sdk").default;
const OpenAI = require("openai").default;
const output = readFileSync(path, "utf8");
const system = "You look after a shop. ".repeat(150);
const schema = { type: "object", properties: { command: { type: "string" } } };
const models = ["ends", "mixed", "goes-on"];
const show = (api, model, mode, parts) => console.log([`${api} ${model} ${mode}`, ...parts].join(" | "));

const block = (block) => {
  if (block.type === "thinking") return `thinking ${block.thinking} ${block.signature}`;
  if (block.type === "text") return `text ${block.text}`;
  return `call ${block.name} ${JSON.stringify(block.input)}`;
};
const anthropic = new Anthropic({ baseURL: base, apiKey: "sk-ant-dummy", maxRetries: 0 });
for (const model of models) {
  const use = { type: "tool_use", id: "t1", name: "Bash", input: { command: "./report.sh" } };
  const request = {
    model,
    max_tokens: 4000,
    system,
    tools: [{ name: "Bash", description: "Runs a command.", input_schema: schema }],
    messages: [
      { role: "user", content: "Why?" },
      { role: "assistant", content: [use] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "t1", content: output }] },
    ],
  };
  show("anthropic", model, "plain", (await anthropic.messages.create(request)).content.map(block));
  show("anthropic", model, "stream", (await anthropic.messages.stream(request).finalMessage()).content.map(block));
}

const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey: "sk-dummy", maxRetries: 0 });
for (const model of models) {
  const definition = { name: "shell", description: "Runs a command.", parameters: schema };
  const call = { name: "shell", arguments: '{"command":"./report.sh"}' };
  const request = {
    model,
    tools: [{ type: "function", function: definition }],
    messages: [
      { role: "system", content: system },
      { role: "user", content: "Why?" },
      { role: "assistant", content: null, tool_calls: [{ id: "t1", type: "function", function: call }] },
      { role: "tool", tool_call_id: "t1", content: output },
    ],
  };
  const said = ({ role, content, tool_calls }) => [
    `${role} ${content}`,
    ...(tool_calls ?? []).map((call) => `call ${call.function.name} ${call.function.arguments}`),
  ];
  const whole = await openai.chat.completions.create(request);
  show("chat", model, "plain", said(whole.choices[0].message));
  const streamed = await openai.chat.completions.stream(request).finalChatCompletion();
  show("chat", model, "stream", said(streamed.choices[0].message));

  const asked = {
    model,
    instructions: system,
    store: false,
    tools: [{ type: "function", ...definition }],
    input: [
      { role: "user", content: "Why?" },
      { type: "function_call", call_id: "t1", ...call },
      { type: "function_call_output", call_id: "t1", output },
    ],
  };
  const item = (item) => {
    if (item.type === "reasoning") return `reasoning ${item.encrypted_content}`;
    if (item.type === "message") return `text ${item.content[0].text}`;
    return `call ${item.name} ${item.arguments}`;
  };
  show("responses", model, "plain", (await openai.responses.create(asked)).output.map(item));
  show("responses", model, "stream", (await openai.responses.stream(asked).finalResponse()).output.map(item));
}
