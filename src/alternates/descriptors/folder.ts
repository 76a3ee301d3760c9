import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { BehaviorSubject, type Observable } from 'rxjs';
import { readPlainFileSync } from '../../lib/read-plain-file.ts';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { BOUNDS } from '../../repositories/bounds.ts';
import { type DescriptorFile, type Descriptors, readDescriptors } from './parse.ts';

/** The current content of a folder of descriptors, and its changes. */
export interface DescriptorsFolder {
  /**
   * Emits the present descriptors at once and new ones after each change. An unchanged source keeps
   * its object identity. Completes when closed.
   */
  readonly descriptors: Observable<Descriptors>;
  /** The present sources. */
  readonly sources: () => Descriptors['sources'];
  /** Reloads everything now, including certificates, which are not watched. */
  reload(): void;
  close(): void;
}

interface Options {
  /** Read at each `reload`: it may change. */
  readonly folder: string;
  readonly parse: (content: string, file: string) => DescriptorFile;
  /** The types of the known catalogers. */
  readonly types: readonly string[];
  /**
   * Milliseconds that the folder must stay unchanged before a change counts: writing a file takes
   * several steps.
   */
  readonly settle?: number;
}

type Texts = ReadonlyMap<string, string | Unreadable>;
interface Unreadable {
  readonly problem: string;
}

/**
 * Reads every `*.conf` of a folder, and again after each change. A missing folder holds no sources;
 * once it is created, `reload` finds it.
 */
export const openDescriptors = (options: Options): DescriptorsFolder => {
  const { parse, types, settle = 200 } = options;
  let { folder } = options;
  let watcher: FSWatcher | undefined;
  let timer: NodeJS.Timeout | undefined;

  /**
   * Replaces the watch: another folder of the same name may have replaced the old one, which the
   * old watch does not notice. Returns the problems.
   */
  const watchAnew = (): readonly string[] => {
    watcher?.close();
    watcher = undefined;
    try {
      const watching = watch(folder, { persistent: false }, () => look(undefined));
      // The watched folder was removed; the next reload reads the new state.
      watching.on('error', () => watching.close());
      watcher = watching;
      return [];
    } catch (error) {
      const code = codeOf(error);
      return code === 'ENOENT' ? [] : [`${folder}: cannot be watched (${code}); changes take effect after a reload`];
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

  /** Waits until two reads in a row are equal. */
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

  /** Starts the watch before the read: a change in between is then seen twice rather than never. */
  const reload = () => {
    clearTimeout(timer);
    folder = options.folder;
    const unwatched = watchAnew();
    publish(readTexts(folder), unwatched);
  };

  const state = new BehaviorSubject<Descriptors>({ sources: [], problems: [] });
  let published: Texts = new Map();
  reload();

  return {
    descriptors: state.asObservable(),
    sources: () => state.value.sources,
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
    return [file, attempt(file, () => readPlainFileSync(file, BOUNDS.text))];
  });
  return new Map(texts.filter((pair): pair is [string, string | Unreadable] => pair[1] !== undefined));
};

/** A missing file is not a problem: files come and go. */
const attempt = <T>(path: string, run: () => T): T | Unreadable | undefined => {
  try {
    return run();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return undefined;
    return { problem: `${path}: cannot be read (${code || messageOf(error)}); expected a readable file` };
  }
};
