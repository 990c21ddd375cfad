import { engineOr } from './default.js';
import type { Engine } from './engine.js';
import { checkOptions } from './errors.js';
import { compressPrompt } from './prompt.js';
import { headroomTools } from './tools.js';

/** Settings of the processor. */
export interface ProcessorOptions {
  /** The engine; by default the one that all functions of the package share. */
  engine?: Engine;
}

/** The tools of one step of an agent. */
interface StepTools {
  tools?: Record<string, unknown>;
  activeTools?: string[];
}

/** An input processor for agents of Mastra. */
export interface HeadroomProcessor {
  readonly id: 'headroom';
  readonly name: string;
  processInputStep(step: StepTools & { toolChoice?: unknown; state: Record<string, unknown> }): StepTools | undefined;
  processLLMRequest<Prompt extends unknown[]>(call: {
    prompt: Prompt;
    model: { modelId: string };
    state: Record<string, unknown>;
  }): Promise<{ prompt: Prompt } | undefined>;
}

/**
 * Returns a processor for agents of Mastra, 1.33 or newer, which makes the tool results smaller that the model sees. Messages and memory
 * stay whole. The agent gets one tool more, `headroom_retrieve`, with which the model reads what was left out.
 *
 * Put it last, so that it sees the prompt as it is sent.
 *
 * ```ts
 * const agent = new Agent({ id: 'a', name: 'a', instructions, model, tools, inputProcessors: [headroomProcessor()] });
 * ```
 */
export function headroomProcessor(options: ProcessorOptions = {}): HeadroomProcessor {
  checkOptions(options, ['engine']);
  const engine = engineOr(options.engine);
  const own: Record<string, unknown> = engine.retrieval === 'off' ? {} : { ...headroomTools({ engine }) };
  return {
    id: 'headroom',
    name: 'Headroom',
    processInputStep({ tools, activeTools, toolChoice, state }) {
      const step: StepTools = { tools: { ...tools, ...own } };
      if (activeTools) step.activeTools = [...activeTools, ...Object.keys(own)];
      // The next method does not see them.
      const names = step.activeTools ?? Object.keys(step.tools ?? {});
      state['tools'] = names.map((name) => ({ name }));
      state['toolChoice'] = typeof toolChoice === 'string' ? { type: toolChoice } : toolChoice;
      return Object.keys(own).length > 0 ? step : undefined;
    },
    async processLLMRequest({ prompt, model, state }) {
      const { tools, toolChoice } = state;
      const made = await compressPrompt(engine, prompt, { model: model.modelId, tools, toolChoice });
      return made === prompt ? undefined : { prompt: made as typeof prompt };
    },
  };
}
