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
  const { host = '', protocol = '?:' } = parseUrl(url) ?? {};
  return host || protocol.slice(0, -1);
};
