/** The input that a thread executes, in memory that another thread reads. */
export interface Announced {
  set(input: Buffer): void;
  /** How many there were. */
  count(): number;
  get(): Buffer;
}

const LARGEST = 1 << 20;
const HEADER = 8;

export const newMemory = (): SharedArrayBuffer => new SharedArrayBuffer(HEADER + LARGEST);

export const announcedIn = (memory: SharedArrayBuffer): Announced => {
  const header = new Int32Array(memory, 0, 2);
  const bytes = new Uint8Array(memory, HEADER);
  return {
    set: (input) => {
      const short = input.subarray(0, LARGEST);
      bytes.set(short);
      Atomics.store(header, 1, short.length);
      Atomics.add(header, 0, 1);
    },
    count: () => Atomics.load(header, 0),
    get: () => Buffer.from(bytes.slice(0, Atomics.load(header, 1))),
  };
};
