import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { closedPort } from './feeds.ts';
import { goBuild } from './go-build.ts';
import { listening } from './peers.ts';
import { createProcessGroup } from './process-group.ts';
import type { Running } from './run-process.ts';

const FOLDER = fileURLToPath(new URL('versitygw', import.meta.url));

/** A real server for Amazon's protocol over files, built from its sources if necessary; `undefined` if it cannot be. */
export const s3Binary = goBuild({
  ...{ name: 'versitygw', folder: FOLDER, files: ['go.mod', 'go.sum'] },
  what: ['github.com/versity/versitygw/cmd/versitygw'],
});

export const ACCESS = { accessKeyId: 'the-access-key', secretAccessKey: 'a-secret-that-nobody-logs' } as const;
export const BUCKET = 'copies';

export interface S3Server {
  readonly port: number;
  /** The folder that has the objects of the bucket as files. */
  readonly folder: string;
  readonly client: S3Client;
  /** Ends it at once, as a crash would. */
  stop(): Promise<void>;
  /** Starts it again, on the same port with the same data. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a server with an empty bucket, with its files in an empty folder. */
export const startS3 = async (folder: string): Promise<S3Server> => {
  const [root, sidecar] = [join(folder, 'root'), join(folder, 'sidecar')];
  for (const one of [root, sidecar]) mkdirSync(one);
  const port = await closedPort();
  const group = createProcessGroup();
  let running: Running | undefined;
  const start = async () => {
    const args = ['--access', ACCESS.accessKeyId, '--secret', ACCESS.secretAccessKey, '--quiet', '--keep-alive'];
    const posix = ['--port', `127.0.0.1:${port}`, 'posix', '--sidecar', sidecar, root];
    running = group.start(s3Binary ?? '', [...args, ...posix]);
    await listening(running, port);
  };
  await start();
  const client = new S3Client({
    ...{ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', forcePathStyle: true, credentials: ACCESS },
    ...{ requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' },
  });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  return {
    ...{ port, folder: join(root, BUCKET), client, start },
    stop: async () => {
      running?.kill('SIGKILL');
      await running?.ended;
    },
    close: async () => {
      client.destroy();
      await group.end();
    },
  };
};
