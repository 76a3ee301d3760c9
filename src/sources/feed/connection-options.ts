import type { SecureContext } from 'node:tls';
import type { Access } from '../../../pipelines/model/index.ts';
import type { Reach } from './reach.ts';

/** The parameters of a connection. */
export interface ConnectionOptions {
  readonly secureContext: SecureContext;
  readonly access: Access;
  readonly reach: Reach;
  /** The host that the operator named, if the feed has led from there. See `Reach`. */
  readonly home?: string;
  /** Milliseconds, including the TLS handshake. */
  readonly connectTimeout: number;
  /** Milliseconds that an unused connection is kept. */
  readonly idleTimeout: number;
}
