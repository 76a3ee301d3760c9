import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { StreamError } from '../../pipelines/model/index.ts';
import type { Settings } from '../config/schema.ts';
import { readPlainFileSync } from '../lib/read-plain-file.ts';
import { messageOf } from '../lib/thrown.ts';
import type { Conditions } from '../observe/conditions.ts';
import type { SaveStore } from '../saves/copies/store.ts';
import { type Bucket, openBucket } from '../saves/objects/bucket.ts';
import { createObjectStore, type ObjectStoreOptions } from '../saves/objects/store.ts';
import { clearUploads, leftLogs, logsOfEnded } from '../saves/objects/upload-log.ts';
import { checkObjects, type ObjectSettings } from './object-settings.ts';
import { uploadsFolder } from './state-folder.ts';

/** The bucket that the settings describe. Throws a ConfigError if they cannot be used. */
export const bucketOf = (settings: ObjectSettings): Promise<Bucket> => {
  checkObjects(settings);
  const { saveUrl, saveEndpoint, saveRegion, savePathStyle, saveAccessKey, saveSecretKey, saveCa } = settings;
  const [bucket = '', ...folders] = saveUrl.slice('s3://'.length).split('/');
  return openBucket({
    ...{ bucket, prefix: folders.map((one) => `${one}/`).join('') },
    ...{ region: saveRegion, endpoint: saveEndpoint, pathStyle: savePathStyle },
    ...(saveAccessKey !== '' && { credentials: { accessKeyId: saveAccessKey, secretAccessKey: saveSecretKey } }),
    ...(saveCa !== '' && { ca: readPlainFileSync(saveCa) }),
  });
};

interface Parts extends Omit<ObjectStoreOptions, 'bucket' | 'uploads' | 'onChange' | 'onMended'> {
  readonly logger: Logger;
  readonly conditions: Conditions;
  /** The name of the daemon whose processes share the copies. */
  readonly family?: string;
  /** Whether this process begins before the others of its daemon, and clears what a killed daemon left. */
  readonly isFirst: boolean;
}

/** Copies in the object store that the settings describe. */
export const openObjects = async (
  settings: Settings,
  { logger, conditions, family = randomUUID(), isFirst, ...options }: Parts,
): Promise<SaveStore> => {
  const bucket = await bucketOf(settings);
  const folder = uploadsFolder(settings);
  // A worker clears what the one left in whose place it is.
  const left = await (isFirst ? leftLogs(folder) : logsOfEnded(folder, family));
  const store = createObjectStore({
    ...options,
    bucket,
    uploads: { folder, family },
    onMended: (problem: string) => logger.warn({ problem }, 'object store was wrong about an object, mended'),
    onChange: (problem: StreamError | undefined) =>
      problem ? conditions.set('object store', problem.message) : conditions.clear('object store'),
  });
  // A store that is not there must not delay the start.
  clearUploads(left, bucket.abort).catch((error: unknown) =>
    logger.warn({ error: messageOf(error) }, 'unfinished uploads not removed, the next start tries again'),
  );
  return store;
};
