import * as native from '../native/index.js';

import { ConfigurationError, HeadroomError } from './errors.js';

export { native };

/** Calls the addon, and makes its errors those of this package. */
export function call<T>(work: () => T, kind: typeof HeadroomError = HeadroomError): T {
  try {
    return work();
  } catch (error) {
    throw translated(error, kind);
  }
}

/** Awaits the addon, and makes its errors those of this package. */
export async function later<T>(work: () => Promise<T>, kind: typeof HeadroomError = HeadroomError): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translated(error, kind);
  }
}

function translated(error: unknown, kind: typeof HeadroomError): unknown {
  if (!(error instanceof Error)) return error;
  const code = (error as { code?: unknown }).code;
  if (code === 'InvalidArg') return new ConfigurationError(error.message);
  return code === 'GenericFailure' ? new kind(error.message) : error;
}
