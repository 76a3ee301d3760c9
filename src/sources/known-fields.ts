import type { Location } from '../../pipelines/model/index.ts';
import { contentType } from '../lib/content-type.ts';

/**
 * The header fields that the catalog knows of content at a URL: its media type, by the path. An
 * HTTP server may not send one. For a file the fields are made when it is opened.
 */
export const knownFields = (url: string, path: string): Pick<Location, 'headers'> =>
  /^https?:/i.test(url) ? { headers: [['Content-Type', contentType(path)]] } : {};
