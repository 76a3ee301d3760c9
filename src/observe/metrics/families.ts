import { Counter, Gauge, Histogram, type MetricValueWithName, type Registry } from 'prom-client';
import { Distribution, Tally } from './tally.ts';

interface About {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** What several workers together have. Default: the sum. */
  readonly aggregator?: 'min' | 'max';
}

type Labels = Readonly<Record<string, string>>;
/** Sets one value. An undefined one is left out: it is not known. */
export type SetValue = (value: number | undefined, labels?: Labels) => void;

/** Makes metrics of one registry. */
export interface Families {
  /** `known`: values of its labels that begin at 0, so that the first increase is one. */
  counter(about: About, known?: readonly (readonly string[])[]): Tally;
  /** `buckets`: upper bounds, in the metric's unit. */
  histogram(about: About & { readonly buckets: readonly number[] }): Distribution;
  /** `read` is called with each scrape. If it throws, the scrape has no value of it, and `onError` is called. */
  gauge(about: About, read: (set: SetValue) => void): void;
  /** A counter that is counted elsewhere: as `gauge`. */
  total(about: About, read: (set: SetValue) => void): void;
}

/**
 * Makes families of metrics, whose names begin with `pulp_streamer_`. What every request adds to is
 * counted here, and handed over with each scrape: the library's own counters cost a small request
 * 12 µs.
 */
export const familiesIn = (registry: Registry, onError: (name: string) => void): Families => {
  const common = ({ name, help, labels = [], aggregator }: About) => ({
    name: `pulp_streamer_${name}`,
    help,
    labelNames: [...labels],
    registers: [registry],
    ...(aggregator && { aggregator }),
  });
  const reading = ({ name }: About, read: (set: SetValue) => void, set: (labels: Labels, value: number) => void) => {
    try {
      read((value, labels = {}) => value !== undefined && set(labels, value));
    } catch {
      onError(name);
    }
  };
  const total: Families['total'] = (about, read) => {
    const collect = () => {
      counter.reset();
      reading(about, read, (labels, value) => counter.inc(labels, value));
    };
    const counter: Counter = new Counter({ ...common(about), collect });
  };
  return {
    total,
    counter: (about, known = []) => {
      const { labels = [] } = about;
      const tally = new Tally(labels);
      for (const values of labels.length === 0 ? [[]] : known) tally.add(0, ...values);
      total(about, (set) => {
        for (const [values, value] of tally.all()) set(value, values);
      });
      return tally;
    },
    histogram: (about) => {
      const distribution = new Distribution(about.buckets, about.labels ?? []);
      const histogram = new Histogram(common(about));
      const { name, help } = common(about);
      const get = async () => ({
        name,
        help,
        type: 'histogram',
        aggregator: 'sum',
        values: valuesOf(name, distribution),
      });
      // The registry asks for its text by the second name.
      Object.assign(histogram, { get, getForPromString: get });
      return distribution;
    },
    gauge: (about, read) => {
      const collect = () => {
        // Without labels, a reset would leave a 0, and what is not known is not 0.
        if (about.labels) gauge.reset();
        else gauge.remove();
        reading(about, read, (labels, value) => gauge.set(labels, value));
      };
      const gauge: Gauge = new Gauge({ ...common(about), collect });
    },
  };
};

/** The values of a distribution, as the library writes those of a histogram. */
const valuesOf = (name: string, distribution: Distribution): MetricValueWithName<string>[] =>
  [...distribution.all()].flatMap(([labels, { counts, sum }]) => {
    let count = 0;
    const buckets = counts.map((more, index) => {
      count += more;
      return {
        metricName: `${name}_bucket`,
        labels: { le: distribution.bounds[index] ?? '+Inf', ...labels },
        value: count,
      };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  });
