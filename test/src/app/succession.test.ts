import { describe, expect, it } from '@jest/globals';
import { firstValueFrom, NEVER, Subject } from 'rxjs';
import { succession } from '../../../src/app/succession.ts';

/** Services that are named after a setting, and those that were closed. */
const services = (patience?: number) => {
  const settings = { name: 'a' };
  const closed: string[] = [];
  const all = succession(
    () => ({ name: settings.name }),
    ({ name }) => ({ name, close: () => closed.push(name) }),
    patience,
  );
  const change = (name: string) => {
    settings.name = name;
    all.renew();
  };
  return { all, closed, change };
};

describe('a succession of services', () => {
  it('gives new work to the new one, and closes the former once its work is over', async () => {
    const { all, closed, change } = services();
    const [first, second] = [new Subject<number>(), new Subject<number>()];
    const used: string[] = [];
    const use = (work: Subject<number>) =>
      all
        .use(({ name }) => {
          used.push(name);
          return work;
        })
        .subscribe();
    use(first);
    const left = use(first);
    change('b');
    use(second);
    expect([used, closed]).toEqual([['a', 'a', 'b'], []]);
    left.unsubscribe();
    expect(closed).toEqual([]);
    first.complete();
    expect(closed).toEqual(['a']);
    second.complete();
    expect(closed).toEqual(['a']);
    await all.close();
    expect(closed).toEqual(['a', 'b']);
  });

  it('keeps the one in use if nothing has changed, and closes one without work at once', () => {
    const { all, closed, change } = services();
    const seen: string[] = [];
    all.each.subscribe(({ name }) => seen.push(name));
    change('a');
    change('b');
    expect([seen, closed]).toEqual([['a', 'b'], ['a']]);
    change('a');
    expect([seen, closed]).toEqual([
      ['a', 'b', 'a'],
      ['a', 'b'],
    ]);
  });

  it('closes one whose work does not end after a while, and says so', async () => {
    const { all, closed, change } = services(1);
    all.use(() => NEVER).subscribe();
    const left = firstValueFrom(all.left);
    change('b');
    expect(closed).toEqual([]);
    await left;
    expect(closed).toEqual(['a']);
  });

  it('closes each once, also those that others have replaced', async () => {
    const { all, closed, change } = services();
    const work = all.use(() => NEVER).subscribe();
    change('b');
    await all.close();
    work.unsubscribe();
    expect(closed.toSorted()).toEqual(['a', 'b']);
  });
});
