import { toChecksum } from './checksum.ts';
import { decompress } from './decompress.ts';
import type { Expected, Repository, RepositoryItem } from './format.ts';
import { OddEntry, unlessOdd } from './odd-entry.ts';
import { openOptional } from './read.ts';
import { resolvedPath } from './relative-path.ts';
import { parseVerified } from './verify.ts';
import { parseXml, recordBudget } from './xml.ts';

type Attributes = Readonly<Record<string, string>>;

interface Delta {
  /** The package that the delta produces. */
  readonly target: Attributes;
  readonly filename: string;
  readonly checksumType: string;
  readonly checksum: string;
  readonly size: string;
}

/** `<prestodelta><newpackage …><delta …><filename/><checksum type=…/></delta>…</newpackage>…</prestodelta>` */
const readRecords = (name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Delta> =>
  parseXml<Delta>(name, bytes, (emit, exceeds) => {
    const budget = recordBudget('delta', exceeds);
    let target: Attributes = {};
    let child = '';
    let texts: Record<string, string> = {};
    let checksumType = '';
    return {
      opened: (tag, depth, attributes) => {
        if (depth === 2) target = attributes;
        if (depth === 3) {
          texts = {};
          budget.begin();
        }
        if (depth === 4) {
          child = tag;
          budget.count(1, tag.length);
        }
        if (depth === 4 && tag === 'checksum') checksumType = attributes.type ?? '';
      },
      text: (text) => {
        if (child === '') return;
        budget.count(0, text.length);
        texts[child] = (texts[child] ?? '') + text;
      },
      closed: (tag, depth) => {
        if (depth === 4) child = '';
        if (depth !== 3 || tag !== 'delta') return;
        emit({
          target,
          filename: texts.filename?.trim() ?? '',
          checksumType,
          checksum: texts.checksum ?? '',
          size: texts.size?.trim() ?? '',
        });
      },
    };
  });

const toItem = ({ target, filename, checksumType, checksum: text, size }: Delta, file: string): RepositoryItem => {
  const where = `${file}: delta of package ${target.name}`;
  const checksum = toChecksum(checksumType, text, where);
  const need = (attribute: string): string => {
    const value = target[attribute];
    if (!value) throw new OddEntry(`${where}: ${attribute} is missing`);
    return value;
  };
  return {
    path: resolvedPath(filename, where),
    unitTypeId: 'drpm',
    unitKey: {
      epoch: target.epoch || '0',
      version: need('version'),
      release: need('release'),
      filename,
      checksumtype: checksum.algorithm,
      checksum: checksum.value,
    },
    checksum,
    ...(/^\d+$/.test(size) && { size: Number(size) }),
  };
};

/** The delta packages that a prestodelta file lists. */
export async function* readDeltas(repository: Repository, file: DeltaFile): AsyncGenerator<RepositoryItem> {
  const { path, packed, open } = file;
  const bytes = await openOptional(repository.read(path, packed));
  if (!bytes) return repository.missing(path);
  yield* parseVerified(path, bytes, packed, (compressed) =>
    parseVerified(`${path}, decompressed`, decompress(path, compressed, open.size), open, async function* (plain) {
      for await (const delta of readRecords(path, plain)) {
        const item = unlessOdd(repository, () => toItem(delta, path));
        if (item) yield item;
      }
    }),
  );
}

interface DeltaFile {
  readonly path: string;
  readonly packed: Expected;
  /** Of the decompressed content. */
  readonly open: Expected;
}
