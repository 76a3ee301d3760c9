import type { Readable } from 'node:stream';
import type * as Sdk from '@aws-sdk/client-s3';
import { isAbsence, storeError } from './errors.ts';

/** Where the copies are, and how the store is reached. */
export interface BucketSettings {
  readonly bucket: string;
  /** The beginning of all names: empty, or with a slash at its end. */
  readonly prefix: string;
  readonly region: string;
  /** URL of the store; empty for Amazon's own. */
  readonly endpoint: string;
  /** Whether the bucket is part of the path, not of the host name. */
  readonly pathStyle: boolean;
  /** Absent: those of the environment, files and roles, as Amazon's programs find them. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** PEM of the authorities that the store's certificate may come from. Default: those of Node. */
  readonly ca?: string;
}

/** An object as it is in the store. */
export interface StoredObject {
  /** Without the prefix. */
  readonly name: string;
  readonly size: number;
  readonly etag: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** An upload that is not finished. */
export interface Unfinished {
  readonly name: string;
  readonly upload: string;
  /** Milliseconds since 1970. */
  readonly began: number;
}

/** A part that the store has. */
export interface UploadedPart {
  readonly PartNumber: number;
  readonly ETag: string | undefined;
  readonly ChecksumSHA256: string;
}

/** When an object may be stored: if there is none of its name, or in place of the one with this tag. */
export type Only = 'if-absent' | { readonly inPlaceOf: string };

interface Given {
  readonly sha256: string;
  readonly type?: string;
  /** Absent: in any case. */
  readonly only?: Only;
}

/**
 * Objects below one prefix of a bucket. All names are without the prefix. Everything rejects with a
 * StreamError that names the object.
 */
export interface Bucket {
  /** `s3://BUCKET/PREFIX`, before a name. */
  readonly url: string;
  /** Stores a small object. Resolves to its tag; `undefined` if the store says that its condition does not hold. */
  put(name: string, bytes: Uint8Array, given: Given): Promise<string | undefined>;
  /** Begins an object of several parts, of which nobody sees anything before `complete`. */
  begin(name: string, type: string): Promise<string>;
  part(upload: Omit<Unfinished, 'began'>, number: number, bytes: Uint8Array, sha256: string): Promise<UploadedPart>;
  /** Makes the object of its parts. Resolves as `put`. */
  complete(upload: Omit<Unfinished, 'began'>, parts: readonly UploadedPart[], only?: Only): Promise<string | undefined>;
  /** Removes the parts of an upload, if there are any. */
  abort(upload: Omit<Unfinished, 'began'>): Promise<void>;
  unfinished(): AsyncIterable<Unfinished>;
  /** All objects, in the order of their names, those after `after` alone. */
  list(after?: string): AsyncIterable<StoredObject>;
  look(name: string): Promise<StoredObject | undefined>;
  /** The whole of a small object, within milliseconds; `undefined` if there is none. */
  read(
    name: string,
    most: number,
    ms?: number,
  ): Promise<{ readonly bytes: Buffer; readonly modified: number } | undefined>;
  /**
   * The bytes from `first` to `last` of an object in the state of a tag. Rejects with CHANGED for
   * another one. The caller destroys the stream.
   */
  open(name: string, etag: string, range: Range | undefined, signal: AbortSignal): Promise<Readable>;
  remove(name: string): Promise<void>;
  /** Rejects if objects cannot be listed. Resolves to the store's clock: milliseconds since 1970. */
  probe(): Promise<number | undefined>;
  /** Ends what is under way. */
  close(): void;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

interface Condition {
  readonly IfNoneMatch?: '*';
  readonly IfMatch?: string;
}

const conditionOf = (only: Only): Condition =>
  only === 'if-absent' ? { IfNoneMatch: '*' } : { IfMatch: only.inPlaceOf };

/** Milliseconds for a connection, for small answers, for one part. */
const TIMES = { connect: 3_000, small: 10_000, part: 120_000 } as const;
/** Tries of what changes or lists the store. Reading is repeated by the pipeline, or replaced. */
const TRIES = 3;
/** Connections for everything that is not read for clients: slow readers must not hold them. */
const OWN_LINES = 16;

/** Loads the client of the store, and makes one for a bucket. Connects to nothing. */
export const openBucket = async (settings: BucketSettings): Promise<Bucket> => {
  const sdk = await import('@aws-sdk/client-s3');
  const { bucket: Bucket, prefix } = settings;
  // Without a queue: the client counts waiting in it as a store that cannot be reached. The transfers of clients are
  // limited before.
  const reading = clientOf(sdk, settings, { maxAttempts: 1, sockets: Number.POSITIVE_INFINITY });
  const own = clientOf(sdk, settings, { maxAttempts: TRIES, sockets: OWN_LINES });
  const url = `s3://${Bucket}/${prefix}`;
  const at = (name: string) => ({ Bucket, Key: prefix + name });
  const bare = (key: string | undefined = '') => key.slice(prefix.length);
  const closing = new AbortController();
  const within = (ms: number) => ({ abortSignal: AbortSignal.any([AbortSignal.timeout(ms), closing.signal]) });
  const named = async <T>(name: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw storeError(error, url + name);
    }
  };
  let hasConditions = true;
  /**
   * `undefined` if the condition does not hold, or another writer was there at the same time. A store that has
   * no conditions replaces what is there, by the same content.
   */
  const conditionally = async <T>(only: Only | undefined, send: (condition: Condition) => Promise<T>) => {
    if (!only || !hasConditions) return send({});
    try {
      return await send(conditionOf(only));
    } catch (error) {
      const status = statusOf(error) ?? 0;
      if (UNMET.has(status)) return undefined;
      if (status !== 501) throw error;
      hasConditions = false;
      return send({});
    }
  };
  const unlessAbsent = async <T>(name: string, work: Promise<T>): Promise<T | undefined> =>
    named(
      name,
      work.catch((error: unknown) => {
        if (isAbsence(error)) return undefined;
        throw error;
      }),
    );

