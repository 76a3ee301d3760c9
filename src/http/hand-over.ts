import { isAbsolute, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Header, type Location, type StreamRequest, trimBlanks } from '../../pipelines/model/index.ts';
import { matcher } from '../lib/networks.ts';
import { type Asking, peerAddress } from './client-address.ts';

/**
 * Decides whether the peer of a request sends files itself, and how it is pointed to one. It must be
 * one of these proxies, ask for it as `Rack::Sendfile` has it asked, and be the last intermediary:
 * a cache between would keep the pointer.
 *
 * - `X-Sendfile-Type: X-Accel-Redirect` with `X-Accel-Mapping: FOLDER=LOCATION` (several separated
 *   by commas), for nginx: files below the folder are named by the location. `Via` ends with `nginx`.
 * - `X-Sendfile-Type: X-Sendfile`, for Apache and lighttpd: files are named by their path. There is
 *   no `Via`.
 */
export const handOverTo = (proxies: readonly string[]): ((asking: Asking) => StreamRequest['handOver']) => {
  const isProxy = matcher(proxies);
  return (asking) => {
    const { headers } = asking;
    const type = headers['x-sendfile-type']?.toString().toLowerCase();
    if (type === undefined || !isProxy(peerAddress(asking))) return undefined;
    if (type === 'x-sendfile' && headers.via === undefined)
      return (file) => named('X-Sendfile', pathOf(file), (path) => path);
    if (type !== 'x-accel-redirect' || !NGINX.test(lastOf(headers.via ?? ''))) return undefined;
    const mappings = mappingsIn(headers['x-accel-mapping']?.toString() ?? '');
    return (file) => named('X-Accel-Redirect', pathOf(file), (path) => mapped(path, mappings));
  };
};

/** The member of `Via` that nginx adds. */
const NGINX = /^[^ \t]+[ \t]+nginx$/;

const lastOf = (list: string): string => trimBlanks(list, list.lastIndexOf(',') + 1);

const named = (
  name: string,
  path: string | undefined,
  place: (path: string) => string | undefined,
): Header | undefined => {
  const found = path && place(path);
  // The receiver decodes it.
  return found ? [name, found.split('/').map(encodeURIComponent).join('/')] : undefined;
};

/** The path of a file, without `..`; undefined if it is not on disk. The source checks that it is in its root. */
const pathOf = ({ url }: Location): string | undefined => {
  if (isAbsolute(url)) return normalize(url);
  try {
    return /^file:/i.test(url) ? normalize(fileURLToPath(url)) : undefined;
  } catch {
    // The source fails with it, and names it.
    return undefined;
  }
};

interface Mapping {
  readonly folder: string;
  readonly location: string;
}

const mappingsIn = (text: string): readonly Mapping[] =>
  text.split(',').flatMap((one) => {
    const [folder = '', location = '', ...more] = one.split('=').map((part) => trimBlanks(part));
    const usable = isAbsolute(folder) && location.startsWith('/') && more.length === 0;
    return usable ? [{ folder: withSlash(folder), location: withSlash(location) }] : [];
  });

const mapped = (path: string, mappings: readonly Mapping[]): string | undefined => {
  const mapping = mappings.find(({ folder }) => path.startsWith(folder));
  return mapping && mapping.location + path.slice(mapping.folder.length);
};

const withSlash = (path: string): string => (path.endsWith('/') ? path : `${path}/`);
