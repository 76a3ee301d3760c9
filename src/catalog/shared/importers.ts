import { randomBytes } from 'node:crypto';
import { maskSecrets, parseImporterConfig } from '../importer-config.ts';
import { configText, type Importer, type StoreImporters } from '../store.ts';
import type { Collections } from './database.ts';
import type { ImporterDocument } from './documents.ts';
import type { Session } from './session.ts';
import type { Change } from './writer.ts';

const toImporter = ({ _id, repo_id, importer_type_id, config }: ImporterDocument): Importer => ({
  id: _id,
  ...(repo_id !== undefined && { repoId: repo_id }),
  ...(importer_type_id !== undefined && { typeId: importer_type_id }),
  config: parseImporterConfig(_id, JSON.parse(config)),
});

export const findImporter = async ({ importers }: Collections, id: string): Promise<Importer | undefined> => {
  const found = await importers.findOne({ _id: id });
  return found ? toImporter(found) : undefined;
};

const findByConfig = async ({ importers }: Collections, config: Importer['config']): Promise<Importer | undefined> => {
  const [found] = await importers
    .find({ config: configText(config) })
    .sort({ gen: 1 })
    .limit(1)
    .toArray();
  return found && toImporter(found);
};

const add = async ({ importers, gen }: Change, { repoId, typeId, config }: Omit<Importer, 'id'>): Promise<Importer> => {
  const document: ImporterDocument = {
    _id: randomBytes(12).toString('hex'),
    gen,
    ...(repoId !== undefined && { repo_id: repoId }),
    ...(typeId !== undefined && { importer_type_id: typeId }),
    config: configText(config),
  };
  await importers.insertOne(document);
  return toImporter(document);
};

/** A path that an importer's credentials are for. */
const userOf = async ({ entries, repositories, view }: Change, importer_id: string): Promise<string | undefined> => {
  const ofRepositories = await repositories.find({ importer_id }).toArray();
  const repository = ofRepositories.find(view.countsRepository);
  if (repository) return `${repository.prefix}/`;
  for await (const entry of entries.find({ importer_id })) if (view.counts(entry)) return entry.path;
  return undefined;
};

const hasSecrets = (config: Importer['config']): boolean =>
  JSON.stringify(maskSecrets(config)) !== JSON.stringify(config);

/** Changes are changes of the catalog, so that other processes read importers again after them. */
export const sharedImporters = ({ ask, change }: Session, isPrivate: boolean): StoreImporters => {
  const changeFor = <T>(config: Importer['config'], work: Parameters<typeof change<T>>[0]): Promise<T> => {
    if (!isPrivate && hasSecrets(config))
      throw new Error(
        'shared_catalog_url: expected a user and tls=true, because the importer has secrets, which others on the network could read',
      );
    return change(work);
  };
  return {
    get: (id) => ask((collections) => findImporter(collections, id)),
    list: () => ask(async ({ importers }) => (await importers.find({}).sort({ gen: 1 }).toArray()).map(toImporter)),
    add: async (importer) => changeFor(importer.config, async (one) => ({ result: await add(one, importer) })),
    find: (config) => ask((collections) => findByConfig(collections, config)),
    ensure: async (config) =>
      changeFor(config, async (one) => ({ result: (await findByConfig(one, config)) ?? (await add(one, { config })) })),
    change: async (id, config) =>
      changeFor(config, async ({ importers }) => {
        await importers.updateOne({ _id: id }, { $set: { config: configText(config) } });
        return { result: undefined };
      }),
    remove: (id) =>
      change(async (one) => {
        const user = await userOf(one, id);
        if (user !== undefined)
          throw new Error(`importer ${id} is in use, for example by ${user}; remove its entries first`);
        const { deletedCount } = await one.importers.deleteOne({ _id: id });
        return { result: deletedCount > 0 };
      }),
  };
};
