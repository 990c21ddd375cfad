import { engineOr } from './default.js';
import type { Engine } from './engine.js';
import { checkOptions } from './errors.js';
import { compressPrompt } from './prompt.js';

export { headroomTools } from './tools.js';

/** Settings of the middleware. */
export interface MiddlewareOptions {
  /** The engine; by default the one that all functions of the package share. */
  engine?: Engine;
}

/** A middleware for `wrapLanguageModel` of the AI SDK. */
export interface HeadroomMiddleware {
  readonly specificationVersion: 'v3';
  transformParams: <Params extends object>(options: {
    type: 'generate' | 'stream';
    params: Params;
    model: { modelId: string };
  }) => Promise<Params>;
}

/**
 * Returns a middleware for models of the AI SDK, versions 5 to 7, which makes the tool results of every step smaller.
 *
 * Only outputs of tools change, in copies of their messages: provider options, reasoning, files and all else are the same objects. To
 * let parts be left out, give the model the tool that shows them: `tools: { ...tools, ...headroomTools() }`.
 *
 * ```ts
 * const model = wrapLanguageModel({ model: openai('gpt-5'), middleware: headroomMiddleware() });
 * ```
 */
export function headroomMiddleware(options: MiddlewareOptions = {}): HeadroomMiddleware {
  checkOptions(options, ['engine']);
  const engine = engineOr(options.engine);
  return {
    specificationVersion: 'v3',
    transformParams: async ({ params, model }) => {
      const { prompt, tools, toolChoice } = params as { prompt?: unknown; tools?: unknown; toolChoice?: unknown };
      if (!Array.isArray(prompt)) return params;
      const made = await compressPrompt(engine, prompt, { model: model.modelId, tools, toolChoice });
      return made === prompt ? params : { ...params, prompt: made };
    },
  };
}
