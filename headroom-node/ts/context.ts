import { engineOr } from './default.js';
import type { Engine } from './engine.js';
import { checkOptions } from './errors.js';
import type { Retrieval } from './options.js';

/** Settings of a context. */
export interface SharedContextOptions {
  /** The model that reads the texts; tokens are counted by its tokenizer. */
  model?: string;
  /** Seconds after which an entry is dropped. Default: an hour. */
  ttl?: number;
  /** How many entries there may be; the oldest is dropped first. Default: 100. */
  maxEntries?: number;
  /** Whether readers can call `headroom_retrieve`. Default: `off`, so that nothing is left out. */
  retrieval?: Retrieval;
  engine?: Engine;
}

/** A shared text. */
export interface ContextEntry {
  key: string;
  original: string;
  compressed: string;
  originalTokens: number;
  compressedTokens: number;
  agent: string | null;
  /** Milliseconds since 1970. */
  timestamp: number;
  transforms: string[];
  /** The share of the tokens that was saved, in per cent. */
  savingsPercent: number;
}

/** Sums over the entries of a context. */
export interface SharedContextStats {
  entries: number;
  totalOriginalTokens: number;
  totalCompressedTokens: number;
  totalTokensSaved: number;
  savingsPercent: number;
}

/** Shares texts between agents: one puts a long result, others get it small, or whole where they need it. */
export class SharedContext {
  readonly #model: string;
  readonly #ttl: number;
  readonly #maxEntries: number;
  readonly #retrieval: Retrieval;
  readonly #engine: Engine;
  readonly #entries = new Map<string, { expires: number; entry: ContextEntry }>();
  /** The newest put of each key that is under way: a slower one before it must not replace its text. */
  readonly #puts = new Map<string, symbol>();

  constructor(options: SharedContextOptions = {}) {
    checkOptions(options, ['model', 'ttl', 'maxEntries', 'retrieval', 'engine']);
    this.#model = options.model ?? '';
    this.#ttl = (options.ttl ?? 3600) * 1000;
    this.#maxEntries = Math.max(options.maxEntries ?? 100, 0);
    this.#retrieval = options.retrieval ?? 'off';
    this.#engine = engineOr(options.engine);
  }

  /** Puts a text under a key, in place of what was there. */
  async put(key: string, content: string, options: { agent?: string } = {}): Promise<ContextEntry> {
    const put = Symbol(key);
    this.#puts.set(key, put);
    try {
      const result = await this.#engine.compressText(content, { model: this.#model, retrieval: this.#retrieval });
      const entry: ContextEntry = {
        key,
        original: content,
        compressed: result.text,
        originalTokens: result.tokensBefore,
        compressedTokens: result.tokensAfter,
        agent: options.agent ?? null,
        timestamp: Date.now(),
        transforms: result.report.transforms,
        savingsPercent: percent(result.tokensSaved, result.tokensBefore),
      };
      if (this.#puts.get(key) === put) {
        this.#entries.delete(key);
        this.#entries.set(key, { expires: performance.now() + this.#ttl, entry });
        this.#drop();
      }
      return entry;
    } finally {
      if (this.#puts.get(key) === put) this.#puts.delete(key);
    }
  }

  /** Returns the small form of a text, or with `full` the whole; `null` if there is none any more. */
  get(key: string, options: { full?: boolean } = {}): string | null {
    const entry = this.getEntry(key);
    return entry && (options.full ? entry.original : entry.compressed);
  }

  /** Returns the entry under a key. */
  getEntry(key: string): ContextEntry | null {
    this.#drop();
    return this.#entries.get(key)?.entry ?? null;
  }

  /** Returns the keys, the oldest first. */
  keys(): string[] {
    this.#drop();
    return [...this.#entries.keys()];
  }

  /** Returns sums over the entries. */
  stats(): SharedContextStats {
    this.#drop();
    let [totalOriginalTokens, totalCompressedTokens] = [0, 0];
    for (const { entry } of this.#entries.values()) {
      totalOriginalTokens += entry.originalTokens;
      totalCompressedTokens += entry.compressedTokens;
    }
    const totalTokensSaved = totalOriginalTokens - totalCompressedTokens;
    const savingsPercent = percent(totalTokensSaved, totalOriginalTokens);
    return { entries: this.#entries.size, totalOriginalTokens, totalCompressedTokens, totalTokensSaved, savingsPercent };
  }

  /** Drops all entries. */
  clear(): void {
    this.#entries.clear();
    this.#puts.clear();
  }

  #drop(): void {
    const now = performance.now();
    for (const [key, { expires }] of this.#entries) if (expires <= now) this.#entries.delete(key);
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries) break;
      this.#entries.delete(key);
    }
  }
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}
