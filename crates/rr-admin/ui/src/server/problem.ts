// What goes wrong between the panel and the server, as one kind of error.

export interface FieldFault {
  pointer: string;
  detail: string;
}

interface ProblemParts {
  status: number;
  code: string;
  detail: string;
  retryAfter: number | null;
  requestId: string | null;
  fields: FieldFault[];
  keyId: string | null;
}

/** An answer that is not a success, or no answer at all (`status` 0). */
export class ServerProblem extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds until it is worth trying again, when the server said so. */
  readonly retryAfter: number | null;
  readonly requestId: string | null;
  readonly fields: FieldFault[];
  /** The key that an earlier, identical request has made already. */
  readonly keyId: string | null;

  constructor(parts: ProblemParts) {
    super(parts.detail);
    this.name = 'ServerProblem';
    this.status = parts.status;
    this.code = parts.code;
    this.retryAfter = parts.retryAfter;
    this.requestId = parts.requestId;
    this.fields = parts.fields;
    this.keyId = parts.keyId;
  }

  /** The server could not be reached, or has trouble of its own: nothing the caller did. */
  get isOutage(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

/** Reads an error body. A proxy may answer in HTML, so nothing is taken for granted. */
export function toProblem(body: unknown, response: Response | undefined): ServerProblem {
  if (!response) {
    return problem(0, 'unreachable', 'The server does not answer. Is it running, and is the network up?');
  }
  const parts = isRecord(body) ? body : {};
  const detail = text(parts.detail) ?? text(parts.title) ?? `The server answered with status ${response.status}.`;
  return new ServerProblem({
    status: response.status,
    code: text(parts.code) ?? 'unknown',
    detail,
    retryAfter: seconds(response.headers.get('retry-after')),
    requestId: text(parts.request_id) ?? response.headers.get('x-request-id'),
    fields: Array.isArray(parts.errors) ? parts.errors.filter(isFieldFault) : [],
    keyId: text(parts.key_id),
  });
}

/** Whatever was thrown, as a problem: a defect of ours is shown too, not swallowed. */
export function asProblem(error: unknown): ServerProblem {
  if (error instanceof ServerProblem) return error;
  return problem(-1, 'panel_defect', error instanceof Error ? error.message : String(error));
}

function problem(status: number, code: string, detail: string): ServerProblem {
  return new ServerProblem({ status, code, detail, retryAfter: null, requestId: null, fields: [], keyId: null });
}

function seconds(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : null;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isFieldFault(value: unknown): value is FieldFault {
  return isRecord(value) && typeof value.pointer === 'string' && typeof value.detail === 'string';
}
