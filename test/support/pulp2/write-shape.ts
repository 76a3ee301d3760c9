import { randomUUID } from 'node:crypto';
import { type Document, Int32, ObjectId } from 'mongodb';
import type { Pulp2 } from './pulp2.ts';
import { LATER, SHA256, type Shape, UNIT_KEYS } from './shapes.ts';

interface Places {
  /** The feed's URL, without a slash at its end. */
  readonly feed: string;
  /** The file that the alternate source `disk` offers, as a URL. */
  readonly offered: string;
}

/** A document's usual fields with the unusual ones, without those that it is not to have. */
const shaped = (usual: Document, unusual: Document = {}): Document =>
  Object.fromEntries(Object.entries({ ...usual, ...unusual }).filter(([, value]) => value !== undefined));

/** A unit's key by which nothing else is found. */
const ownKey = (key: Document): Document => {
  const [[name, text] = ['', '']] = Object.entries(key);
  return { ...key, [name]: `${text}-${randomUUID()}` };
};

/** Writes the documents of a unit in its shape; resolves to where clients find the file, and to the unit's id. */
export const writeShape = async (
  pulp: Pulp2,
  shape: Shape,
  { feed, offered }: Places,
): Promise<{ readonly path: string; readonly unit_id: string }> => {
  const { type = 'rpm', file = 'bear.rpm' } = shape;
  const path = `/var/lib/pulp/content/units/${type}/${randomUUID()}/${file}`;
  const unit_id: string = shape.entry?.unit_id ?? randomUUID();
  const importer_id: string = shape.entry?.importer_id ?? String(new ObjectId());

  /** One document, if it is there at all. */
  const write = async (collection: string, usual: Document, unusual?: Document | null) => {
    if (unusual === null) return;
    const { url, ...fields } = shaped({ _id: new ObjectId(), _ns: collection, ...usual }, unusual);
    const placed = typeof url === 'string' ? url.replace(/^feed:/, feed).replace(/^offered:$/, offered) : url;
    await pulp.insert(collection, [shaped({ ...fields, url: placed })]);
  };

  const importer = { repo_id: 'zoo', importer_type_id: 'yum_importer', config: {}, scratchpad: null, last_sync: null };
  await write('repo_importers', { _id: new ObjectId(importer_id), ...importer }, shape.importer);

  const key = ownKey(UNIT_KEYS[type] ?? {});
  await write(`units_${type}`, { _id: unit_id, _content_type_id: type, ...key, downloaded: false }, shape.unit);

  const ids = { path, importer_id, unit_id, unit_type_id: type };
  const rest = { checksum: SHA256, checksum_algorithm: 'sha256', revision: new Int32(1), data: {} };
  for (const older of shape.older ?? [])
    await write('lazy_content_catalog', { ...ids, ...rest, url: 'feed:/older.rpm' }, older);
  await write('lazy_content_catalog', { ...ids, ...rest, url: 'feed:/bear.rpm' }, shape.entry);

  if (shape.offer) {
    const unit_key = Object.fromEntries(Object.keys(key).map((name) => [name, shape.unit?.[name] ?? key[name]]));
    const about = { source_id: 'disk', type_id: type, unit_key, locator: await pulp.locator(type, unit_key) };
    await write('content_catalog', { ...about, expiration: new Int32(LATER), url: offered }, shape.offer);
  }
  return { path, unit_id };
};
