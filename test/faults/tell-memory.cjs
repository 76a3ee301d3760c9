// Preloaded into a daemon under test (--expose-gc): on SIGUSR2 it collects all garbage and reports
// the remaining bytes.
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { setImmediate } = require('node:timers');

const collect = (times, then) => {
  global.gc();
  if (times > 1) setImmediate(collect, times - 1, then);
  else then();
};

process.on('SIGUSR2', () =>
  collect(4, () => {
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(join(process.env.TELL_MEMORY, `${process.pid}.memory`), `${heapUsed + external}\n`);
  }),
);
