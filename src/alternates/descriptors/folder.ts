import { type FSWatcher, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { BehaviorSubject, type Observable } from 'rxjs';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { type DescriptorFile, type Descriptors, readDescriptors } from './parse.ts';

/** What a folder of descriptors says now, and as it changes. */
export interface DescriptorsFolder {
  /** Emits the present descriptors at once and new ones after each change; a source that stays the same is the same value. Completes when closed. */
  readonly descriptors: Observable<Descriptors>;
  /** Reads everything anew now, certificates too, which are not watched. */
  reload(): void;
  close(): void;
}

interface Options {
  readonly folder: string;
  readonly parse: (content: string, file: string) => DescriptorFile;
  /** The catalogers that there are. */
  readonly types: readonly string[];
  /** Milliseconds that the folder must stay as it is before a change counts: a file is not written at once. */
  readonly settle?: number;
}

type Texts = ReadonlyMap<string, string | Unreadable>;
interface Unreadable {
  readonly problem: string;
}

/**
 * Reads every `*.conf` of a folder, and again when something changes in it. A folder that is not there holds no sources; once it is made,
 * `reload` finds it.
 */
export const openDescriptors = ({ folder, parse, types, settle = 200 }: Options): DescriptorsFolder => {
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;

  /** The folder may have been replaced by another of the same name, which the old watch does not see. Says what went wrong. */
  const watchAnew = (): readonly string[] => {
    watcher?.close();
    watcher = undefined;
    try {
      const watching = watch(folder, { persistent: false }, () => look(undefined));
      // A folder that goes away under the watch; the next reload finds what is there then.
      watching.on('error', () => watching.close());
      watcher = watching;
      return [];
    } catch (error) {
      const code = codeOf(error);
      return code === 'ENOENT' ? [] : [`${folder}: cannot be watched (${code}); changes in it count after a reload`];
    }
  };

  const read = (texts: Texts, unwatched: readonly string[]): Descriptors => {
    const found = [...texts].map(([file, text]) =>
      typeof text === 'string' ? parse(text, file) : { file, sections: new Map(), problems: [text.problem] },
    );
    const { sources, problems } = readDescriptors(found, types);
    const before = state.value.sources;
    return {
      problems: [...unwatched, ...problems],
      sources: sources.map((now) => before.find((old) => isDeepStrictEqual(old, now)) ?? now),
    };
  };

  /** Waits until two looks see the same. */
  const look = (last: Texts | undefined) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const texts = readTexts(folder);
      if (!isDeepStrictEqual(texts, last)) return look(texts);
      const unwatched = watchAnew();
      if (!isDeepStrictEqual(texts, published)) publish(texts, unwatched);
    }, settle).unref();
  };

  const publish = (texts: Texts, unwatched: readonly string[]) => {
    published = texts;
    state.next(read(texts, unwatched));
  };

  /** Watched before it is read: a change in between is then seen twice rather than never. */
  const reload = () => {
    clearTimeout(timer);
    const unwatched = watchAnew();
    publish(readTexts(folder), unwatched);
  };

  const state = new BehaviorSubject<Descriptors>({ sources: [], problems: [] });
  let published: Texts = new Map();
  reload();

  return {
    descriptors: state.asObservable(),
    reload,
    close: () => {
      clearTimeout(timer);
      watcher?.close();
      state.complete();
    },
  };
};

const readTexts = (folder: string): Texts => {
  const names = attempt(folder, () => readdirSync(folder).filter((name) => name.endsWith('.conf')));
  if (!Array.isArray(names)) return names ? new Map([[folder, names]]) : new Map();
  const texts = names.sort().map((name): [string, string | Unreadable | undefined] => {
    const file = join(folder, name);
    return [file, attempt(file, () => readFileSync(file, 'utf8'))];
  });
  return new Map(texts.filter((pair): pair is [string, string | Unreadable] => pair[1] !== undefined));
};

/** What is not there is no problem: files come and go. */
const attempt = <T>(path: string, run: () => T): T | Unreadable | undefined => {
  try {
    return run();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return undefined;
    return { problem: `${path}: cannot be read (${code || messageOf(error)}); expected a readable file` };
  }
};