  return {
    url,
    put: async (name, Body, { sha256, type, only }) => {
      const about = { ...at(name), Body, ContentLength: Body.length, ContentType: type, ChecksumSHA256: sha256 };
      const put = (condition: Condition) =>
        own.send(new sdk.PutObjectCommand({ ...about, ...condition }), within(TIMES.part));
      return (await named(name, conditionally(only, put)))?.ETag;
    },
    begin: async (name, ContentType) => {
      const command = new sdk.CreateMultipartUploadCommand({ ...at(name), ContentType, ChecksumAlgorithm: 'SHA256' });
      return (await named(name, own.send(command, within(TIMES.small)))).UploadId ?? '';
    },
    part: async ({ name, upload: UploadId }, PartNumber, Body, ChecksumSHA256) => {
      const about = { UploadId, PartNumber, Body, ContentLength: Body.length, ChecksumSHA256 };
      const command = new sdk.UploadPartCommand({ ...at(name), ...about });
      const { ETag } = await named(name, own.send(command, within(TIMES.part)));
      return { PartNumber, ETag, ChecksumSHA256 };
    },
    complete: async ({ name, upload: UploadId }, parts, only) => {
      const MultipartUpload = { Parts: [...parts] };
      const about = { ...at(name), UploadId, MultipartUpload };
      const complete = (condition: Condition) =>
        own.send(new sdk.CompleteMultipartUploadCommand({ ...about, ...condition }), within(TIMES.part));
      return (await named(name, conditionally(only, complete)))?.ETag;
    },
    abort: async ({ name, upload: UploadId }) => {
      const command = new sdk.AbortMultipartUploadCommand({ ...at(name), UploadId });
      await unlessAbsent(name, own.send(command, within(TIMES.small)));
    },
    async *unfinished() {
      let from: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {};
      while (from) {
        const command: Sdk.ListMultipartUploadsCommand = new sdk.ListMultipartUploadsCommand({
          ...{ Bucket, Prefix: prefix },
          ...from,
        });
        const found: Sdk.ListMultipartUploadsCommandOutput = await named('', own.send(command, within(TIMES.small)));
        for (const { Key, UploadId: upload = '', Initiated } of found.Uploads ?? [])
          yield { name: bare(Key), upload, began: Initiated?.getTime() ?? 0 };
        from = found.IsTruncated
          ? { KeyMarker: found.NextKeyMarker, UploadIdMarker: found.NextUploadIdMarker }
          : undefined;
      }
    },
    async *list(after) {
      const about = { Bucket, Prefix: prefix, ...(after !== undefined && { StartAfter: prefix + after }) };
      for (let from: string | undefined, more = true; more; ) {
        const command: Sdk.ListObjectsV2Command = new sdk.ListObjectsV2Command({ ...about, ContinuationToken: from });
        const found: Sdk.ListObjectsV2CommandOutput = await named('', own.send(command, within(TIMES.small)));
        for (const { Key, Size = 0, ETag = '', LastModified } of found.Contents ?? [])
          yield { name: bare(Key), size: Size, etag: ETag, modified: LastModified?.getTime() ?? 0 };
        from = found.NextContinuationToken;
        more = found.IsTruncated === true && from !== undefined;
      }
    },
    look: async (name) => {
      const sending = own.send(new sdk.HeadObjectCommand(at(name)), within(TIMES.small));
      const found = await unlessAbsent(name, sending);
      if (!found) return undefined;
      const { ContentLength: size = 0, ETag: etag = '', LastModified } = found;
      return { name, size, etag, modified: LastModified?.getTime() ?? 0 };
    },
    read: async (name, most, ms = TIMES.small) => {
      const work = async () => {
        const {
          Body,
          ContentLength = 0,
          LastModified,
        } = await reading.send(new sdk.GetObjectCommand(at(name)), within(ms));
        const body = Body as Readable;
        if (ContentLength > most) {
          body.destroy();
          throw new Error(`it has ${ContentLength} bytes, expected at most ${most}`);
        }
        const chunks: Uint8Array[] = [];
        for await (const chunk of body) chunks.push(chunk);
        return { bytes: Buffer.concat(chunks), modified: LastModified?.getTime() ?? 0 };
      };
      return unlessAbsent(name, work());
    },
    open: async (name, IfMatch, range, abortSignal) => {
      const Range = range && `bytes=${range.first}-${range.last}`;
      const command = new sdk.GetObjectCommand({ ...at(name), IfMatch, Range });
      return (await named(name, reading.send(command, { abortSignal }))).Body as Readable;
    },
    remove: async (name) => {
      await unlessAbsent(name, own.send(new sdk.DeleteObjectCommand(at(name)), within(TIMES.small)));
    },
    probe: async () => {
      let date: string | undefined;
      const command = new sdk.ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 });
      command.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args);
          date = (result.response as { headers?: Record<string, string> }).headers?.date;
          return result;
        },
        { step: 'deserialize' },
      );
      await named('', reading.send(command, within(TIMES.small)));
      return date === undefined ? undefined : Date.parse(date);
    },
    close: () => {
      closing.abort();
      reading.destroy();
      own.destroy();
    },
  };
};

/** A condition that does not hold, and another writer at the same moment. */
const UNMET: ReadonlySet<number> = new Set([409, 412]);

const statusOf = (error: unknown): number | undefined =>
  (error as { readonly $metadata?: { readonly httpStatusCode?: number } } | null)?.$metadata?.httpStatusCode;

interface Lines {
  readonly maxAttempts: number;
  readonly sockets: number;
}

const clientOf = (
  { S3Client }: typeof Sdk,
  { region, endpoint, pathStyle, credentials, ca }: BucketSettings,
  { maxAttempts, sockets: maxSockets }: Lines,
): Sdk.S3Client =>
  new S3Client({
    ...{ region, maxAttempts, forcePathStyle: pathStyle },
    ...(endpoint !== '' && { endpoint }),
    ...(credentials && { credentials }),
    // Each object is sent with its SHA-256; parts of one have no checksum that they could be compared with.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: TIMES.connect,
      httpAgent: { keepAlive: true, maxSockets },
      httpsAgent: { keepAlive: true, maxSockets, ...(ca !== undefined && { ca }) },
      // It would write to standard error.
      logger: SILENT,
    },
  });

const SILENT = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
