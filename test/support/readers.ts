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

export const killed = after(() => process.kill(process.pid, 'SIGSEGV'));

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
