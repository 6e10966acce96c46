// Every call that the panel makes, in its own words. The generated client knows the paths and the shapes; this file
// alone knows the generated client, so that generating it again touches nothing else.

import * as sdk from '../client/sdk.gen';
import type { NewKey } from '../client/types.gen';
import { toProblem } from './problem';

export type {
  CommissionFigures,
  CreatedKey,
  Dashboard,
  Event,
  Headline,
  Key,
  NewKey,
  Permission,
  RecentTransaction,
  RevenueFigures,
  SessionUser,
  Trend,
  UserFigures,
} from '../client/types.gen';

const KEYS_A_PAGE = 50;
const EVENTS_A_PAGE = 20;

export const server = {
  ready: (signal?: AbortSignal) => answer(sdk.readyz({ signal, parseAs: 'text' })),

  me: async (signal?: AbortSignal) => (await answer(sdk.me({ signal }))).user,
  signIn: async (email: string, password: string) => (await answer(sdk.login({ body: { email, password } }))).user,
  signOut: () => answer(sdk.logout()),

  dashboard: (signal?: AbortSignal) => answer(sdk.dashboard({ signal })),
  userFigures: (signal?: AbortSignal) => answer(sdk.syncUsers({ signal })),
  revenueFigures: (signal?: AbortSignal) => answer(sdk.syncRevenue({ signal })),
  commissionFigures: (signal?: AbortSignal) => answer(sdk.syncCommissions({ signal })),

  keys: (cursor: string | null, signal?: AbortSignal) =>
    answer(sdk.listKeys({ query: page(KEYS_A_PAGE, cursor), signal })),
  createKey: (key: NewKey, idempotencyKey: string) =>
    answer(sdk.generateKey({ body: key, headers: { 'Idempotency-Key': idempotencyKey } })),
  revokeKey: (id: string) => answer(sdk.revokeKey({ path: { id } })),

  events: (cursor: string | null, signal?: AbortSignal) =>
    answer(sdk.listEvents({ query: page(EVENTS_A_PAGE, cursor), signal })),
};

/** The body of a success, or a `ServerProblem` thrown. An answer without a body (204) is a success too. */
async function answer<Body>(
  call: Promise<{ data?: Body; error?: unknown; response?: Response }>,
): Promise<NonNullable<Body>> {
  const { data, error, response } = await call;
  if (!response?.ok) throw toProblem(error, response);
  return data as NonNullable<Body>;
}

function page(limit: number, cursor: string | null) {
  return cursor === null ? { limit } : { limit, cursor };
}
