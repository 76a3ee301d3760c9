/**
 * Preloaded into contenders that run on Node. Between the messages `start` and `stop` it measures
 * how many bytes of the JavaScript heap are allocated, nearly all of which become garbage. It does
 * nothing at other times.
 */
import { GCProfiler, getHeapStatistics } from 'node:v8';

let profiler = new GCProfiler();
let used = 0;

const answer = (message: unknown) => {
  if (message === 'start') {
    profiler = new GCProfiler();
    profiler.start();
    used = getHeapStatistics().used_heap_size;
    process.send?.(0);
  } else {
    // Between two collections the heap only grows.
    let allocated = 0;
    for (const { beforeGC, afterGC } of profiler.stop()?.statistics ?? []) {
      allocated += beforeGC.heapStatistics.usedHeapSize - used;
      used = afterGC.heapStatistics.usedHeapSize;
    }
    process.send?.(allocated + getHeapStatistics().used_heap_size - used);
  }
};

// The workers that a contender forks have no arguments, and a channel of their own.
if (process.argv.length > 2) {
  process.on('message', answer);
  process.channel?.unref();
}
