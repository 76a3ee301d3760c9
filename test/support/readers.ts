import { writeSync } from 'node:fs';
import type { Reader, RepositoryItem } from '../../src/repositories/format.ts';

const item = (number: number): RepositoryItem => ({
  path: `${number}`,
  unitTypeId: 'iso',
  unitKey: { name: `${number}` },
  checksum: { algorithm: 'sha256', value: 'a'.repeat(64) },
});

/** The types of Node do not have it. */
declare const WebAssembly: {
  Memory: new (pages: { initial: number; maximum: number }) => { buffer: ArrayBuffer; grow(pages: number): number };
};

/** Reads the file `index`, and then does what hostile metadata could make a parser do. */
const after = (harm: () => unknown): Reader =>
  async function* ({ read }) {
    for await (const _ of read('index'));
    yield item(0);
    await harm();
  };

export const heap = after(() => {
  const all: unknown[] = [];
  for (;;) all.push({ nested: all.length });
});

export const buffers = after(async () => {
  const all: Buffer[] = [];
  for (;;) {
    all.push(Buffer.alloc(16 * 1024 ** 2, 1));
    await new Promise(setImmediate);
  }
});

export const wasm = after(async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
  for (;;) {
    const start = memory.grow(256) * 65_536;
    new Uint8Array(memory.buffer, start).fill(1);
    await new Promise(setImmediate);
  }
});

export const time = after(() => {
  for (;;);
});

/** Works on and on, and says so. */
export const busy: Reader = async function* () {
  for (let number = 0; ; number += 1) yield item(number);
};

/** Has the most files that a repository may have, almost all of them odd, and one more. */
export const many: Reader = async function* ({ read, leftOut }) {
  for await (const _ of read('index'));
  leftOut('odd', 4_999_999);
  yield item(0);
  yield item(1);
};

/** Lists more indices that it does not have than any repository does. */
export const lacking: Reader = async function* ({ missing }) {
  for (let number = 0; number < 1_001; number += 1) missing(`${number}`);
  yield item(0);
};

/** Has a file about which there is very much to say. */
export const wordy: Reader = async function* ({ read }) {
  for await (const _ of read('index'));
  yield { ...item(0), path: 'x'.repeat(64 * 1024) };
};

/** Reads the file `index`, which has 2 bytes, as its metadata says. */
export const stated: Reader = async function* ({ read }) {
  for await (const chunk of read('index', { size: 2 })) yield item(chunk.length);
};

/** Has files about which there is much to say, and odd ones about which there is more. */
export const verbose: Reader = async function* ({ leftOut }) {
  leftOut('x'.repeat(2 ** 20), 1);
  for (let number = 0; number < 100; number += 1) yield { ...item(number), path: 'x'.repeat(60_000) };
};

export const idle = after(() => new Promise((resolve) => setTimeout(resolve, 60_000)));

export const killed = after(() => process.kill(process.pid, 'SIGSEGV'));

/** Dies in the middle of a message. */
export const torn = after(() => {
  writeSync(1, '{"type":"items","items":[{"path":"a');
  process.kill(process.pid, 'SIGSEGV');
});

/** Yields one item for each byte of the file `index`. */
export const bytes: Reader = async function* ({ read }) {
  let number = 0;
  for await (const chunk of read('index')) for (const _ of chunk) yield item(number++);
};

/** Leaves `index` after its first bytes, and reads `other`. */
export const leaves: Reader = async function* ({ read, missing }) {
  for await (const _ of read('index')) break;
  missing('nothing');
  for await (const chunk of read('other')) yield item(chunk.length);
};

/** Yields an item that says what the process knows of its environment. */
export const environment: Reader = async function* () {
  yield { ...item(0), path: JSON.stringify(process.env) };
};
