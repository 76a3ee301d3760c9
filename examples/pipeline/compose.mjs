// A custom pipeline: another catalog, other sources, one more stage. The rest is the daemon's.
import { createDefaults } from 'pulp-streamer';
import { attempts, candidates, flow, lookup, operate, report, streamRequest, verify } from 'pulp-streamer/pipelines';
import { BehaviorSubject, from, of } from 'rxjs';

const [path, sha256, ...mirrors] = process.argv.slice(2);
const { close, ...defaults } = createDefaults({ attempts: 4, readTimeout: '10s' });

const entry = {
  path,
  url: mirrors[0] + path,
  checksum: { algorithm: 'sha256', value: sha256 },
  importerId: '',
  unitId: sha256,
  unitTypeId: 'file',
  revision: 1,
  data: {},
};

const deps = {
  ...defaults,
  // A catalog emits the entries of a path: from a file, a database, a service, or a list as here.
  catalog: { lookup: (asked) => from(asked === path ? [entry] : []) },
  // A source emits the candidates of an entry: here each mirror has every file, and the first is the best.
  sources: mirrors.map(
    (base) => (entry) => of({ entry, source: { kind: 'mirror', id: base }, url: base + entry.path }),
  ),
};

// A stage is an operator. Its state belongs to one request, since `operate` runs this function for each subscription.
const progress = () =>
  operate((out) => {
    let length = 0;
    let passed = 0;
    return {
      next: (event) => {
        if (event.type === 'head') length = event.length;
        if (event.type === 'chunk') {
          passed += event.bytes.length;
          console.log(`${Math.floor((100 * passed) / length)} %`);
        }
        out.next(event);
      },
    };
  });

// If you write the chunks to a socket or a file, close the valve while it is full.
const valve = new BehaviorSubject(true);
const request = streamRequest({ id: 'one', path, save: false });

flow(
  lookup(request, deps),
  candidates(deps),
  attempts(request, deps),
  verify(request, deps),
  progress(),
  report(request, deps),
)(valve)
  .forEach((event) => {
    if (event.type === 'attempt') console.log('trying', event.candidate.url);
    if (event.type === 'failed') console.log('failed:', event.error.code);
    if (event.type === 'end') console.log(event.report.outcome, event.report.bytes, 'bytes', event.report.verified);
  })
  .catch((error) => console.error(error.code, error.message))
  .finally(close);
