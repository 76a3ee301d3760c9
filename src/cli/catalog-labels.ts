import { type Command, InvalidArgumentError } from 'commander';
import type { KeptRevision, Label, StoreHistory } from '../catalog/history.ts';
import { trimPrefix } from '../catalog/prefix.ts';
import type { CatalogStore } from '../catalog/store.ts';
import { describeKnown, isLabelName, isSame, LABELS_ARE, resolveView, toTime } from '../catalog/view-names.ts';
import { type CatalogContext, toJsonArray, withCatalog, writeAll } from './catalog-context.ts';
import { countedFiles } from './catalog-repositories.ts';
import { toPath } from './importer-options.ts';
import { asJson, row } from './one-line.ts';

const toLabelName = (text: string): string => {
  if (!isLabelName(text)) throw new InvalidArgumentError(`expected ${LABELS_ARE}.`);
  return text;
};

/** The revisions and labels of a repository, or of all. */
interface Kept {
  readonly history: StoreHistory;
  readonly revisions: readonly KeptRevision[];
  readonly labels: readonly Label[];
}

const keptOf = async ({ history, repositories }: CatalogStore, prefix: string | undefined): Promise<Kept> => {
  if (!history) throw new Error('this catalog keeps no earlier revisions, expected catalog_type sqlite or shared');
  const [revisions, labels] = [await history.revisions(prefix), await history.labels(prefix)];
  if (prefix !== undefined && revisions.length === 0) {
    const known = [...new Set((await history.revisions()).map((one) => one.prefix || '/'))].join(', ');
    const isThere = (await repositories.list()).some((one) => one.prefix === trimPrefix(prefix));
    throw new Error(
      `${prefix}: ${isThere ? 'its repository was not read yet' : 'there is no repository'}, expected ${known ? `one of ${known}` : 'an imported or followed one'}`,
    );
  }
  return { history, revisions, labels };
};

/** What an operator names: a revision's number, or what a view can be called. */
const chosen = (which: string | undefined, prefix: string, { revisions, labels }: Kept): readonly KeptRevision[] => {
  const present = revisions.filter(({ superseded }) => superseded === undefined);
  if (which === undefined) return present;
  const known = { revisions, labels, now: Date.now() };
  if (/^\d{1,15}$/.test(which)) {
    const found = revisions.filter(({ revision }) => revision === Number(which));
    if (found.length > 0) return found;
    const all = revisions.map(({ revision }) => revision).join(', ');
    throw new Error(`revision ${which} of ${prefix} is not kept, expected one of ${all}`);
  }
  const resolved = resolveView(which, known);
  if (resolved.kind === 'present') return present;
  if (resolved.kind === 'revisions') return resolved.revisions;
  throw new Error(`'${which}' of ${prefix}: ${resolved.reason}; ${describeKnown(known)}`);
};

const setLabel = async (catalog: CatalogStore, prefix: string, name: string, which: string | undefined) => {
  const kept = await keptOf(catalog, prefix);
  const revisions = chosen(which, prefix, kept);
  const before = kept.labels.filter((one) => one.name === name);
  await kept.history.label(prefix, name, revisions, Date.now() / 1000);
  return {
    ...{ prefix, name, revisions: revisions.map(({ revision }) => revision) },
    published: revisions.map(({ published }) => toTime(published)),
    ...(before.length > 0 && { before: before.map(({ revision }) => revision) }),
  };
};

const dropLabel = async (catalog: CatalogStore, prefix: string, name: string) => {
  const { history, labels } = await keptOf(catalog, prefix);
  const before = labels.filter((one) => one.name === name);
  if (!(await history.unlabel(prefix, name))) {
    const names = [...new Set(labels.map((one) => one.name))].join(', ');
    throw new Error(`${prefix} has no label ${name}, expected ${names ? `one of ${names}` : 'an existing one'}`);
  }
  return { prefix, name, before: before.map(({ revision }) => revision) };
};

const plainRevision = (one: KeptRevision, labels: readonly Label[]) => ({
  prefix: one.prefix || '/',
  importer: one.importerId,
  revision: one.revision,
  published: toTime(one.published),
  ...(one.superseded !== undefined && { superseded: toTime(one.superseded) }),
  ...{ packages: one.packages, metadata: one.metadata },
  labels: labels.filter((label) => isSame(label, one)).map(({ name }) => name),
});

const describeRevision = ({ prefix, revision, published, superseded, ...rest }: ReturnType<typeof plainRevision>) =>
  row([
    ...[prefix, revision, published, superseded ?? 'present'],
    countedFiles(rest.packages, rest.metadata),
    rest.labels.join(', ') || '-',
  ]);

const plainLabel = ({ prefix, name, importerId, revision, moved }: Label) => ({
  ...{ prefix: prefix || '/', name, importer: importerId, revision, moved: toTime(moved) },
});

interface Options {
  readonly delete?: boolean;
  readonly json?: boolean;
}

/** `catalog label|labels|revisions`: names for the revisions that dated views show. */
export const addLabelCommands = (catalogs: Command, context: CatalogContext): void => {
  const { stdout } = context;
  const leaf = (name: string, description: string): Command =>
    context.prepare(catalogs.command(name).description(description)).option('--json', 'print JSON');

  leaf('label', 'let clients ask for a revision of a repository by a name: PREFIX@NAME/; moves the name in one step')
    .argument('<prefix>', 'prefix of the repository', toPath)
    .argument('<name>', LABELS_ARE, toLabelName)
    .argument('[which]', 'number of a revision, date, time or another label (default: the present revision)')
    .option('--delete', 'remove the label')
    .action((prefix: string, name: string, which: string | undefined, options: Options, command: Command) => {
      if (options.delete && which !== undefined) command.error('error: give either a revision or --delete');
      return withCatalog(context, command, async (catalog) => {
        const done = options.delete
          ? await dropLabel(catalog, prefix, name)
          : await setLabel(catalog, prefix, name, which);
        stdout.write(options.json ? `${asJson(done)}\n` : describeDone(done));
      });
    });

  leaf('labels [prefix]', 'list labels: prefix, name, revision, when it was last moved').action(
    (prefix: string | undefined, { json }: Options, command: Command) =>
      withCatalog(context, command, async (catalog) => {
        const labels = (await keptOf(catalog, prefix)).labels.map(plainLabel);
        const lines = labels.map((one) => row([one.prefix, one.name, one.revision, one.moved]));
        return writeAll(stdout, json ? toJsonArray(labels) : lines);
      }),
  );

  leaf(
    'revisions [prefix]',
    'list the revisions that clients can ask for: prefix, number, published, superseded, content, labels',
  ).action((prefix: string | undefined, { json }: Options, command: Command) =>
    withCatalog(context, command, async (catalog) => {
      const { revisions, labels } = await keptOf(catalog, prefix);
      const plain = revisions.map((one) => plainRevision(one, labels));
      return writeAll(stdout, json ? toJsonArray(plain) : plain.map(describeRevision));
    }),
  );
};

type Done = Awaited<ReturnType<typeof setLabel>> | Awaited<ReturnType<typeof dropLabel>>;

const describeDone = (done: Done): string => {
  const view = `${trimPrefix(done.prefix) || '/'}@${done.name}`;
  const was = done.before?.length ? `, it was revision ${done.before.join(' and ')}` : '';
  if (!('revisions' in done)) return `removed ${view}${was}\n`;
  return `${view} is revision ${done.revisions.join(' and ')} of ${done.published.join(' and ')}${was}\n`;
};
