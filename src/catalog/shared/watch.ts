import { firstValueFrom } from 'rxjs';
import type { StoredRepository } from '../stored-repository.ts';
import { PROGRAM, type SharedDatabase } from './database.ts';
import type { Head } from './documents.ts';
import { repositoriesOf } from './repository-documents.ts';
import { readView } from './session.ts';
import { type View, viewOf } from './view.ts';

/** What counts in the catalog, a second old at most. */
export interface Watch {
  /** At once if it was read within the last second. Otherwise the caller must handle a failure. */
  recent(): View | Promise<View>;
  /** The same, if it was read. */
  known(): View | undefined;
  /** As of now: for what is not there as of the last second. */
  fresh(): Promise<View>;
  /** The followed repositories as of the last look, the longest prefix first. */
  followed(): readonly StoredRepository[];
  /** Whether a repository was published below a prefix, as of the last look. */
  isPrefix(prefix: string): boolean;
  /** Takes over what this process itself has changed. */
  changed(head: Head): void;
  close(): void;
}

/** Milliseconds for which requests rely on what was read: they see a change of another machine this much later at most. */
const RELY = 1_000;
/** Milliseconds between looks in the background, so that requests seldom wait for one. */
const LOOK = 800;

/**
 * Watches the one document that says what counts. A look reads two numbers of it, and the rest only
 * if one of them has changed.
 */
export const watchHead = (database: SharedDatabase, { background }: { readonly background: boolean }): Watch => {
  let known: { readonly view: View; readonly at: number } | undefined;
  let followed: readonly StoredRepository[] = [];
  let looking: Promise<View> | undefined;
  let next: Promise<View> | undefined;

  const look = async (): Promise<View> => {
    const at = performance.now();
    const before = known?.view.head;
    const view = await firstValueFrom(
      database.ask(async (collections) => {
        if (before && known) {
          const numbers = await collections.head.findOne({ _id: PROGRAM }, { projection: { version: 1, noted: 1 } });
          if (numbers?.version === before.version && numbers.noted === before.noted) return known.view;
        }
        const now = await readView(collections);
        const found = await repositoriesOf(collections, now, { follows: 1 });
        followed = found.sort((a, b) => b.prefix.length - a.prefix.length);
        return now;
      }),
    );
    // What this process has changed meanwhile is newer.
    if (!known || known.view.head.version <= view.head.version) known = { view, at };
    return known.view;
  };
  const lookOnce = (): Promise<View> => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  // A database that is down is reported by what needs it.
  const timer = background ? setInterval(() => void lookOnce().catch(() => {}), LOOK).unref() : undefined;
  if (background) lookOnce().catch(() => {});

  const reliable = (): View | undefined => (known && performance.now() - known.at < RELY ? known.view : undefined);

  return {
    recent: () => reliable() ?? lookOnce(),
    known: reliable,
    // A look that is running may have begun too early.
    fresh: () => {
      if (!looking) return lookOnce();
      next ??= looking
        .catch(() => {})
        .then(() => {
          next = undefined;
          return lookOnce();
        });
      return next;
    },
    followed: () => followed,
    isPrefix: (prefix) => known?.view.prefixes.has(prefix) ?? false,
    changed: (head) => {
      // Its followed repositories are read by the next look.
      known = { view: viewOf({ ...head, noted: -1 }), at: performance.now() };
    },
    close: () => clearInterval(timer),
  };
};
