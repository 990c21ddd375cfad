/** Base of the errors of this package. Only misuse and stores that cannot answer throw: compression itself never does. */
export class HeadroomError extends Error {
  override name = 'HeadroomError';
}

/** A setting has a value that is not accepted. */
export class ConfigurationError extends HeadroomError {
  override name = 'ConfigurationError';
}

/** A store cannot answer. The message holds no content. */
export class StoreError extends HeadroomError {
  override name = 'StoreError';
}

/** Throws for an unknown option: a misspelt one would otherwise have no effect. */
export function checkOptions(options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(`unknown option ${name}; there are ${known.join(', ')}`);
  }
}
