import { ConfigurationError, StoreError, checkOptions } from './errors.js';
import { call, later, native } from './native.js';

/** How long and how much a store keeps. */
export interface StoreOptions {
  /** Its size in bytes, above which what was unused for longest is dropped. */
  capacity?: number;
  /** The seconds after which an original that was unused is dropped. */
  timeToIdle?: number;
}

/** Settings of a store on a server. */
export interface RedisStoreOptions {
  /** What its keys begin with. Default: `headroom`. */
  prefix?: string;
  /** The seconds after which an original that was unused is dropped. Default: a week. */
  timeToIdle?: number;
  /** The seconds to wait for the server. Default: 1. */
  timeout?: number;
}

const HOUR = 3600;

/** A store of originals: what markers stand for. Engines may share one. */
export abstract class Store {
  /** @internal */
  readonly native: native.Store;

  /** @internal */
  protected constructor(open: () => native.Store) {
    this.native = call(open, StoreError);
  }

  /** Stores a text, and returns its handle. */
  put(text: string, options: { tenant?: string } = {}): Promise<string> {
    return later(() => this.native.put(text, options.tenant ?? 'local'), StoreError);
  }

  /** Returns the whole original, byte for byte, or `null` if this tenant has none with that handle. */
  get(handle: string, options: { tenant?: string } = {}): Promise<string | null> {
    return later(() => this.native.get(handle, options.tenant ?? 'local'), StoreError);
  }
}

/** Stores originals in this process's memory: 256 MiB, for a day. */
export class MemoryStore extends Store {
  constructor(options: StoreOptions = {}) {
    checkOptions(options, ['capacity', 'timeToIdle']);
    const { capacity = 256 * 2 ** 20, timeToIdle = 24 * HOUR } = options;
    super(() => native.Store.memory(capacity, timeToIdle));
  }
}

/** Stores originals in a folder that all Headroom programs of a user share: 2 GiB, for 30 days. */
export class FolderStore extends Store {
  /** The folder. */
  readonly path: string;

  /** Creates a store in this folder; by default the one of the `headroom` program. */
  constructor(path?: string, options: StoreOptions = {}) {
    checkOptions(options, ['capacity', 'timeToIdle']);
    const { capacity = 2 * 2 ** 30, timeToIdle = 30 * 24 * HOUR } = options;
    const folder = path ?? native.defaultFolder();
    if (!folder) throw new ConfigurationError('there is no HOME; give FolderStore a path');
    super(() => native.Store.folder(folder, capacity, timeToIdle));
    this.path = folder;
  }

  /** Returns the whole original, whichever tenant stored it: also what the proxy elided. */
  find(handle: string): Promise<string | null> {
    return later(() => this.native.find(handle), StoreError);
  }
}

/** Stores originals on a Redis or Valkey server. */
export class RedisStore extends Store {
  /** Creates a store on this server, such as `redis://127.0.0.1:6379`. It connects on first use. */
  constructor(url: string, options: RedisStoreOptions = {}) {
    checkOptions(options, ['prefix', 'timeToIdle', 'timeout']);
    const { prefix = 'headroom', timeToIdle = 7 * 24 * HOUR, timeout = 1 } = options;
    super(() => native.Store.redis(url, prefix, timeToIdle, timeout));
  }
}
