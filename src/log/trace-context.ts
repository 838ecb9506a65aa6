import type { IncomingHttpHeaders } from 'node:http';

/**
 * `traceparent` (W3C Trace Context §3.2): version, trace id, the caller's span, flags. Version `ff` and ids of nothing
 * but zeros are invalid; a version to come may have more at its end, ours may not.
 */
const TRACEPARENT = /^(?!ff)(?:00(?=.{53}$)|(?!00)[\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-[\da-f]{2}(?:-.*)?$/;

/** The trace that a request belongs to. */
export interface TraceContext {
  readonly traceId: string;
  /** The span at the caller's that the request was made in. */
  readonly parentSpanId: string;
}

/** Where a request stands in its caller's trace, for the log; nothing when it says nothing, or nothing valid. */
export function traceOf({ traceparent }: IncomingHttpHeaders): TraceContext | undefined {
  if (typeof traceparent !== 'string') return undefined;
  const [, traceId, parentSpanId] = TRACEPARENT.exec(traceparent) ?? [];
  return traceId === undefined || parentSpanId === undefined ? undefined : { traceId, parentSpanId };
}
