// Every call that the panel makes, in its own words. The generated client knows the paths and the shapes; this file
// alone knows the generated client, so that generating it again touches nothing else.

import * as sdk from '../client/sdk.gen';
import type { EventList, KeyRequest, NewSource, RateWindow, Series, SourceChange } from '../client/types.gen';
import { parseExactly } from './digits';
import { toProblem } from './problem';

export type {
  CommissionFigures,
  Dashboard,
  Delivery,
  DeliveryFigures,
  Event,
  Key,
  KeyRequest,
  Permission,
  RateWindow,
  RevenueFigures,
  Series,
  SignedInUser,
  Source,
  Trend,
  UserFigures,
} from '../client/types.gen';

const KEYS_A_PAGE = 50;

/** A key that ends within so many days is pointed out. */
export const SOON_DAYS = 14;
const EVENTS_A_PAGE = 20;

/** Nobody chooses from more. */
const KEYS_TO_CHOOSE = 1000;

export const server = {
  ready: (signal?: AbortSignal) => answer(sdk.getReadyz({ signal })),

  me: async (signal?: AbortSignal) => (await answer(sdk.getApiAuthMe({ signal }))).user,
  signIn: async (email: string, password: string) => 
    (await answer(sdk.postApiAuthLogin({ body: { email, password } }))).user,
  signOut: () => answer(sdk.postApiAuthLogout()),

  dashboard: (signal?: AbortSignal) => answer(sdk.getApiDevopsDashboard({ signal })),
  userFigures: (signal?: AbortSignal) => answer(sdk.getApiDevopsSyncUsers({ signal })),
  revenueFigures: (signal?: AbortSignal) => answer(sdk.getApiDevopsSyncRevenue({ signal })),
  commissionFigures: (signal?: AbortSignal) => answer(sdk.getApiDevopsSyncCommissions({ signal })),
  months: async (metric: string, from: string, signal?: AbortSignal) => {
    const query = { from, step: 'month' };
    // With `from` the answer is a series.
    return (await answer(sdk.getApiDevopsMetricsByName({ path: { name: metric }, query, signal }))) as Series;
  },

  delivery: (signal?: AbortSignal) => answer(sdk.getApiDevopsDora({ signal })),

  keys: (cursor: string | null, signal?: AbortSignal) =>
    answer(sdk.getApiDevopsKeys({ query: page(KEYS_A_PAGE, cursor), signal })),
  keysToChoose: (signal?: AbortSignal) =>
    answer(sdk.getApiDevopsKeys({ query: page(KEYS_TO_CHOOSE, null), signal })),
  createKey: (key: KeyRequest, idempotencyKey: string) =>
    answer(sdk.postApiDevopsGenerateKey({ body: key, headers: { 'idempotency-key': idempotencyKey } })),
  endingKeys: (days: number, signal?: AbortSignal) =>
    answer(sdk.getApiDevopsKeys({ query: { expires_within_days: days, limit: KEYS_A_PAGE }, signal })),
  enableKey: (id: string) => answer(sdk.patchApiDevopsKeysById({ path: { id }, body: { enabled: true } })),
  limitKey: (id: string, limits: RateWindow[]) =>
    answer(sdk.patchApiDevopsKeysById({ path: { id }, body: { rate_limits: limits } })),
  rotateKey: (id: string, graceSeconds: number, start: 'now' | 'first_use', idempotencyKey: string) =>
    answer(
      sdk.postApiDevopsKeysByIdRotate({
        path: { id },
        body: { grace_s: graceSeconds, start },
        headers: { 'idempotency-key': idempotencyKey },
      }),
    ),
  revokeKey: (id: string) => answer(sdk.deleteApiDevopsKeysById({ path: { id } })),

  events: async (cursor: string | null, signal?: AbortSignal) => {
    const query = page(EVENTS_A_PAGE, cursor);
    const text: unknown = await answer(sdk.getApiDevopsEvents({ query, signal, parseAs: 'text' }));
    return parseExactly<EventList>(String(text));
  },

  sources: (signal?: AbortSignal) => answer(sdk.getApiDevopsSources({ signal })),
  createSource: (source: NewSource) => answer(sdk.postApiDevopsSources({ body: source })),
  changeSource: (source: string, change: SourceChange) =>
    answer(sdk.patchApiDevopsSourcesBySource({ path: { source }, body: change })),
  removeSource: (source: string) => answer(sdk.deleteApiDevopsSourcesBySource({ path: { source } })),
  addSourceSecret: (source: string, secret: string, overlapSeconds: number) =>
    answer(
      sdk.postApiDevopsSourcesBySourceSecrets({ path: { source }, body: { secret, overlap_s: overlapSeconds } }),
    ),
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
