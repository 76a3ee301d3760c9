import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

interface About {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

type Labels = Readonly<Record<string, string>>;
/** Sets one value. An undefined one is left out: it is not known. */
export type SetValue = (value: number | undefined, labels?: Labels) => void;

/** Makes metrics of one registry. */
export interface Families {
  /** `known`: values of its label that begin at 0, so that the first increase is one. */
  counter(about: About, known?: readonly Labels[]): Counter;
  /** `buckets`: upper bounds, in the metric's unit. */
  histogram(about: About & { readonly buckets: readonly number[] }): Histogram;
  /** `read` is called with each scrape. If it throws, the scrape has no value of it, and `onError` is called. */
  gauge(about: About, read: (set: SetValue) => void): void;
  /** A counter that is counted elsewhere: as `gauge`. */
  total(about: About, read: (set: SetValue) => void): void;
}

/** All names begin with `pulp_streamer_`. */
export const familiesIn = (registry: Registry, onError: (name: string) => void): Families => {
  const common = ({ name, help, labels = [] }: About) => ({
    name: `pulp_streamer_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
  });
  const reading = ({ name }: About, read: (set: SetValue) => void, set: (labels: Labels, value: number) => void) => {
    try {
      read((value, labels = {}) => value !== undefined && set(labels, value));
    } catch {
      onError(name);
    }
  };
  return {
    counter: (about, known = []) => {
      const counter: Counter = new Counter(common(about));
      for (const labels of known) counter.inc(labels, 0);
      return counter;
    },
    histogram: (about) => new Histogram({ ...common(about), buckets: [...about.buckets] }),
    gauge: (about, read) => {
      const collect = () => {
        // Without labels, a reset would leave a 0, and what is not known is not 0.
        if (about.labels) gauge.reset();
        else gauge.remove();
        reading(about, read, (labels, value) => gauge.set(labels, value));
      };
      const gauge: Gauge = new Gauge({ ...common(about), collect });
    },
    total: (about, read) => {
      const collect = () => {
        counter.reset();
        reading(about, read, (labels, value) => counter.inc(labels, value));
      };
      const counter: Counter = new Counter({ ...common(about), collect });
    },
  };
};
