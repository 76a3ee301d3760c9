import { flow, fromAsyncIterable, mergeFlow, toAsyncIterable } from 'pulp-streamer/operators';

// The lines of three files, two files at a time. The list itself waits for a free place.
const FILES = { a: ['a1', 'a2'], b: ['b1'], c: ['c1', 'c2'] };
const names = fromAsyncIterable(async function* () {
  yield* Object.keys(FILES);
});
const linesOf = (name) =>
  fromAsyncIterable(async function* () {
    yield* FILES[name];
  });
const lines = [];
for await (const line of toAsyncIterable(flow(names, mergeFlow(2, linesOf)))) lines.push(line);
console.log(lines.sort().join(' '));
//=> a1 a2 b1 c1 c2
