import type { Location, SourceId } from '../../pipelines/model/index.ts';
import { parseUrl } from '../lib/url.ts';

/**
 * The source whose limits and certificates apply to a location: the alternate source that owns its
 * access, otherwise the feed's host.
 */
export const holderOf = ({ url, access }: Location): SourceId =>
  access?.owner?.kind === 'alternate' ? { kind: 'alternate', id: access.owner.id } : { kind: 'feed', id: hostOf(url) };

/** The id of the importer whose access a location has; `''` for any other. */
export const importerOf = ({ access }: Location): string => (access?.owner?.kind === 'importer' ? access.owner.id : '');

/** Host and port of a URL; the scheme if it has none, such as `file`; `?` if it is not a URL. */
export const hostOf = (url: string): string => {
  const origin = ORIGIN.exec(url)?.[0];
  const known = origin === undefined ? undefined : hosts.get(origin);
  if (known !== undefined) return known;
  const { host = '', protocol = '?:' } = parseUrl(url) ?? {};
  const found = host || protocol.slice(0, -1);
  if (host && origin !== undefined && hosts.size < HOSTS) hosts.set(origin, found);
  return found;
};

/** Scheme and authority, up to where a path, query or fragment begins. Plain ones only. */
const ORIGIN = /^https?:\/\/[\w.:-]+(?=[/?#])/;

/** Hosts by origin, read once: a URL is expensive to parse, and feeds are few. */
const hosts = new Map<string, string>();
const HOSTS = 1_000;
