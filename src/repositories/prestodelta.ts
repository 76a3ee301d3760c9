import { toChecksum } from './checksum.ts';
import { decompress } from './decompress.ts';
import type { FoundUnit, Repository, RepositoryItem } from './format.ts';
import { toRelativePath } from './relative-path.ts';
import { parseVerified } from './verify.ts';
import { parseXml } from './xml.ts';

type Attributes = Readonly<Record<string, string>>;

interface Delta {
  /** The package that the delta produces. */
  readonly target: Attributes;
  readonly filename: string;
  readonly checksumType: string;
  readonly checksum: string;
}

/** `<prestodelta><newpackage …><delta …><filename/><checksum type=…/></delta>…</newpackage>…</prestodelta>` */
const readRecords = (name: string, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Delta> =>
  parseXml<Delta>(name, bytes, (emit) => {
    let target: Attributes = {};
    let child = '';
    let texts: Record<string, string> = {};
    let checksumType = '';
    return {
      opened: (tag, depth, attributes) => {
        if (depth === 2) target = attributes;
        if (depth === 3) texts = {};
        if (depth === 4) child = tag;
        if (depth === 4 && tag === 'checksum') checksumType = attributes.type ?? '';
      },
      text: (text) => {
        if (child !== '') texts[child] = (texts[child] ?? '') + text;
      },
      closed: (tag, depth) => {
        if (depth === 4) child = '';
        if (depth !== 3 || tag !== 'delta') return;
        emit({ target, filename: texts.filename?.trim() ?? '', checksumType, checksum: texts.checksum ?? '' });
      },
    };
  });

const toUnit = ({ target, filename, checksumType, checksum: text }: Delta, file: string): FoundUnit => {
  const where = `${file}: delta of package ${target.name}`;
  const checksum = toChecksum(checksumType, text);
  const need = (attribute: string): string => {
    const value = target[attribute];
    if (!value) throw new Error(`${where}: ${attribute} is missing`);
    return value;
  };
  return {
    path: toRelativePath(filename, where),
    unitTypeId: 'drpm',
    unitKey: {
      epoch: target.epoch || '0',
      version: need('version'),
      release: need('release'),
      filename,
      checksumtype: checksum.algorithm,
      checksum: checksum.value,
    },
  };
};

/** The delta packages that a prestodelta file lists. */
export async function* readDeltas(repository: Repository, item: RepositoryItem): AsyncGenerator<FoundUnit> {
  const { path, checksum, size } = item;
  yield* parseVerified(path, repository.read(path, { checksum, size }), item, async function* (packed) {
    for await (const delta of readRecords(path, decompress(path, packed))) yield toUnit(delta, path);
  });
}
