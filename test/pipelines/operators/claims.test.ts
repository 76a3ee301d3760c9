import { describe, expect, it } from '@jest/globals';
import { faultOf, type NamedTest, textOf } from '../../support/named-test.ts';

const oneOf =
  (file: string) =>
  (title: string): NamedTest => [`test/pipelines/operators/${file}.test.ts`, title];
const [interop, contract, laws] = [oneOf('interop'), oneOf('contract'), oneOf('laws')];
const [create, flows, merge] = [oneOf('create-flow'), oneOf('flow'), oneOf('merge-flow')];
const [share, hold, timers] = [oneOf('share-flow'), oneOf('hold'), oneOf('stall-timeout')];
const packed = (title: string): NamedTest => ['test/package/operators.test.ts', title];
const program = packed('runs program %i of its README');
const benched: NamedTest = ['test/bench/bench.test.ts', 'compare %s with every other way to stream'];

/** Every claim of the README, with the tests that would fail if it were wrong. */
const CLAIMS: readonly (readonly [claim: string, ...tests: readonly NamedTest[]])[] = [
  ['A source stops when its consumer wants no more, and no value is lost.', laws('hold for %s')],
  ['it queues all that the stream has', interop('has the whole stream queued for it by `from`')],
  ['With a valve the stream itself is paused', interop('has one value of a flow, and what the stream itself holds')],
  [
    'The file is read no faster than the socket',
    interop('writes a file to a socket that reads slowly, and reads the file no faster'),
    program,
  ],
  ['A slow socket is not a stall', timers('does not count while the valve is closed, and restarts when it opens')],
  ['`unsubscribe()` closes both.', interop('destroys both streams when it is left')],
  [
    'every operator sees the valve, and none can be forgotten',
    flows('gives the valve of its consumer to every operator, and to the source'),
    packed('has useful types, for Node and for bundlers'),
  ],
  ['Once a flow has its valve it is an Observable like any other', program],
  [
    'Values pass synchronously, without a promise or a copy for each.',
    create('passes all values on at once while the valve is open'),
    benched,
  ],
  [
    'While the valve is closed nothing is emitted, except for what a producer gives to `sink.ahead`',
    create('delivers `ahead` values while the valve is closed'),
    laws('hold for %s'),
  ],
  [
    'What was already on its way is held, in order, and bounded by what the producer pushes after `pause()`',
    create('is lossless, ordered, and bounded by the values pushed after a pause, for any valve'),
  ],
  [
    'Unsubscribing closes the producer before it returns, also while it is paused.',
    create('closes the producer and leaves the valve at once when unsubscribed while paused'),
  ],
  [
    '`createFlow((sink) => ({ pause, resume, close }))`: anything that can be paused',
    create('pauses and resumes the producer with the valve, once per change'),
  ],
  [
    '`fromReadable(() => readable)`',
    interop('emits all values in order, whenever the valve moves, and asks for little while it is closed'),
  ],
  ['`fromWebStream(() => stream)`', interop('errors with the source, after its values')],
  [
    '`fromAsyncIterable((signal) => iterable)`',
    interop('aborts its signal when it is left: a generator that waits ends'),
  ],
  [
    '`hold({ limit, overflow })(observable)`',
    hold('drops those that have waited longest'),
    interop('holds as many events as it may while the valve is closed, and removes its listener when it is left'),
  ],
  ['All are lossless and bounded both ways', interop('has all values in order, and its source waits for it')],
  [
    'errors travel',
    interop('errors with the flow, and destroys the stream'),
    interop('errors with the stream, and leaves the flow'),
  ],
  [
    '`take(2)` of an endless source stops it after three values at most',
    interop('stops an endless source after three at most, if two are taken'),
  ],
  [
    'nothing of Node is imported',
    packed('costs nothing but itself and RxJS'),
    ['test/pipelines/imports.test.ts', '%s imports only rxjs and rooms on its own floor or below'],
  ],
  ['`under(valve, operator)` is the reverse', flows('is the reverse of `lift`')],
  [
    'Neighbours made with it cost one subscription together.',
    flows('costs one subscription for neighbours that are stages'),
  ],
  [
    'at most so much a second, shared by all flows through it',
    oneOf('rate-limit')('is lossless and keeps to its speed, for any values and pauses'),
    oneOf('rate-limit')('shares its speed in equal parts among the streams that want it'),
  ],
  [
    'errors if a source is silent or slow, but never because its consumer is',
    timers('errors when the source stays silent, counted from its last value'),
    oneOf('first-timeout')('errors when the first value is late'),
    oneOf('speed-floor')('does not judge a window in which the valve was ever closed'),
  ],
  [
    'errors if a consumer is stuck',
    oneOf('closed-timeout')('errors when the valve stays closed for too long, and leaves source and valve'),
  ],
  [
    'the source waits while none may begin',
    merge('pauses its source while it may begin nothing'),
    merge('gives all flows the valve of its consumer'),
    merge('gives its flow the valve, and drops what the one before it holds'),
  ],
  ['one source for many consumers, each at its own speed', share('serves consumers of three speeds from one source')],
  [
    'a second source if the first is slow',
    oneOf('hedge')('takes the second if it answers first, and leaves the first at once'),
  ],
  ['a semaphore, fair by owner', oneOf('limit-concurrency')('serves owners in turn')],
  [
    'what has passed, and who was slow',
    oneOf('meter')('counts values and the time of closed valves, of all its flows'),
  ],
  [
    'valves made of other valves, or of a level',
    oneOf('valves')('has the state of its valves, at first and after each move, and emits no state twice'),
    oneOf('meter')('closes at the high level, and opens at the low one'),
  ],
  ['A database cursor to an HTTP response', program],
  ['Ten producers to one consumer, two at a time', program, merge('runs no more flows at a time than it may')],
  ['what waits has a limit', program, hold('errors at once with an overflow, and leaves the source')],
  [
    'checks your own operators, in random histories',
    laws('says which law is broken, and in which history'),
    packed('obeys the laws of flows'),
  ],
  ['While the valve is closed, nothing is emitted.', laws('alone finds a mutant'), packed('states every law')],
  ['Every value is emitted once, in order.', packed('states every law')],
  ['the source pushes no more than what was on its way', packed('states every law')],
  ['Completion and error come after every value that came before them', packed('states every law')],
  [
    'it is retained until it is emitted',
    contract('never changes a lent value that it holds, and releases all that it retains'),
  ],
  ['Unsubscribing closes the source and leaves the valve before it returns', packed('states every law')],
  ['moves the valve, leaves, or causes values within a value', packed('states every law')],
  ['Any composition of lawful flows is lawful.', laws('finds a mutant that is lawful alone')],
  ['Every operator above obeys them, and so do random compositions.', laws('hold for any composition of lawful flows')],
  ['For each law there is a mutant that it alone finds.', laws('alone finds a mutant')],
  [
    'adds rows of valves to `TestScheduler`',
    oneOf('testing')('has rows of valves'),
    oneOf('testing')('goes on for a few values after it was paused, and lends its values'),
  ],
  ['A value through three operators', benched, ['test/pictures.test.ts', '%s is committed, byte for byte']],
  ['Only RxJS alone holds all that the source has.', interop('has the whole stream queued for it by `from`')],
  ['whose producer is paused, too', create('pauses and resumes the producer with the valve, once per change')],
  [
    'each pull is a request for one',
    interop('is done for a pull that waits, if it is left meanwhile'),
    interop('subscribes to nothing that is not read twice, and leaves its source when it is left'),
  ],
  ['a flow is pushed, and the valve stops it', create('passes all values on at once while the valve is open')],
  ['`desiredSize`', interop('has all values in order, and its source waits for it')],
  ["`write() === false`, `'drain'`", interop('writes what comes from a socket to another, whole')],
  [
    'A consumer that wants exactly `n` values needs a pull',
    interop('is done for a pull that waits, if it is left meanwhile'),
  ],
  [
    'Operators of RxJS that hold values or combine sources',
    flows('lets an operator that holds values emit while the valve is closed'),
    flows('may be given its valve first, and combined as an Observable'),
  ],
  ['A valve must replay its state to those that come later', laws('finds a mutant that is lawful alone')],
  [
    'kB at most, minified and compressed',
    packed('is small, and nothing of it is loaded that is not used'),
    packed('states its size'),
  ],
  ['with no other dependency', packed('is for this release'), packed('costs nothing but itself and RxJS')],
  [
    'all tests run on both',
    ['test/pipelines/release.test.ts', 'that runs these tests is the one of the configuration'],
  ],
  ['`require` works, too.', packed('can be required')],
  ['leads to the sources', packed('has declarations that lead to their sources')],
  ['What RxJS marks as internal is used in one file.', packed('uses what RxJS marks as internal in one file')],
];

const README = 'pipelines/operators/README.md';
const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
const text = textOf(README).replace(/^```[\s\S]*?^```$/gm, '');

/** Paragraphs, items of lists and rows of tables; without headings, and without what is generated. */
const blocks = text
  .replace(/<!-- results -->[\s\S]*<!-- \/results -->/, '')
  .split(/\n\n|\n(?=- |\d\. |\| )/)
  .map(oneLine)
  .filter((block) => /[a-z]/.test(block) && !block.startsWith('#') && !/\|---\|$/.test(block));

describe('the README of the operators', () => {
  it.each(CLAIMS)('claims “%s”, which tests prove', (claim, ...tests) => {
    expect(oneLine(text)).toContain(claim);
    expect(tests.map(faultOf)).toEqual(tests.map(() => undefined));
    expect(tests).not.toEqual([]);
  });

  it('claims nothing in a paragraph, an item or a row of which no test is known', () => {
    expect(blocks.length).toBeGreaterThan(40);
    expect(blocks.filter((block) => !CLAIMS.some(([claim]) => block.includes(claim)))).toEqual([]);
  });
});
