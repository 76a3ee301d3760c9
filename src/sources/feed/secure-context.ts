import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { type Access, StreamError } from '../../../pipelines/model/index.ts';
import { messageOf } from '../../lib/thrown.ts';

/**
 * The TLS identity and trust of a source, parsed once for all its connections. A given CA replaces
 * Node's own store and NODE_EXTRA_CA_CERTS. Throws SOURCE_BROKEN for unusable PEM texts.
 */
export const secureContextOf = ({ ca, clientCert, clientKey }: Access): SecureContext => {
  if (ca !== undefined) checkAuthorities(ca);
  if (clientCert !== undefined && clientKey === undefined) throw broken('the client certificate has no private key');
  // Pulp's rule: a client certificate is used only together with its key.
  const client = clientCert !== undefined && clientKey !== undefined ? { cert: clientCert, key: clientKey } : {};
  try {
    return createSecureContext({ ca, ...client });
  } catch (error) {
    throw broken(`the client certificate and key cannot be used: ${messageOf(error)}`, error);
  }
};

/**
 * OpenSSL skips the unreadable parts of a CA text, and would then trust nothing without reporting
 * why.
 */
const checkAuthorities = (ca: string): void => {
  const blocks = ca.match(/-----BEGIN (TRUSTED )?CERTIFICATE-----[^-]*-----END (TRUSTED )?CERTIFICATE-----/g);
  if (!blocks) throw broken('the CA text holds no PEM certificate');
  try {
    for (const block of blocks) new X509Certificate(block);
  } catch (error) {
    throw broken(`the CA text holds a certificate that cannot be read: ${messageOf(error)}`, error);
  }
};

const broken = (what: string, cause?: unknown): StreamError =>
  new StreamError('SOURCE_BROKEN', 'feed', what, { cause });
