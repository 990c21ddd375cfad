import { tool, type AgentInputItem, type CallModelInputFilter, type FunctionTool } from '@openai/agents';

import { engineOr } from './default.js';
import type { Engine } from './engine.js';
import { checkOptions } from './errors.js';
import { isRecord } from './shape.js';
import { retrieveTool } from './tools.js';

/** Settings of the filter and of the tool. */
export interface AgentsOptions {
  /** The engine; by default the one that all functions of the package share. */
  engine?: Engine;
}

/**
 * Returns a filter for runs of OpenAI's Agents SDK, which makes the outputs of tools smaller in the input of each model call. Items keep
 * their number, order and ids; those without a change are the same objects.
 *
 * To let parts be left out, give the agent the tool that shows them: `tools: [...tools, headroomTool()]`.
 *
 * ```ts
 * await run(agent, 'Why?', { callModelInputFilter: headroomInputFilter() });
 * ```
 */
export function headroomInputFilter(options: AgentsOptions = {}): CallModelInputFilter {
  checkOptions(options, ['engine']);
  const engine = engineOr(options.engine);
  const filter: CallModelInputFilter = async ({ modelData, agent }) => {
    const { tools, model, modelSettings } = agent;
    const input = await compressItems(modelData.input, {
      engine,
      model: typeof model === 'string' ? model : '',
      tools: tools.map(({ name }) => ({ type: 'function', name })),
      toolChoice: choiceOf(modelSettings.toolChoice),
    });
    return input === modelData.input ? modelData : { ...modelData, input };
  };
  // What it is given is not changed, so it needs no copies.
  return Object.assign(filter, { preserveInputIdentity: true });
}

/** Returns the tool `headroom_retrieve` for agents of OpenAI's Agents SDK. */
export function headroomTool(options: AgentsOptions = {}): FunctionTool<any, any, string> {
  checkOptions(options, ['engine']);
  const engine = engineOr(options.engine);
  const { name, description, parameters } = retrieveTool('responses') as {
    name: string;
    description: string;
    parameters: Parameters<typeof tool>[0]['parameters'];
  };
  const execute = (args: unknown): Promise<string> => engine.answer(args as object);
  return tool({ name, description, parameters: parameters as never, strict: false, execute });
}

/** What a call of a model has besides its items. */
interface ItemsHead {
  engine: Engine;
  model: string;
  tools: unknown[];
  toolChoice: unknown;
}

/** Compresses the outputs of tools in items, in the shape in which the SDK sends them. */
async function compressItems(items: AgentInputItem[], { engine, ...head }: ItemsHead): Promise<AgentInputItem[]> {
  const shaped = items.map(shapeOf);
  const result = await engine.compress(shaped, { ...head, api: 'responses' });
  if (!result.compressed) return items;
  return items.map((item, index) => {
    const made = result.messages[index];
    return made && made !== shaped[index] ? (withOutput(item as Item, made['output']) as AgentInputItem) : item;
  });
}

type Item = Record<string, unknown>;

/** Returns an item as it is sent to the Responses API, as far as it says something about outputs of tools. */
function shapeOf(given: AgentInputItem): Item {
  const item = given as Item;
  const { type = 'message', role, content, name, arguments: args, status } = item;
  const call = { type, call_id: item['callId'], status };
  switch (type) {
    case 'message':
      return { type, role, content };
    case 'function_call':
      return { ...call, name, arguments: args };
    case 'function_call_result':
      return { ...call, type: 'function_call_output', output: outputOf(item['output']) };
    case 'shell_call':
      return { ...call, action: actionOf(item['action']) };
    case 'apply_patch_call':
      return { ...call, operation: item['operation'] };
    case 'shell_call_output':
    case 'apply_patch_call_output':
      return { ...call, output: item['output'] };
    default:
      return { type };
  }
}

function actionOf(action: unknown): unknown {
  if (!isRecord(action)) return action;
  const { commands, timeoutMs = null, maxOutputLength = null } = action;
  return { commands, timeout_ms: timeoutMs, max_output_length: maxOutputLength };
}

function outputOf(output: unknown): unknown {
  return isRecord(output) ? output['text'] : output;
}

/** Returns an item with another output, which has the texts of the one that was made. */
function withOutput(item: Item, made: unknown): Item {
  const { output } = item;
  return { ...item, output: isRecord(output) ? { ...output, text: made } : made };
}

/** Returns a tool choice as it is sent: a name stands for that tool. */
function choiceOf(choice: string | undefined): unknown {
  return choice === undefined || ['auto', 'required', 'none'].includes(choice) ? choice : { type: 'function', name: choice };
}
