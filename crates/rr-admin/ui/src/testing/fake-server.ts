// A server for tests: the demo data behind the panel's own endpoints, with each answer replaceable.

import { vi } from 'vitest';

import * as demo from './demo';

export interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Headers;
  body: unknown;
}

/** The keys that end soon: a list of its own, although it has the path of all keys. */
export const ENDING_KEYS = '/api/devops/keys?expires_within_days';

type Handler = (call: Call) => Response | Promise<Response>;

export class FakeServer {
  readonly calls: Call[] = [];
  private readonly handlers = new Map<string, Handler>();

  constructor() {
    this.on('GET /readyz', () => json({ status: 'ready' }));
    this.on('GET /api/auth/me', () => json({ user: demo.user }));
    this.on('POST /api/auth/login', () => json({ user: demo.user }));
    this.on('POST /api/auth/logout', () => new Response(null, { status: 204 }));
    this.on('GET /api/devops/dashboard', () => json(demo.dashboard));
    this.on('GET /api/devops/sync/users', () => json(demo.users));
    this.on('GET /api/devops/sync/revenue', () => json(demo.revenue));
    this.on('GET /api/devops/sync/commissions', () => json(demo.commissions));
    for (const name of ['mrr', 'signups']) {
      this.on(`GET /api/devops/metrics/${name}`, () => json(demo.months(name)));
    }
    this.on('GET /api/devops/dora', () => json(demo.dora));
    this.on('GET /api/devops/keys', () => json({ keys: [demo.key], next_cursor: null }));
    this.on(`GET ${ENDING_KEYS}`, () => json({ keys: [], next_cursor: null }));
    this.on('GET /api/devops/events', () => json({ events: [demo.event], next_cursor: null }));
    this.on('GET /api/devops/sources', () => json({ sources: [demo.source] }));
    vi.stubGlobal('fetch', (request: Request) => this.answer(request));
  }

  /** Answers `GET /path` (or another method) by `handler` from now on. */
  on(what: string, handler: Handler): this {
    this.handlers.set(what, handler);
    return this;
  }

  /** The calls made to `GET /path` (or another method) so far. */
  callsTo(what: string): Call[] {
    return this.calls.filter((call) => `${call.method} ${call.path}` === what);
  }

  /** No connection at all, until the next `on` for these. */
  down(): void {
    for (const what of this.handlers.keys()) this.on(what, unreachable);
  }

  private async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const text = await request.text();
    const call: Call = {
      method: request.method,
      path: url.searchParams.has('expires_within_days') ? ENDING_KEYS : url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: text === '' ? null : JSON.parse(text),
    };
    this.calls.push(call);
    const handler = this.handlers.get(`${call.method} ${call.path}`);
    if (!handler) throw new Error(`The fake server has no ${call.method} ${call.path}.`);
    return handler(call);
  }
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}

export function problem(status: number, code: string, detail: string, headers: Record<string, string> = {}): Response {
  const body = { type: 'about:blank', title: code, status, detail, code, error: detail, request_id: 'request-1' };
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });
}

export function unreachable(): never {
  throw new TypeError('fetch failed');
}
