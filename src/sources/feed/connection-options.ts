import type { SecureContext } from 'node:tls';
import type { Access } from '../../../pipelines/model/index.ts';

/** The parameters of a connection. */
export interface ConnectionOptions {
  readonly secureContext: SecureContext;
  readonly access: Access;
  /** Milliseconds, including the TLS handshake. */
  readonly connectTimeout: number;
  /** Milliseconds that an unused connection is kept. */
  readonly idleTimeout: number;
}
