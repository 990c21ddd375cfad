import { engineOr } from './default.js';
import type { Engine } from './engine.js';
import { call, native } from './native.js';
import type { RetrieveArguments } from './options.js';
import type { ApiName } from './shape.js';

/**
 * Returns the definition of the tool `headroom_retrieve` for the `tools` of a request to this API. Put it into every request of a
 * conversation from the first on, and answer its calls with `headroomRetrieve` or `engine.answer`.
 */
export function retrieveTool(api: ApiName): Record<string, unknown> {
  return JSON.parse(call(() => native.retrieveTool(api))) as Record<string, unknown>;
}

/** A JSON schema in the form of the AI SDK. */
export interface ToolSchema<Input> {
  readonly jsonSchema: Record<string, unknown>;
  readonly validate: (value: unknown) => { success: true; value: Input } | { success: false; error: Error };
}

/** A tool in the form of the AI SDK. */
export interface RetrieveTool {
  description: string;
  inputSchema: any;
  execute: (input: any) => Promise<string>;
}

/**
 * Returns the tool with which a model of the AI SDK retrieves what was left out, to spread into `tools`. The AI SDK runs it.
 *
 * ```ts
 * generateText({ model, tools: { ...tools, ...headroomTools() } })
 * ```
 */
export function headroomTools(options: { engine?: Engine } = {}): { headroom_retrieve: RetrieveTool } {
  const engine = engineOr(options.engine);
  const { description, input_schema: schema } = retrieveTool('anthropic') as {
    description: string;
    input_schema: Record<string, unknown>;
  };
  return {
    headroom_retrieve: {
      description,
      inputSchema: schemaOf(schema),
      execute: (input: RetrieveArguments) => engine.answer(input),
    },
  };
}

/** Marks a schema as the AI SDK's own function does. */
function schemaOf(jsonSchema: Record<string, unknown>): ToolSchema<RetrieveArguments> {
  const validate: ToolSchema<RetrieveArguments>['validate'] = (value) => {
    const isAsked = typeof value === 'object' && value !== null && typeof (value as { hash?: unknown }).hash === 'string';
    return isAsked
      ? { success: true, value: value as RetrieveArguments }
      : { success: false, error: new TypeError('headroom_retrieve needs hash, a string') };
  };
  // Version 5 asks for the second mark, too.
  const marks = { [Symbol.for('vercel.ai.schema')]: true, [Symbol.for('vercel.ai.validator')]: true, _type: undefined };
  return { ...marks, jsonSchema, validate };
}
