export { membersOf, trimBlanks } from './blanks.ts';
export {
  type Access,
  type AccessOwner,
  type BlockSums,
  type BrokenLocation,
  type Candidate,
  errorSourceOf,
  hasOtherBytes,
  isCopy,
  isWorthSaving,
  isWrongCopy,
  type Location,
  type SourceId,
  sourceName,
} from './candidate.ts';
export { type Conditions, etagOf, holds, judge, type Validators } from './conditions.ts';
export type { CopyEnd, CopyProgress } from './copy-progress.ts';
export type { Digest, NewDigest } from './digest.ts';
export {
  type CatalogEntry,
  CHECKSUM_ALGORITHMS,
  type Checksum,
  type ChecksumAlgorithm,
  catalogEntry,
  type EntryOptions,
  isLasting,
} from './entry.ts';
export {
  ERRORS,
  type ErrorCode,
  type ErrorSource,
  type Phase,
  type ProxyError,
  type Remedy,
  remedyOf,
  StreamError,
  statusOf,
  toStreamError,
} from './errors.ts';
export {
  type Chunk,
  type End,
  type Head,
  isNote,
  type Note,
  type SourceEvent,
  type SourceHead,
  type StreamEvent,
} from './events.ts';
export type { Child, FolderPolicy, MadeFile } from './folder.ts';
export { field, type Header } from './header.ts';
export { timeOfHttpDate } from './http-date.ts';
export { isSmall } from './is-small.ts';
export { LOANS, type Loan } from './loan.ts';
export { isOwnCoding } from './own-coding.ts';
export { adjoined, piecesOf, sizeOf } from './parts.ts';
export type { Policy } from './policy.ts';
export type {
  Ask,
  AskedBytes,
  Catalog,
  CopyWriter,
  Dispatch,
  FindCandidates,
  Keep,
  Offer,
  OpenSource,
  OpenSpill,
  Outbox,
  PendingSaveRequest,
  SaveRequest,
  Unless,
} from './ports.ts';
export type { Noted, Progress, Watch } from './progress.ts';
export { type ByteRange, type Part, resolveRange } from './range.ts';
export type { AttemptReport, Moment, Outcome, Report } from './report.ts';
export { type RequestOptions, type StreamRequest, streamRequest } from './request.ts';
export { canBeContinued, isSame, isSameState, mayContinue, sameChecksum, stateOf } from './same-content.ts';
export { decodePath, mergeSlashes, normalPath, type Spelling } from './spelling.ts';
